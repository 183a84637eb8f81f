"""Of fifty who want the same at the same moment exactly one gets it, and the others are told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from kills.longer import times
from sqlalchemy import text
from sqlalchemy.orm import Session

from careloom.platform.definitions.drafts import save_draft
from careloom.platform.definitions.publish import publish, publish_document
from careloom.platform.identity import access_tokens
from careloom.platform.identity.actor import SYSTEM, Actor, actor_of
from careloom.platform.identity.grants import give
from careloom.platform.identity.people import add_person
from careloom.platform.store.errors import Conflict, Invalid, NotFound, Stale
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from
from careloom.runtime.flows.complete import complete
from careloom.runtime.flows.sign import add_sign
from careloom.runtime.flows.take_back import take_back
from careloom.runtime.tasks.hold import claim
from careloom.runtime.tasks.model import Task
from careloom.runtime.work.worker import work_once

from ..runtime.clinic import LEAD, Clinic, flow_of, listed, rows, sound
from ..runtime.clinic import text as text_field
from .crowd import PEOPLE, Crowd, crowd

pytestmark = pytest.mark.timeout(3600)

TASK = {
    "key": "call",
    "kind": "task",
    "title": "Call",
    "form": "call",
    "prefill": {"lead": "this"},
    "who": {"role": "supervisor"},
}
APPROVE = {
    "key": "approve",
    "kind": "approve",
    "title": "Approve the call",
    "about": "call",
    "not_by": ["call"],
    "who": [{"key": "managers", "role": "manager"}],
    "rejected": [{"key": "no", "kind": "end", "result": "rejected"}],
}
END = {"key": "end", "kind": "end"}
Told = Callable[[str, object], None]


@dataclass
class Race:
    """The clinic with fifty supervisors more, who are managers as well."""

    clinic: Clinic
    people: list[Actor]
    crowd: Crowd

    def task(self, login: str = "sue") -> int:
        """The one task that is open to all of them."""
        (task,) = listed(self.clinic, login)
        return task.id

    def write(self, deed: Callable[[Session], Any]) -> Any:
        return self.clinic.database.write(deed)


@pytest.fixture
def race(clinic: Clinic) -> Any:
    def employ(session: Session) -> list[Actor]:
        ids = []
        for number in range(PEOPLE):
            name = f"p{number:02d}"
            ids.append(add_person(session, SYSTEM, name, name, clinic.units["one"]).id)
            give(session, SYSTEM, ids[-1], "supervisor", clinic.units["one"])
            give(session, SYSTEM, ids[-1], "manager", clinic.units["one"])
        session.flush()
        return [actor_of(session, number) for number in ids]

    people = clinic.database.write(employ)
    clinic.publish("flow", flow_of(TASK, APPROVE, END))
    with crowd() as threads:
        yield Race(clinic, people, threads)
    work_once(clinic.database)
    assert sound(clinic)


def one_won(results: list[Any], *refusals: type[Exception]) -> int:
    """Whose it is; all the others were refused in one of these ways."""
    winners = [number for number, result in enumerate(results) if not isinstance(result, Exception)]
    others = [result for result in results if isinstance(result, Exception)]
    assert len(winners) == 1, results
    assert all(isinstance(other, refusals) for other in others), others
    return winners[0]


def test_one_of_fifty_completes_and_one_of_fifty_approves(
    race: Race, record_property: Told
) -> None:
    clinic = race.clinic
    for number in range(times("RACES")):
        lead = clinic.started(f"客户{number}")
        task = race.task()
        values = {"lead": str(lead), "result": "answered"}
        results = race.crowd.all(
            lambda who, t=task, v=values: race.write(
                lambda session: complete(session, race.people[who], t, v)
            )
        )
        winner = one_won(results, Conflict)
        assert {error.code for error in results if isinstance(error, Conflict)} == {"E_TASK_DONE"}
        (row,) = [one for one in rows(clinic, Task) if one.id == task]
        assert row.closed_by == race.people[winner].person_id
        _approve(race, winner)
    assert _count(clinic, "form_call") == times("RACES")
    record_property("races", 2 * times("RACES"))


def _approve(race: Race, made_by: int) -> None:
    """All but its maker may judge it; half say yes, half say no."""
    with race.clinic.database.read() as session:
        task = session.scalars(
            text("SELECT id FROM task WHERE state = 'open' AND step_key = 'approve'")
        ).one()

    def judge(who: int) -> Any:
        yes = who % 2 == 0
        said = ("approved", None) if yes else ("rejected", "不行")
        return race.write(lambda s: complete(s, race.people[who], task, {}, *said))

    results = race.crowd.all(judge)
    winner = one_won(results, Conflict, NotFound)
    assert winner != made_by
    assert isinstance(results[made_by], NotFound | Conflict)
    (row,) = [one for one in rows(race.clinic, Task) if one.id == task]
    assert row.closed_by == race.people[winner].person_id
    assert row.outcome == ("approved" if winner % 2 == 0 else "rejected")


def test_one_of_fifty_holds_what_all_claim(race: Race, record_property: Told) -> None:
    for number in range(times("RACES")):
        race.clinic.started(f"客户{number}")
        with race.clinic.database.read() as session:
            unheld = "SELECT id FROM task WHERE state = 'open' AND holder_id IS NULL"
            task = session.scalars(text(unheld)).one()
        results = race.crowd.all(
            lambda who, t=task: race.write(lambda session: claim(session, race.people[who], t))
        )
        winner = one_won(results, Conflict)
        assert {error.code for error in results if isinstance(error, Conflict)} == {"E_TASK_HELD"}
        (row,) = [one for one in rows(race.clinic, Task) if one.id == task]
        assert row.holder_id == race.people[winner].person_id
    record_property("races", times("RACES"))


def test_what_is_taken_back_while_others_claim_the_next_is_one_persons(
    race: Race, record_property: Told
) -> None:
    """Either the call is its caller's again and nobody has the next, or somebody has it and the
    caller is refused."""
    clinic = race.clinic
    clinic.publish("flow", flow_of(TASK, {**TASK, "key": "word", "title": "A word"}, END))
    caller = race.people[0]
    for number in range(times("RACES")):
        lead = clinic.started(f"客户{number}")
        call = race.task()
        given = {"lead": str(lead), "result": "answered"}
        race.write(lambda s, t=call, v=given: complete(s, caller, t, v))
        word = race.task()
        results = race.crowd.all(
            lambda who, c=call, w=word: race.write(
                lambda s: claim(s, race.people[who], w) if who % 5 else take_back(s, caller, c)
            )
        )
        winner = one_won(results, Conflict, NotFound)
        (row,) = [one for one in rows(clinic, Task) if one.state == "open"]
        assert (row.step_key, row.holder_id) == (
            ("word", race.people[winner].person_id) if winner % 5 else ("call", caller.person_id)
        )
        _finish(race)
    record_property("races", times("RACES"))


def _finish(race: Race) -> None:
    """Whoever has what is open does it, to the end."""
    while left := [one for one in rows(race.clinic, Task) if one.state == "open"]:
        task = left[0]
        who = next((p for p in race.people if p.person_id == task.holder_id), race.people[0])
        race.write(lambda s, w=who, t=task: complete(s, w, t.id, {"result": "answered"}))


def test_of_fifty_who_have_the_same_person_sign_too_one_does(race: Race) -> None:
    clinic = race.clinic
    clinic.publish(
        "flow",
        flow_of({key: APPROVE[key] for key in APPROVE if key not in ("about", "not_by")}, END),
    )
    clinic.started()
    ((task,), signer) = [one.id for one in rows(clinic, Task)], clinic.people["ann"]
    results = race.crowd.all(
        lambda who: race.write(lambda s: add_sign(s, race.people[who], task, signer))
    )
    one_won(results, Invalid)
    assert len(rows(clinic, Task)) == 2


def test_one_of_fifty_drafts_is_kept_and_one_of_fifty_publishes_it(
    race: Race, record_property: Told
) -> None:
    database = race.clinic.database
    for number in range(times("RACES")):
        properties = LEAD["properties"] | {f"more_{number}": text_field("More")}
        document = LEAD | {
            "properties": properties,
            "x-layout": [{"key": "all", "fields": list(properties)}],
        }
        saved = race.crowd.all(
            lambda who, d=document: database.write(
                lambda s: save_draft(s, SYSTEM, "form", "lead", d | {"x-title": f"By {who}"})
            )
        )
        winner = one_won(saved, Stale)
        results = race.crowd.all(
            lambda _who: database.write(lambda s: publish(s, SYSTEM, "form", "lead"))
        )
        version = results[one_won(results, NotFound)]
        assert version.version == number + 2
        with database.read() as session:
            query = "SELECT title FROM definition WHERE kind = 'form' AND key = 'lead'"
            assert f"By {winner}" in str(session.execute(text(query)).scalar())
    record_property("races", 2 * times("RACES"))


def test_fifty_who_bring_the_same_new_form_in_bring_it_in_once(race: Race) -> None:
    document = LEAD | {"key": "brought"}
    database = race.clinic.database
    results = race.crowd.all(
        lambda _who: database.write(lambda s: publish_document(s, SYSTEM, "form", document))
    )
    assert [getattr(one, "version", one) for one in results] == [1] * PEOPLE


def test_fifty_requests_under_one_key_are_one_record(race: Race, record_property: Told) -> None:
    database, sue = race.clinic.database, race.clinic.people["sue"]
    token = database.write(lambda s: access_tokens.issue(s, SYSTEM, sue, "test")[1])
    app = create_app(database, settings_from({"CARELOOM_HOME": str(database.home)}))
    for number in range(times("RACES")):
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"race-{number}"}
        body = {"name": f"客户{number}", "mobile": "13800000000"}

        def submit(who: int, body: Any = body, headers: Any = headers) -> Any:
            other = {"name": "另一人"} if who == PEOPLE - 1 else {}
            answer = app.test_client().post("/api/records/lead", json=body | other, headers=headers)
            return answer.status_code, answer.json

        results = race.crowd.all(submit)
        made = [answer["id"] for status, answer in results if status == 201]
        assert len(set(made)) == 1, results
        refused = [answer["code"] for status, answer in results if status != 201]
        assert set(refused) <= {"E_IDEMPOTENCY_OTHER", "E_IDEMPOTENCY_BUSY"}, results
        assert _count(race.clinic, "form_lead") == number + 1
    record_property("races", times("RACES"))


def _count(clinic: Clinic, table: str) -> int:
    with clinic.database.read() as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0)
