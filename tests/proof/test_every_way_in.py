"""A bad value is refused on every way in, pages, tasks, flows and files among them: T24.

`test_bad_values.py` has the table and the plain ways (deed, API, import) on both databases; here
the same table goes through all others, and every unsafe route is known to be one of them or none.
"""

from collections.abc import Iterator
from typing import Any

import make
import pytest
from flask import Blueprint, Flask
from sqlalchemy import select
from visitors import Site

from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.lists import get
from careloom.platform.store.database import open_database
from careloom.platform.web.app import create_app
from careloom.platform.web.routes import SIGNED_IN, route
from careloom.runtime.flows.model import incidents
from careloom.runtime.flows.start import start

from .clinic import ROLES, Clinic, open_clinic
from .test_bad_values import BAD, MISSHAPEN, WAYS
from .unchanged import nothing_changes
from .ways_in import APART, FILES, NEVER, ONE_FIELD, PAGES, PROGRAMS, ROUTES, Ways, ways_into

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
#: what a page, or a cell, cannot send as it stands in the table
TYPED = {"at": "a page asks for a day and an hour", "tags": "a page sends each choice by itself"}


@pytest.fixture(scope="module")
def ways(shared_sqlite_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    home = tmp_path_factory.mktemp("home")
    database = open_database(shared_sqlite_url, home)
    clinic = open_clinic(database, home)
    starter = {**ROLES[0], "rights": ["flows.start"]}
    database.write(lambda session: publish_document(session, SYSTEM, "role", starter))
    yield ways_into(clinic)
    database.close()


def values(texts_only: bool) -> Iterator[tuple[str, Any, str]]:
    for field, given, code in BAD:
        for value in given:
            if isinstance(value, str) or not texts_only:
                yield field, value, code


@pytest.mark.parametrize("way", PROGRAMS)
def test_t24_a_task_and_a_flow_refuse_what_the_api_refuses(
    ways: Ways, way: str, record_property: Any
) -> None:
    count = 0
    with nothing_changes(ways.clinic.database):
        for field, value, code in values(texts_only=False):
            assert PROGRAMS[way](ways, field, value) == {field: code}, (field, value)
            count += 1
        for field, given, code in MISSHAPEN:
            for value in given:
                found = PROGRAMS[way](ways, field, value)
                assert set(found) == {field} and code in (found[field], ""), (field, value, found)
                count += 1
    record_property("payloads", count)


@pytest.mark.parametrize("way", FILES)
def test_t24_a_file_is_refused_as_a_record_is(ways: Ways, way: str, record_property: Any) -> None:
    count = 0
    with nothing_changes(ways.clinic.database):
        for field, value, code in values(texts_only=True):
            assert FILES[way](ways, field, value) == {field: code}, (field, value)
            count += 1
    record_property("payloads", count)


@pytest.mark.parametrize("way", PAGES)
def test_t24_a_page_says_at_the_field_what_the_api_says(
    ways: Ways, way: str, record_property: Any
) -> None:
    count = 0
    with nothing_changes(ways.clinic.database):
        for field, value, code in values(texts_only=True):
            if field not in TYPED:
                found = PAGES[way](ways, field, value)
                assert found == {field: code}, (field, value, found)
                count += 1
    record_property("payloads", count)


def test_t24_a_card_is_moved_to_no_value_that_is_refused_elsewhere(
    ways: Ways, record_property: Any
) -> None:
    count = 0
    with nothing_changes(ways.clinic.database):
        for field, value, code in values(texts_only=True):
            if field not in TYPED:
                assert ONE_FIELD["board move"](ways, field, value) == {field: code}, (field, value)
                count += 1
    record_property("payloads", count)


def test_t24_what_a_flow_writes_by_itself_goes_through_the_same_door(ways: Ways) -> None:
    """A value worked out by a flow that no person could write: an incident, and nothing written."""
    clinic = ways.clinic
    steps = [
        {
            "key": "copy",
            "kind": "action",
            "do": [{"key": "put", "action": "set", "values": {"name": "note"}}],
        },
        {"key": "end", "kind": "end"},
    ]
    flow = {"format": 1, "key": "copies", "title": "C", "subject": "lead", "steps": steps}
    flow["start"] = NEVER
    make.publish(clinic.database, "flow", flow)
    long = {"values": {"name": "Short", "note": "n" * 60}}
    made = clinic.ask("POST", "/api/records/lead", json=long).json["id"]
    clinic.database.write(lambda session: start(session, SYSTEM, "copies", record_id=int(made)))
    with clinic.database.read() as session:
        assert get(session, clinic.here, "lead", int(made)).values["name"] == "Short"
        told = session.execute(select(incidents.c.code, incidents.c.params)).all()
    assert len(told) == 1, "somebody is told"


def unsafe(app: Flask) -> set[str]:
    """The endpoints of every route that may change something."""
    return {rule.endpoint for rule in app.url_map.iter_rules() if UNSAFE & set(rule.methods or ())}


def unplaced(app: Flask) -> set[str]:
    """Unsafe routes of which nobody has said whether they write values of records."""
    return unsafe(app) - set(ROUTES) - set(APART)


def test_every_route_that_writes_values_is_one_of_the_ways(ways: Ways) -> None:
    app = ways.clinic.site.app
    assert unplaced(app) == set(), "does it write values? Then it is a way; else it stands APART"
    assert {*ROUTES, *APART} - unsafe(app) == set(), "a route that is gone"
    assert not set(ROUTES) & set(APART)
    known = {*WAYS, *PAGES, *FILES, *PROGRAMS, *ONE_FIELD, "restore"}
    assert set(ROUTES.values()) <= known


def test_a_new_way_in_fails_until_it_has_its_row(ways: Ways) -> None:
    area = Blueprint("later", __name__)

    @route(area, "/later", methods=("POST",), needs=SIGNED_IN)
    def later() -> str:
        return ""

    clinic: Clinic = ways.clinic
    site: Site = clinic.site
    app = create_app(site.database, site.app.extensions["careloom.settings"], [area])
    assert unplaced(app) == {"later.later"}
