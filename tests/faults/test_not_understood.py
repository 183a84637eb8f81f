"""A definition in force that this version cannot read, after a downgrade or by damage: whoever asks
for what rests on it is told so, everything else goes on, and a right version of it mends it."""

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kills.longer import seed
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from careloom.platform.definitions.model import VersionRow
from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity import grants
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.backup import back_up
from careloom.platform.records.bring_back import bring_back
from careloom.platform.records.check import violations
from careloom.platform.records.lists import get, list_records
from careloom.platform.records.standing import require_standing
from careloom.platform.records.submit import submit
from careloom.platform.store.bodies import Folder
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database, open_database
from careloom.platform.store.errors import NotUnderstood
from careloom.platform.store.session import bump_epoch
from careloom.platform.web.settings import settings_from
from careloom.runtime.flows.model import Incident, Instance
from careloom.runtime.work.worker import work_once

from ..proof.asked_routes import Asked, served
from ..runtime.clinic import LEAD, Clinic, flow_of, listed, rows, sound, turn
from ..runtime.clinic import text as text_field
from ..shared import shared_sqlite_url  # noqa: F401
from .asked import some

FOREIGN = "hologram"
Document = dict[str, Any]


def in_force(database: Database, kind: str, key: str) -> Document:
    with database.read() as session:
        query = select(VersionRow.document).where(VersionRow.kind == kind, VersionRow.key == key)
        return deepcopy(session.scalars(query.order_by(VersionRow.version.desc())).first() or {})


def put(database: Database, kind: str, key: str, words: str) -> None:
    """Write so into the row of the newest version, past everything that would refuse it."""

    def deed(session: Session) -> None:
        newest = "SELECT max(version) FROM definition_version WHERE kind = :kind AND key = :key"
        its = "UPDATE definition_version SET document = "
        its += "CAST(:words AS jsonb)" if database.dialect == "postgresql" else ":words"
        its += f" WHERE kind = :kind AND key = :key AND version = ({newest})"
        session.execute(text(its), {"words": words, "kind": kind, "key": key})
        bump_epoch(session)

    database.write(deed)


def of_another_type(document: Document) -> str:
    next(iter(document["properties"].values()))["x-widget"] = FOREIGN
    return json.dumps(document)


def of_another_step(document: Document) -> str:
    document["steps"][1]["kind"] = FOREIGN
    return json.dumps(document)


def of_another_measure(document: Document) -> str:
    document["measures"][0]["kind"] = FOREIGN
    return json.dumps(document)


def cut_off(document: Document) -> str:
    return json.dumps(document)[:-9]


def no_object(document: Document) -> str:
    return "[1]"


@dataclass(frozen=True)
class Case:
    """One definition of the planted world, what becomes of it, and which addresses rest on it
    besides those that name it."""

    kind: str
    key: str
    spoilt: Callable[[Document], str]
    resting: tuple[str, ...] = ()


TASKS = ("/tasks/", "/api/tasks/", "/instances/", "/api/instances/", "/api/flows/look/instances")
REPORTS = ("/reports/by_", "/api/reports/by_")
SAMPLE = ("/rehearse/look",)
CASES = (
    Case("form", "pointer", of_another_type),
    Case("form", "secret", of_another_type, (*TASKS, *REPORTS, *SAMPLE)),
    Case("form", "secret", cut_off, (*TASKS, *REPORTS, *SAMPLE)),
    Case("form", "pointer", no_object),
    Case("flow", "look", of_another_step, TASKS),
    Case("flow", "look", cut_off, TASKS),
    Case("report", "by_name", of_another_measure),
    Case("report", "by_name", cut_off),
    Case("dashboard", "board", cut_off),
)


@pytest.fixture(scope="module")
def asked(
    shared_sqlite_url: str,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Asked]:
    home = tmp_path_factory.mktemp("home")
    database = open_database(shared_sqlite_url, home)
    world = served(database, settings_from({"CARELOOM_HOME": str(home)}))
    me, at = world.world.me, world.world.at["B1"]
    database.write(lambda session: grants.give(session, SYSTEM, me, "all_read", at))
    yield world
    database.close()


def test_only_what_rests_on_it_stands_still(
    asked: Asked, record_property: Callable[[str, object], None]
) -> None:
    database, chance = asked.world.database, seed()
    drawn = some(len(CASES), chance)
    for case in (CASES[number - 1] for number in drawn):
        before = in_force(database, case.kind, case.key)
        put(database, case.kind, case.key, case.spoilt(deepcopy(before)))
        answers = [*answers_of(asked)]
        still = [path for path, answer in answers if answer.status_code >= 500]
        astray = [path for path in still if not rests(case, path)]
        assert astray == [], f"{case}, seed {chance}"
        told = {answer.status_code for _, answer in answers if answer.status_code >= 500}
        assert told and told <= {501, 503}, case
        with database.read() as session:
            begins = f"{case.kind} {case.key}: version 1 cannot be read"
            assert any(each.startswith(begins) for each in violations(session)), case
        assert f"{case.kind} {case.key}" in asked.get("/packs").text
        require_standing(database)
        put(database, case.kind, case.key, json.dumps(before))
    assert [path for path, answer in answers_of(asked) if answer.status_code >= 500] == []
    record_property("crash points", len(drawn))


def answers_of(asked: Asked) -> Iterator[tuple[str, Any]]:
    for _, path in asked.addresses():
        path = path.replace("{row}", str(asked.rows[0]))
        yield path, asked.get(path)


