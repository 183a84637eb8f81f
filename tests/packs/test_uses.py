"""Where fields are used: what `uses` says of the packs is what their own checks would miss."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from careloom.platform.definitions.kinds import KINDS, register
from careloom.platform.definitions.known import coming
from careloom.platform.definitions.published import entries, published
from careloom.platform.definitions.uses import removed_in_use, uses_of
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.packs.apply import apply_pack
from careloom.platform.packs.read import read_pack
from careloom.platform.store.database import Database
from careloom.runtime.flows.check import FLOW
from careloom.runtime.forms.view_kind import VIEW
from careloom.runtime.printouts.check import PRINTOUT
from careloom.runtime.reports.check import REPORT
from careloom.runtime.reports.dashboard import DASHBOARD

SHIPPED = Path(__file__).parents[2] / "blueprints"
FORMS = ("lead_intake", "appointment")
SUB_FORMS = (("treatment_plan", "items"), ("payment", "lines"))


@pytest.fixture
def clinic(sqlite: Database) -> Database:
    register(FLOW)
    register(REPORT)
    register(DASHBOARD)
    register(VIEW)
    register(PRINTOUT)
    for pack in ("clinic", "dental"):
        found = read_pack(SHIPPED / pack)
        sqlite.write(lambda session, found=found: apply_pack(session, SYSTEM, found))
    return sqlite


def without(document: Any, field: str) -> dict[str, Any]:
    """A form without a field; of `items.price`, without the column."""
    field, _, column = field.partition(".")
    if column:
        its = document["properties"][field]
        fields = {**document["properties"], field: {**its, "items": without(its["items"], column)}}
    else:
        fields = {key: its for key, its in document["properties"].items() if key != field}
    return {**document, "properties": fields}


def broken_by(session: Session, form: str, field: str) -> Iterator[tuple[str, str]]:
    """The other definitions that their own checks refuse once the field is gone."""
    shorter = without(published(session, "form", form).document, field)
    with coming({("form", form): shorter}):
        for entry in entries(session):
            document = dict(published(session, entry.kind, entry.key).document)
            if (entry.kind, entry.key) == ("form", form) or entry.kind == "list":
                continue
            if KINDS[entry.kind].check(session, document):
                yield entry.kind, entry.key


def test_a_field_is_in_use_where_a_check_would_miss_it_and_nowhere_else(clinic: Database) -> None:
    used = asked = 0
    with clinic.read() as session:
        for form in FORMS:
            document = published(session, "form", form).document
            named: dict[str | None, set[tuple[str, str]]] = {}
            for use in uses_of(session, "form", form):
                if (use.kind, use.key) != ("form", form):
                    named.setdefault(use.field, set()).add((use.kind, use.key))
            for field in document["properties"]:
                hoped = set(broken_by(session, form, field))
                assert named.get(field, set()) == hoped, f"{form}.{field}"
                problems = removed_in_use(session, without(document, field))
                assert {(p.params["kind"], p.params["key"]) for p in problems} == hoped
                assert all(p.path == f"/properties/{field}" for p in problems)
                asked, used = asked + 1, used + bool(hoped)
    print(f"{used} of {asked} fields of {len(FORMS)} forms are used by others")
    assert used > 20


def test_a_column_is_in_use_where_a_check_would_miss_it_and_nowhere_else(clinic: Database) -> None:
    used = 0
    with clinic.read() as session:
        for form, key in SUB_FORMS:
            document = published(session, "form", form).document
            for column in document["properties"][key]["items"]["properties"]:
                field = f"{key}.{column}"
                hoped = set(broken_by(session, form, field))
                named = {
                    (use.kind, use.key)
                    for use in uses_of(session, "form", form)
                    if use.field == field and (use.kind, use.key) != ("form", form)
                }
                problems = removed_in_use(session, without(document, field))
                assert {(p.params["kind"], p.params["key"]) for p in problems} == hoped == named
                place = f"/properties/{key}/items/properties/{column}"
                assert {p.path for p in problems} <= {place}
                used += bool(hoped)
    assert used >= 6


def test_every_use_leads_to_its_place(clinic: Database) -> None:
    count = 0
    with clinic.read() as session:
        for entry in entries(session):
            for use in uses_of(session, entry.kind, entry.key):
                place: Any = published(session, use.kind, use.key).document
                for part in use.path.split("/")[1:]:
                    place = place[int(part) if isinstance(place, list) else part]
                named = f"{use.path} {place if isinstance(place, str) else ''}"
                last = (use.field or "").rpartition(".")[2]
                assert last in named, use
                count += 1
    assert count > 300


def test_what_a_pack_mends_itself_is_no_problem(clinic: Database) -> None:
    with clinic.read() as session:
        lead = without(published(session, "form", "lead_intake").document, "channel")
        report = dict(published(session, "report", "leads_by_channel").document)
        named = {(p.params["kind"], p.params["key"]) for p in removed_in_use(session, lead)}
        assert ("report", "leads_by_channel") in named
        mended = {**report, "dimensions": []}
        with coming({("form", "lead_intake"): lead, ("report", "leads_by_channel"): mended}):
            left = {(p.params["kind"], p.params["key"]) for p in removed_in_use(session, lead)}
        assert left == named - {("report", "leads_by_channel")}


def test_every_object_in_a_list_of_a_definition_carries_a_key(clinic: Database) -> None:
    looked_at = 0
    for kind in KINDS.values():
        for at, item in objects_in_lists(kind.schema, kind.schema, kind.name):
            assert "key" in item.get("required", ()), at
            looked_at += 1
    assert looked_at >= 12


def objects_in_lists(root: Any, schema: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Every schema of an object that stands in a list."""
    if isinstance(schema, list):
        for number, inner in enumerate(schema):
            yield from objects_in_lists(root, inner, f"{at}/{number}")
    if not isinstance(schema, dict):
        return
    items = schema.get("items")
    if isinstance(items, dict) and "$ref" in items:
        items = root["$defs"][items["$ref"].removeprefix("#/$defs/")]
    if schema.get("type") == "array" and isinstance(items, dict) and items.get("type") == "object":
        yield f"{at}/items", items
    for name, inner in schema.items():
        yield from objects_in_lists(root, inner, f"{at}/{name}")
