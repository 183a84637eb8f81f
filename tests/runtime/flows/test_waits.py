"""Waits for records, events and moments that move; races; rounds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.submit import submit
from careloom.platform.store.clock import TurnedClock
from careloom.runtime.flows.model import Instance, StepTaken, Token, Wait
from careloom.runtime.flows.raised import raise_event
from careloom.runtime.tasks.model import Task
from careloom.runtime.timers.model import Timer, Watch
from careloom.runtime.work.dispatch import drain

from ..clinic import Clinic, changed, done, flow_of, lead_values, listed, rows, sound, turn

Document = dict[str, Any]
END: Document = {"key": "end", "kind": "end", "result": "through"}
NOON = datetime(2026, 3, 3, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai; the clinic's clock stands at 10
CAME: Document = {"form": "call", "link": "lead", "to": "this"}
HOUR = timedelta(hours=1)


def task(key: str, **more: Any) -> Document:
    return {"key": key, "kind": "task", "title": key, "who": {"role": "agent"}, **more}


def race(*arms: Document) -> Document:
    return {"key": "first", "kind": "race", "arms": list(arms)}


def set_status(key: str, status: str) -> Document:
    do = [{"key": f"{key}_it", "action": "set", "values": {"status": f'"{status}"'}}]
    return {"key": key, "kind": "action", "do": do}


def call_about(clinic: Clinic, lead: int) -> int:
    values = {"lead": str(lead), "result": "answered"}
    made = clinic.database.write(lambda session: submit(session, SYSTEM, "call", values))
    drain(clinic.database)
    return made.id


def running(clinic: Clinic, *steps: Document, **values: Any) -> int:
    clinic.publish("flow", flow_of(*steps))
    return clinic.started(**values)


def taken(clinic: Clinic) -> list[str]:
    return [step.step_key for step in rows(clinic, StepTaken)]


def instance(clinic: Clinic) -> Any:
    return rows(clinic, Instance)[0]


def raised(clinic: Clinic, lead: int, event: str = "lead.reactivated") -> None:
    clinic.database.write(lambda session: raise_event(session, SYSTEM, "lead", lead, event))
    drain(clinic.database)


WAIT_FOR_CALL: Document = {"key": "called", "kind": "wait", "submitted": CAME}


def test_a_wait_for_a_record_ends_when_one_comes_that_leads_here(clinic: Clinic) -> None:
    note = {
        "key": "noted",
        "kind": "action",
        "do": [{"key": "n", "action": "set", "values": {"name": "called.result"}}],
    }
    mine = running(clinic, WAIT_FOR_CALL, note, END)
    other = clinic.started("韩梅梅")
    call_about(clinic, other)
    assert [one.state for one in rows(clinic, Instance)] == ["running", "ended"]
    assert sound(clinic)
    call_about(clinic, mine)
    assert instance(clinic).state == "ended"
    assert instance(clinic).result == "through"
    assert lead_values(clinic, mine)["name"] == "answered"
    assert rows(clinic, Wait) == rows(clinic, Timer) == []
    assert sound(clinic)


def test_a_record_that_came_just_before_the_wait_is_not_missed(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    lead = running(clinic, task("look"), WAIT_FOR_CALL, END)
    call_about(clinic, lead)
    done(clinic, "ann", listed(clinic, "ann")[0].id)
    assert instance(clinic).state == "ended"
    assert sound(clinic)


def test_a_record_met_once_is_not_met_again_in_the_next_round(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    rounds = {"key": "rounds", "kind": "repeat", "times": 2, "steps": [WAIT_FOR_CALL]}
    lead = running(clinic, rounds, END)
    call_about(clinic, lead)
    assert instance(clinic).state == "running"
    call_about(clinic, lead)
    assert instance(clinic).state == "ended"
    assert sound(clinic)


def test_an_event_wakes_those_who_wait_for_it_about_this_record(clinic: Clinic) -> None:
    wait = {"key": "back", "kind": "wait", "event": "lead.reactivated"}
    mine = running(clinic, wait, END)
    other = clinic.started("韩梅梅")
    raised(clinic, other)
    raised(clinic, mine, "lead.forgotten")
    assert [one.state for one in rows(clinic, Instance)] == ["running", "ended"]
    raised(clinic, mine)
    assert instance(clinic).state == "ended"
    assert sound(clinic)


def test_an_action_raises_an_event_another_flow_waits_for(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    wait = {"key": "back", "kind": "wait", "event": "lead.reactivated"}
    lead = running(clinic, wait, END)
    tell = {
        "key": "tell",
        "kind": "action",
        "do": [{"key": "told", "action": "raise", "event": "lead.reactivated"}],
    }
    other = {**flow_of(tell, END), "key": "other_flow"}
    del other["start"]
    clinic.publish("flow", other)
    from careloom.runtime.flows.start import start

    clinic.database.write(lambda s: start(s, SYSTEM, "other_flow", record_id=lead))
    drain(clinic.database)
    assert [one.state for one in rows(clinic, Instance)] == ["ended", "ended"]
    assert sound(clinic)


RACE = race(
    {"key": "came", "submitted": CAME, "steps": [set_status("won", "won")]},
    {"key": "back", "event": "lead.reactivated", "steps": []},
    {"key": "late", "when": {"for": "2h"}, "steps": [set_status("shut", "closed")]},
    {"key": "ask", "task": {"title": "Ask", "who": {"role": "agent"}, "due": "1h"}, "steps": []},
)


def nothing_left(clinic: Clinic) -> None:
    assert rows(clinic, Wait) == rows(clinic, Timer) == rows(clinic, Watch) == []
    assert listed(clinic, "ann") == []
    assert instance(clinic).state == "ended"
    assert sound(clinic)


def test_the_first_arm_of_a_race_wins_and_the_others_are_dropped(
    clinic: Clinic, clock: TurnedClock
) -> None:
    lead = running(clinic, RACE, END)
    assert sound(clinic)
    (beside,) = listed(clinic, "ann")
    call_about(clinic, lead)
    nothing_left(clinic)
    assert lead_values(clinic, lead)["status"] == "won"
    assert rows(clinic, Task)[0].state == "cancelled"
    assert beside.step_key == "ask"
    assert instance(clinic).names["came"]["form"] == "call"
    assert rows(clinic, StepTaken)[0].case_key == "came"


@pytest.mark.parametrize("arm", ["back", "late", "ask"])
def test_any_arm_may_win(sqlite_clinic: Clinic, clock: TurnedClock, arm: str) -> None:
    clinic = sqlite_clinic
    lead = running(clinic, RACE, END)
    if arm == "back":
        raised(clinic, lead)
    elif arm == "late":
        turn(clinic, clock, 2 * HOUR)
        assert lead_values(clinic, lead)["status"] == "closed"
    else:
        done(clinic, "ann", listed(clinic, "ann")[0].id)
        assert taken(clinic) == ["first", "ask", "end"]
    nothing_left(clinic)
    assert rows(clinic, StepTaken)[0].case_key == arm
    assert instance(clinic).names["first"]["outcome"] == arm


def test_an_arm_that_is_over_already_wins_without_waiting(sqlite_clinic: Clinic) -> None:
    arms = (
        {"key": "came", "submitted": CAME, "steps": []},
        {"key": "past", "when": {"until": "visit_at"}, "steps": []},
    )
    running(sqlite_clinic, race(*arms), END, visit_at="2026-03-03T09:00")
    nothing_left(sqlite_clinic)


def test_an_arm_at_a_moment_of_a_record_leaves_nothing_behind(
    sqlite_clinic: Clinic, clock: TurnedClock
) -> None:
    arms = (
        {"key": "came", "submitted": CAME, "steps": []},
        {"key": "visit", "when": {"until": "visit_at", "offset": "30m"}, "steps": []},
    )
    running(sqlite_clinic, race(*arms), END, visit_at="2026-03-03T11:30")
    turn(sqlite_clinic, clock, 2 * HOUR)
    nothing_left(sqlite_clinic)


def test_a_cancelled_race_leaves_nothing(sqlite_clinic: Clinic) -> None:
    from careloom.runtime.flows import control

    clinic = sqlite_clinic
    running(clinic, RACE, END)
    actor = clinic.actor("max")
    clinic.database.write(lambda session: control.cancel(session, actor, instance(clinic).id))
    assert rows(clinic, Wait) == rows(clinic, Timer) == []
    assert rows(clinic, Token)[0].state == "cancelled"
    assert sound(clinic)


BEFORE_VISIT: Document = {"key": "soon", "kind": "wait", "until": "visit_at", "offset": "-1h"}


def test_a_wait_moves_with_the_field_it_hangs_on(clinic: Clinic, clock: TurnedClock) -> None:
    lead = running(clinic, BEFORE_VISIT, END, visit_at="2026-03-03T13:00")
    assert rows(clinic, Wait)[0].until == NOON
    changed(clinic, lead, visit_at="2026-03-03T15:00")
    assert rows(clinic, Wait)[0].until == NOON + 2 * HOUR
    assert sound(clinic)
    turn(clinic, clock, 3 * HOUR)  # 13:00
    assert instance(clinic).state == "running"
    changed(clinic, lead, visit_at="2026-03-03T13:30")
    nothing_left(clinic)


def test_a_moment_that_is_blanked_holds_nothing_up(sqlite_clinic: Clinic) -> None:
    lead = running(sqlite_clinic, BEFORE_VISIT, END, visit_at="2026-03-03T13:00")
    changed(sqlite_clinic, lead, visit_at=None)
    nothing_left(sqlite_clinic)


def test_due_time_and_limits_move_with_the_field(clinic: Clinic, clock: TurnedClock) -> None:
    at = {"until": "visit_at"}
    limits = [
        {"key": "soon", "at": {**at, "offset": "-1h"}, "do": "remind"},
        {"key": "late", "at": at, "do": "escalate", "to": {"role": "supervisor"}},
    ]
    lead = running(clinic, task("visit", due=at, limits=limits), END, visit_at="2026-03-03T13:00")
    assert listed(clinic, "ann")[0].due_at == NOON + HOUR
    turn(clinic, clock, 2 * HOUR)
    assert listed(clinic, "ann")[0].reminded_at == NOON
    changed(clinic, lead, visit_at="2026-03-03T16:00")
    assert listed(clinic, "ann")[0].due_at == NOON + 4 * HOUR
    turn(clinic, clock, 2 * HOUR)
    assert listed(clinic, "sue") == [], "the limit that had not run out has moved"
    turn(clinic, clock, 2 * HOUR)
    assert [one.how for one in listed(clinic, "sue")] == ["escalated"]
    assert listed(clinic, "ann")[0].reminded_at == NOON, "the one that had run out has not"
    done(clinic, "ann", listed(clinic, "ann")[0].id)
    nothing_left(clinic)


def test_a_change_of_another_field_or_record_moves_nothing(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    lead = running(clinic, BEFORE_VISIT, END, visit_at="2026-03-03T13:00")
    changed(clinic, lead, name="韩梅梅")
    changed(clinic, clinic.lead("另一个", visit_at="2026-03-03T13:00"), name="又一个")
    assert rows(clinic, Wait)[0].until == NOON
    assert sound(clinic)


@pytest.mark.parametrize(
    ("when", "until"),
    [
        ({"for": "30m"}, datetime(2026, 3, 3, 2, 30, tzinfo=UTC)),
        ({"at": "17:00"}, datetime(2026, 3, 3, 9, 0, tzinfo=UTC)),
        ({"at": "09:00"}, datetime(2026, 3, 4, 1, 0, tzinfo=UTC)),
        ({"at": "09:00", "day": 2}, datetime(2026, 3, 5, 1, 0, tzinfo=UTC)),
        ({"at": "08:00", "day": 1, "after": "visit_at"}, datetime(2026, 3, 11, tzinfo=UTC)),
        (
            {"until": "visit_at", "offset": "10h", "calendar": "contact_centre"},
            datetime(2026, 3, 11, 1, 0, tzinfo=UTC),
        ),
        ({"for": "12h", "calendar": "contact_centre"}, datetime(2026, 3, 4, 2, 0, tzinfo=UTC)),
    ],
)
def test_when_a_wait_is_over(sqlite_clinic: Clinic, when: Document, until: datetime) -> None:
    wait = {"key": "pause", "kind": "wait", **when}
    running(sqlite_clinic, wait, END, visit_at="2026-03-10T13:00")
    assert rows(sqlite_clinic, Wait)[0].until == until
    assert sound(sqlite_clinic)


def rounds_of(**more: Any) -> Document:
    return {
        "key": "rounds",
        "kind": "repeat",
        "steps": [task("ring", form="call", prefill={"lead": "this"})],
        **more,
    }


def test_rounds_go_on_until_the_condition_holds(clinic: Clinic, clock: TurnedClock) -> None:
    waits = [
        {"key": "soon", "for": "2h"},
        {"key": "next_day", "until": "ring.done_at", "offset": "20h"},
        {"key": "morning", "at": "10:00"},
    ]
    running(clinic, rounds_of(until='ring.result = "answered"', between=waits), END)
    done(clinic, "ann", listed(clinic, "ann")[0].id, result="no_answer")
    assert listed(clinic, "ann") == []
    assert sound(clinic)
    turn(clinic, clock, 2 * HOUR)
    done(clinic, "ann", listed(clinic, "ann")[0].id, result="no_answer")
    turn(clinic, clock, 19 * HOUR)
    assert listed(clinic, "ann") == []
    turn(clinic, clock, HOUR)
    assert instance(clinic).names["rounds"] == {"round": 3}
    done(clinic, "ann", listed(clinic, "ann")[0].id, result="answered")
    nothing_left(clinic)
    assert taken(clinic)[:3] == ["rounds", "ring", "rounds/again"]
    assert rows(clinic, StepTaken)[-2].case_key == "until"


def test_rounds_end_when_all_are_done(sqlite_clinic: Clinic, clock: TurnedClock) -> None:
    clinic = sqlite_clinic
    running(clinic, rounds_of(before=[{"key": "hour", "for": "1h"}], times=3), END)
    for _ in range(3):
        assert listed(clinic, "ann") == []
        turn(clinic, clock, HOUR)
        done(clinic, "ann", listed(clinic, "ann")[0].id, result="no_answer")
    nothing_left(clinic)
    assert rows(clinic, StepTaken)[-2].case_key == "spent"


def test_a_go_to_leaves_the_rounds_and_they_begin_anew(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    out = {"key": "out", "kind": "go_to", "to": "start", "visits": 1}
    steps = [set_status("start", "new"), {"key": "rounds", "kind": "repeat", "times": 2,
             "steps": [task("ring"), out]}, END]  # fmt: skip
    running(clinic, *steps)
    for _ in range(3):
        done(clinic, "ann", listed(clinic, "ann")[0].id)
    nothing_left(clinic)


def test_a_task_is_taken_and_done_at_once_and_says_by_whom(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    owned = {"key": "own", "kind": "action", "do": [
        {"key": "o", "action": "set", "values": {
            "owner": "pool.done_by", "assigned_at": "pool.done_at",
        }}
    ]}  # fmt: skip
    lead = running(clinic, task("pool", take=True), owned, END)
    done(clinic, "bob", listed(clinic, "bob")[0].id)
    values = lead_values(clinic, lead)
    assert values["owner"] == clinic.people["bob"]
    assert values["assigned_at"] == datetime(2026, 3, 3, 2, 0, tzinfo=UTC)


def test_an_outcome_may_need_no_form_but_a_reason(sqlite_clinic: Clinic) -> None:
    from careloom.platform.store.errors import Invalid
    from careloom.runtime.flows.complete import complete

    clinic = sqlite_clinic
    outcomes = [
        {"key": "booked", "title": "Booked"},
        {"key": "refused", "title": "Refused", "form": False, "comment": "required"},
    ]
    running(clinic, task("invite", form="call", outcomes=outcomes, prefill={"lead": "this"}), END)
    actor, offered = clinic.actor("ann"), listed(clinic, "ann")[0].id
    with pytest.raises(Invalid) as silent:
        done(clinic, "ann", offered, "refused")
    assert [one.path for one in silent.value.problems] == ["/comment"]
    clinic.database.write(lambda s: complete(s, actor, offered, {}, "refused", "太贵"))
    (row,) = rows(clinic, Task)
    assert (row.record_id, row.comment) == (None, "太贵")
    nothing_left(clinic)


def test_a_task_that_edits_changes_the_record_made_before(sqlite_clinic: Clinic) -> None:
    from careloom.platform.records.shape import shape_of

    clinic = sqlite_clinic
    ring = task("ring", form="call", prefill={"lead": "this"}, edits="ring")
    rounds = {"key": "rounds", "kind": "repeat", "times": 2, "steps": [ring]}
    running(clinic, rounds, END)
    first = done(clinic, "ann", listed(clinic, "ann")[0].id, result="no_answer")
    again = done(clinic, "ann", listed(clinic, "ann")[0].id, result="answered")
    assert first == again
    with clinic.database.read() as session:
        table = shape_of(session, "call").table
        assert len(session.execute(select(table.c._id)).all()) == 1
    nothing_left(clinic)