def rests(case: Case, path: str) -> bool:
    """Whether an address names what is spoilt, or is of what rests on it."""
    return path.startswith(case.resting) or case.key in re.split("[/?=&]", path)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_it_is_said_what_is_wrong_where_and_how_it_is_mended(asked: Asked, language: str) -> None:
    database, before = asked.world.database, in_force(asked.world.database, "form", "pointer")
    put(database, "form", "pointer", of_another_type(deepcopy(before)))
    headers = {**asked.token, "Accept-Language": language}
    answer = asked.app.test_client().get("/api/records/pointer", headers=headers)
    page = asked.app.test_client().get("/records/pointer", headers=headers)
    put(database, "form", "pointer", json.dumps(before))
    assert page.status_code == 501 and "/properties/name/x-widget" in page.text
    assert answer.status_code == 501 and answer.json["code"] == "E_NOT_UNDERSTOOD"
    assert "pointer" in answer.json["detail"]
    assert ("管理员" if language == "zh-CN" else "administrator") in answer.json["detail"]
    (problem,) = answer.json["problems"]
    assert (problem["path"], problem["code"]) == ("/properties/name/x-widget", "E_ONE_OF")


def later(**more: Any) -> Document:
    """The lead's form with two fields more."""
    fields = {**LEAD["properties"], "nickname": text_field("Nickname"), **more}
    section = {"key": "all", "fields": list(fields)}
    return {**LEAD, "properties": fields, "x-layout": [section]}


@pytest.mark.parametrize("how", ["type", "damaged"])
def test_a_right_version_mends_it(
    clinic: Clinic, clock: TurnedClock, how: str, tmp_path: Path
) -> None:
    """The fields that only the unread version brought are there with what was filled in."""
    database = clinic.database
    first = clinic.started("李雷")
    clinic.publish("form", later(hologram=text_field("Hologram")))
    waiting = clinic.lead("韩梅梅", nickname="小韩", hologram="?")
    document = in_force(database, "form", "lead")
    document["properties"]["hologram"]["x-widget"] = FOREIGN
    put(database, "form", "lead", json.dumps(document) if how == "type" else "[1]")

    with pytest.raises(NotUnderstood):
        clinic.lead("谁")
    for _ in range(3):
        turn(clinic, clock, timedelta(seconds=1))
    assert len(rows(clinic, Instance)) == 1, "what follows waits"
    with database.read() as session:
        assert list_records(session, SYSTEM, "customer", count=True).total == 1
    database.write(lambda session: submit(session, SYSTEM, "customer", {"name": "王芳"}))
    assert [row.subject_id for row in listed(clinic, "sue")] in ([], [first]), "the list is there"

    clinic.publish("form", later())
    turn(clinic, clock, timedelta(minutes=6))
    with database.read() as session:
        assert get(session, SYSTEM, "lead", waiting).values["nickname"] == "小韩"
    assert len(rows(clinic, Instance)) == 2, "it has followed by itself"
    clinic.started("又来一位")
    work_once(database)
    assert sound(clinic)
    kept_in_a_backup(clinic, waiting, tmp_path)


def kept_in_a_backup(clinic: Clinic, lead: int, folder: Path) -> None:
    """What was filled in is taken along, although nobody here knows what it is."""
    file, place = folder / "all.backup", folder / "again"
    back_up(clinic.database, Folder(clinic.database.home / "files"), file)
    again = open_database(f"sqlite:///{place / 'careloom.db'}", place)
    bring_back(again, Folder(place / "files"), file)
    with again.read() as session:
        query = text("SELECT hologram FROM form_lead WHERE _id = :lead")
        assert session.scalar(query, {"lead": lead}) == "?"
    again.close()


def test_an_instance_in_it_opens_an_incident(sqlite_clinic: Clinic, clock: TurnedClock) -> None:
    clinic = sqlite_clinic
    steps = ({"key": "pause", "kind": "wait", "for": "2h"}, {"key": "end", "kind": "end"})
    clinic.publish("flow", flow_of(*steps))
    clinic.started()
    whole = in_force(clinic.database, "flow", "follow_up")
    put(clinic.database, "flow", "follow_up", cut_off(deepcopy(whole)))
    for _ in range(8):
        turn(clinic, clock, timedelta(hours=2))
    (incident,) = rows(clinic, Incident)
    assert incident.params["error"] == "NotUnderstood"

    clinic.database.write(
        lambda session: publish_document(session, SYSTEM, "flow", {**whole, "title": "Right"})
    )
    clinic.started("又来一位")
    assert len(rows(clinic, Instance)) == 2, "those that come go by the right version"


def test_a_formula_of_a_later_release_keeps_records_from_being_written_and_nothing_else(
    sqlite_clinic: Clinic,
) -> None:
    clinic, database = sqlite_clinic, sqlite_clinic.database
    lead = clinic.started()
    document = in_force(database, "form", "lead")
    document["properties"]["name"]["x-value"] = "HOLOGRAM(1)"
    put(database, "form", "lead", json.dumps(document))
    with pytest.raises(NotUnderstood) as refusal:
        clinic.lead()
    assert [problem.code for problem in refusal.value.problems] == ["E_UNKNOWN_FUNCTION"]
    with database.read() as session:
        assert get(session, SYSTEM, "lead", lead).label == "李雷"
        assert [each for each in violations(session) if "cannot be read" in each]
