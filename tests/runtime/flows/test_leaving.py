"""Marked fields that leave in plain are told, and keep nobody from publishing."""

from collections.abc import Iterator

import make
import pytest

from careloom.platform.definitions.check import check
from careloom.platform.definitions.drafts import save_draft
from careloom.platform.definitions.kinds import register
from careloom.platform.definitions.leaving import warnings
from careloom.platform.definitions.publish import judge_draft, publish
from careloom.platform.identity.roles import save_role
from careloom.platform.store.database import Database, open_database
from careloom.platform.web.words import say
from careloom.runtime.flows.check import FLOW
from careloom.runtime.printouts.check import PRINTOUT

PATIENT = make.form(
    "patient",
    {
        "name": make.field(title="Name", x_sensitive="personal"),
        "card": make.field(title="Card", x_encrypted=True),
        "born": make.field("date", title="Born"),
        "short": make.field(title="Short", x_value="LEFT(name, 1)"),
    },
    x_label="name",
)
VISIT = make.form(
    "visit",
    {
        "patient": make.link("patient"),
        "note": make.field(title="Note", x_sensitive="medical"),
        "at": make.field("date", title="At"),
        "items": make.rows(
            {
                "what": make.field(title="What", x_sensitive="medical"),
                "qty": make.field("number", title="Qty", x_scale=0),
            },
            title="Items",
        ),
    },
)  # fmt: skip
END = {"key": "end", "kind": "end"}


def call(**body: object) -> make.Json:
    return {"key": "tell", "kind": "call", "title": "Tell", "connection": "his", "body": body}


def message(**values: str) -> make.Json:
    text = " ".join(f"{{{name}}}" for name in values)
    customer = {"customer": "patient", "values": values}
    return {"key": "tell", "kind": "notify", "text": text, **customer}


def flow(*steps: make.Json) -> make.Json:
    words = {"format": 1, "key": "told", "title": "Told", "subject": "visit"}
    return {**words, "steps": [*steps, END]}


def sheet(*blocks: make.Json) -> make.Json:
    keyed = [{"key": f"b{number}", **block} for number, block in enumerate(blocks)]
    return {"format": 1, "key": "sheet", "title": "Sheet", "form": "visit", "blocks": keyed}


@pytest.fixture(scope="module")
def database(
    shared_sqlite_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    register(FLOW)
    register(PRINTOUT)
    opened = open_database(shared_sqlite_url, tmp_path_factory.mktemp("home"))
    make.organisation(opened)
    for form in (PATIENT, VISIT):
        make.publish(opened, "form", form)
    yield opened
    opened.close()


NAME, CARD = "“Name” of “patient” (personal)", "“Card” of “patient” (encrypted)"
NOTE, WHAT = "“Note” of “visit” (medical)", "“What” of “Items” (medical)"


@pytest.mark.parametrize(
    ("document", "places"),
    [
        (flow(call(on="at", born="patient.born")), {}),
        (
            flow(call(who={"name": "patient.name", "card": "patient.card"})),
            {"/steps/0/body": {NAME, CARD}},
        ),
        (flow(call(short="patient.short")), {"/steps/0/body": {NAME}}),
        (flow(call(rows={"each": "items", "values": {"n": "qty"}})), {}),
        (flow(call(rows={"each": "items", "values": {"n": "what"}})), {"/steps/0/body": {WHAT}}),
        (flow(call(n="COUNTIF(items, what = \"x\")")), {"/steps/0/body": {WHAT}}),
        (flow(message(day="at")), {}),
        (flow(message(day="at", note="note")), {"/steps/0/values": {NOTE}}),
        # what decides, and what a record's field is made of, goes nowhere
        (
            flow({"key": "which", "kind": "branch", "cases": [
                {"key": "one", "when": "ISBLANK(note)", "steps": []},
                {"key": "else", "steps": []}]}),
            {},
        ),
        (
            flow({"key": "set", "kind": "action", "do": [
                {"key": "put", "action": "set", "values": {"note": "patient.name"}}]}),
            {},
        ),
        (sheet({"kind": "text", "text": "{{ at }}", "when": "ISBLANK(note)"}), {}),
        (sheet({"kind": "text", "text": "x {{ note }}"}), {"/blocks/0": {NOTE}}),
        (
            sheet({"kind": "fields", "fields": [
                {"key": "a", "show": "patient.card"}, {"key": "b", "show": "patient.name"}]}),
            {"/blocks/0": {NAME, CARD}},
        ),
        (sheet({"kind": "rows", "of": "items", "columns": ["qty"]}), {}),
        (sheet({"kind": "rows", "of": "items", "columns": ["qty", "what"]}), {"/blocks/0": {WHAT}}),
    ],
)  # fmt: skip
def test_each_part_that_takes_a_marked_field_out_is_told(
    database: Database, document: make.Json, places: dict[str, set[str]]
) -> None:
    kind = "flow" if "steps" in document else "printout"
    with database.read() as session:
        assert check(session, kind, document) == []
        found = warnings(session, kind, document)
    assert {warning.path: set(_said(warning.params["fields"])) for warning in found} == places
    for warning in found:
        assert all(
            field in say("en", f"problem.{warning.code}", **warning.params)
            for field in places[warning.path]
        )


def _said(fields: object) -> list[str]:
    assert isinstance(fields, tuple)
    return [say("en", each.key, **each.params) for each in fields]


def test_a_warning_is_told_before_and_after_and_keeps_nobody(database: Database) -> None:
    rights = ["definitions.write", "definitions.publish", "connections.write"]
    everything = [make.rule("all", "read")]
    role = make.role("head", {"visit": everything, "patient": everything}, rights)
    database.write(lambda session: save_role(session, role, 1))
    head = make.person(database, "head", "G", "head")
    document = flow(call(note="note"))
    database.write(lambda session: save_draft(session, head, "flow", "told", document))
    with database.read() as session:
        verdict = judge_draft(session, head, "flow", "told")
    assert verdict.problems == [] and [each.code for each in verdict.warnings] == ["E_PLAIN_CALL"]
    version = database.write(lambda session: publish(session, head, "flow", "told"))
    assert (version.version, version.warnings) == (1, verdict.warnings)
