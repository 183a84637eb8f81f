"""Whatever a GET route answers holds no planted value that its asker may not see.

Every route of the application is asked, as it is found in the route map, by a person of each
scope and right in turn. Routes that tell of records are named in TELLING: a route that begins to
tell, or no longer does, fails until the table says so.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint

from careloom.platform.identity import grants
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.paper.pdf import Made
from careloom.platform.store.database import open_database
from careloom.platform.web.app import create_app
from careloom.platform.web.routes import SIGNED_IN, route
from careloom.platform.web.settings import settings_from
from careloom.runtime.printouts import pages as printing

from .asked_routes import Asked, Unknown, served
from .planted import GUARDED, Planted, covered

PROBES = [
    ("own", "hidden"),
    ("own", "read"),
    ("branch", "masked"),
    ("branch", "read"),
    ("expression", "hidden"),
    ("expression", "read"),
    ("all", "hidden"),
    ("all", "masked"),
    ("team", "write"),
]
#: routes whose answers hold values of records, seen by somebody who may read them
TELLING = {
    "export_api.export",
    "roles.why",
    "roles_api.why",
    "runtime.calls_api.list_calls",
    "runtime.exports.ask",
    "runtime.exports.export",
    "runtime.flows_api.list_tasks",
    "runtime.flows_api.show_task",
    "runtime.instances.instance",
    "runtime.messages.messages",
    "runtime.printouts.page",
    "runtime.printouts.pdf",
    "runtime.record_lists.export",
    "runtime.record_lists.table",
    "runtime.records.edit",
    "runtime.records.offer",
    "runtime.records.record",
    "runtime.records_api.list_form",
    "runtime.records_api.read_history",
    "runtime.records_api.read_record",
    "runtime.reports.dashboard",
    "runtime.reports.report",
    "runtime.reports_api.dashboard_data",
    "runtime.reports_api.report_data",
    "runtime.work.home",
    "runtime.work.task",
    "trail.trail",
}


@pytest.fixture(scope="module")
def asked(shared_sqlite_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A PDF is as good as what the child is given to make it of: that can be read."""
    home = tmp_path_factory.mktemp("home")
    database = open_database(shared_sqlite_url, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(printing, "can_make", lambda: True)
        patch.setattr(printing, "make_pdf", lambda html, *_: Made(html.encode(), ()))
        yield served(database, settings_from({"CARELOOM_HOME": str(home)}))
    database.close()


def secrets_of(row: Planted) -> Iterator[tuple[str, str]]:
    """The texts by which a row's values are known: as they stand, and as pages write them."""
    for field in GUARDED:
        value = str(row.values[field])
        yield field, value
        if field == "amount":
            yield field, f"{float(value):,.2f}"
        if field == "mobile":
            yield field, f"{value[:3]} {value[3:7]} {value[7:]}"
    yield "name", str(row.values["name"]).upper()
    yield "name", str(row.before["name"])


def test_no_route_tells_what_its_asker_may_not_see(asked: Asked, record_property: Any) -> None:
    world, told, cells = asked.world, set(), 0
    for scope, right in PROBES:
        role, at = f"{scope}_{right}", world.at["B1"]
        world.database.write(lambda s, r=role, a=at: grants.give(s, SYSTEM, world.me, r, a))  # type: ignore[misc]
        for endpoint, path in asked.addresses():
            answer = asked.get(path.replace("{row}", str(asked.rows[0])))
            assert answer.status_code < 500, (path, answer.text[:300])
            text, cells = answer.text, cells + 1
            for row in world.rows:
                may = covered(scope, row) and right in ("read", "write")
                for field, value in secrets_of(row):
                    if value in text and not anybodys(path, field):
                        assert may, f"{role}: {path} tells {field} of {row.owner} in {row.unit}"
                        told.add(endpoint)
        world.database.write(lambda s, r=role, a=at: grants.take(s, SYSTEM, world.me, r, a))  # type: ignore[misc]
    assert sorted(told - TELLING) == [], "tells of records; is that meant?"
    assert sorted(TELLING - told) == [], "no longer tells"
    record_property("cells", cells * len(world.rows))


def anybodys(path: str, field: str) -> bool:
    """What stands in a page whoever looks: the grades are a list of the form's own definition, and
    a calendar names every day of its month."""
    return field == "grade" or (field == "day" and "as=calendar" in path)


def test_a_new_route_is_asked_without_anybody_naming_it(asked: Asked) -> None:
    area = Blueprint("later", __name__)

    @route(area, "/later/<form>", needs=SIGNED_IN)
    def later(form: str) -> str:
        return form

    found = dict(with_route(asked, area).addresses())
    assert found["later.later"] == "/later/pointer"


def test_a_route_with_an_argument_that_nobody_knows_fails(asked: Asked) -> None:
    area = Blueprint("later", __name__)

    @route(area, "/later/<novelty>", needs=SIGNED_IN)
    def later(novelty: str) -> str:
        return novelty

    with pytest.raises(Unknown, match="novelty"):
        list(with_route(asked, area).addresses())


def test_a_new_route_that_tells_too_much_is_found(asked: Asked) -> None:
    """The proof, proved: a route that shows a row to whoever asks fails it."""
    secret = asked.world.rows[0].values["name"]
    area = Blueprint("later", __name__)

    @route(area, "/later", needs=SIGNED_IN)
    def later() -> str:
        return str(secret)

    with pytest.raises(AssertionError, match="/later tells name"):
        test_no_route_tells_what_its_asker_may_not_see(only(with_route(asked, area)), print)


def with_route(asked: Asked, area: Blueprint) -> Asked:
    """The same world, served with one route more."""
    settings = asked.app.extensions["careloom.settings"]
    app = create_app(asked.world.database, settings, [area])
    return Asked(asked.world, app, asked.token, asked.rows, asked.arguments)


def only(asked: Asked) -> Asked:
    """The routes of the new area alone, so as to be quick."""

    class Few(Asked):
        def addresses(self) -> Iterator[tuple[str, str]]:
            return (pair for pair in super().addresses() if pair[0].startswith("later."))

    return Few(asked.world, asked.app, asked.token, asked.rows, asked.arguments)


def test_the_folder_of_the_home_is_no_part_of_any_answer(asked: Asked, tmp_path: Path) -> None:
    home = str(asked.world.database.home)
    for _, path in asked.addresses():
        assert home not in asked.get(path.replace("{row}", str(asked.rows[0]))).text, path
