"""Messages to people and customers; flows that start flows; lists; timers that fail."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.submit import change
from careloom.platform.store.clock import TurnedClock
from careloom.runtime.flows import control
from careloom.runtime.flows.model import Incident, Instance, Wait
from careloom.runtime.tasks.messages import inbox, mark_read, readers_of, unread
from careloom.runtime.tasks.model import Message
from careloom.runtime.timers.model import Timer, Watch
from careloom.runtime.work.dispatch import drain

from ..clinic import DEDUPE, Clinic, changed, choice, flow_of, form, lead_values, rows, sound, turn

Document = dict[str, Any]
END: Document = {"key": "end", "kind": "end"}
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
VISIT = datetime(2026, 3, 10, 5, 0, tzinfo=UTC)  # 13:00 in Shanghai
PREP: Document = {
    "key": "prep",
    "kind": "notify",
    "customer": "customer",
    "text": {"zh-CN": "{name}，{at} 见", "en": "{name}, see you at {at}"},
    "values": {"name": "customer.name", "at": "visit_at"},
    "at": [
        {"key": "t3", "until": "visit_at", "offset": "-3d"},
        {"key": "t1", "until": "visit_at", "offset": "-1d"},
        {"key": "hours", "until": "visit_at", "offset": "-2h"},
    ],
}
ARRIVE: Document = {"key": "arrive", "kind": "wait", "until": "visit_at"}


def started(clinic: Clinic, *steps: Document, **values: Any) -> int:
    clinic.publish("flow", flow_of(*steps))
    return clinic.started(**{"visit_at": "2026-03-10T13:00", **values})


def states(clinic: Clinic) -> list[tuple[str, datetime | None]]:
    return [(one.state, one.due_at) for one in rows(clinic, Message)]


def test_reminders_before_a_visit_move_with_it(clinic: Clinic, clock: TurnedClock) -> None:
    lead = started(clinic, DEDUPE, PREP, ARRIVE, END)
    due = [VISIT - 3 * DAY, VISIT - DAY, VISIT - 2 * HOUR]
    assert states(clinic) == [("scheduled", at) for at in due]
    clock.set(VISIT - 2 * DAY)
    drain(clinic.database)
    assert [state for state, _ in states(clinic)] == ["sent", "scheduled", "scheduled"]
    first = rows(clinic, Message)[0]
    assert first.text["zh-CN"] == "李雷，2026-03-10 13:00 见"
    assert first.customer_form == "customer"
    changed(clinic, lead, visit_at="2026-03-12T13:00")
    assert states(clinic)[1:] == [("scheduled", at + 2 * DAY) for at in due[1:]]
    assert sound(clinic)
    clock.set(VISIT + 2 * DAY - HOUR)
    drain(clinic.database)
    assert [state for state, _ in states(clinic)] == ["sent", "sent", "sent"]
    assert rows(clinic, Message)[2].text["en"] == "李雷, see you at 2026-03-12 13:00"
    assert sound(clinic)


def test_a_moment_that_is_over_sends_nothing_until_it_moves_ahead(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    lead = started(clinic, DEDUPE, PREP, ARRIVE, END, visit_at="2026-03-04T13:00")
    assert [state for state, _ in states(clinic)] == ["passed", "scheduled", "scheduled"]
    changed(clinic, lead, visit_at="2026-03-10T13:00")
    assert [state for state, _ in states(clinic)] == ["scheduled"] * 3
    assert sound(clinic)
    changed(clinic, lead, visit_at=None)
    assert instance(clinic).state == "ended", "the wait is over with its field blank"
    assert states(clinic) == [("scheduled", None)] * 3
    assert sound(clinic)


def instance(clinic: Clinic) -> Any:
    return rows(clinic, Instance)[0]


def test_unsend_drops_what_is_not_sent_yet(sqlite_clinic: Clinic, clock: TurnedClock) -> None:
    drop = {"key": "drop", "kind": "action", "do": [
        {"key": "dropped", "action": "unsend", "step": "prep"}
    ]}  # fmt: skip
    pause = {"key": "pause", "kind": "wait", "for": "5d"}
    started(sqlite_clinic, DEDUPE, PREP, pause, drop, END)
    turn(sqlite_clinic, clock, 5 * DAY)
    assert [state for state, _ in states(sqlite_clinic)] == ["sent", "dropped", "dropped"]
    assert rows(sqlite_clinic, Timer) == []
    assert sound(sqlite_clinic)


def test_messages_outlive_the_end_of_their_flow_and_not_its_cancelling(
    sqlite_clinic: Clinic, clock: TurnedClock
) -> None:
    clinic = sqlite_clinic
    started(clinic, DEDUPE, PREP, END)
    assert instance(clinic).state == "ended"
    turn(clinic, clock, 5 * DAY)
    assert [state for state, _ in states(clinic)] == ["sent", "scheduled", "scheduled"]
    assert sound(clinic)
    clinic.publish("flow", flow_of(DEDUPE, PREP, ARRIVE, END))
    clinic.started("韩梅梅", visit_at="2026-03-20T13:00")
    second = rows(clinic, Instance)[1]
    actor = clinic.actor("max")
    clinic.database.write(lambda session: control.cancel(session, actor, second.id))
    assert [state for state, _ in states(clinic)][3:] == ["dropped"] * 3
    assert sound(clinic)


TELL: Document = {
    "key": "tell",
    "kind": "notify",
    "who": [{"key": "agent", "role": "agent"}, {"key": "supervisor", "role": "supervisor"}],
    "text": {"zh-CN": "有新线索", "en": "A new lead"},
}


def test_people_are_told_and_seen_to_have_read(clinic: Clinic) -> None:
    started(clinic, TELL, END)
    (message,) = rows(clinic, Message)
    with clinic.database.read() as session:
        told = {one.person_id for one in readers_of(session, [message.id])[message.id]}
        assert told == {clinic.people[login] for login in ("ann", "bob", "sue")}
        assert unread(session, clinic.people["ann"]) == 1
        assert unread(session, clinic.people["zoe"]) == 0
    ann, zoe = clinic.people["ann"], clinic.people["zoe"]
    assert clinic.database.write(lambda s: mark_read(s, ann, message.id))
    assert not clinic.database.write(lambda s: mark_read(s, zoe, message.id))
    with clinic.database.read() as session:
        assert unread(session, ann) == 0
        assert inbox(session, ann)[0].read_at is not None
        assert unread(session, clinic.people["bob"]) == 1
    assert sound(clinic)


def test_a_flow_starts_another_and_hands_records_over(clinic: Clinic) -> None:
    visit = {
        **flow_of(
            {
                "key": "n",
                "kind": "action",
                "do": [{"key": "nn", "action": "set", "values": {"name": "lead.name"}}],
            },  # fmt: skip
            END,
        ),
        "key": "visit",
        "subject": "customer",
        "given": [{"key": "lead", "form": "lead"}],
    }
    del visit["start"]
    clinic.publish("flow", visit)
    begin = {
        "key": "begin",
        "kind": "action",
        "do": [
            {"key": "person", "action": "create", "form": "customer", "values": {"name": '"新客"'}},
            {"key": "on", "action": "start", "flow": "visit", "record": "person",
             "give": {"lead": "this"}},
        ],
    }  # fmt: skip
    started(clinic, begin, END)
    parent, child = rows(clinic, Instance)
    assert (child.flow_key, child.state, child.parent_id) == ("visit", "ended", parent.id)
    from careloom.platform.records.lists import get

    with clinic.database.read() as session:
        assert get(session, SYSTEM, "customer", child.subject_id).values["name"] == "李雷"
    assert sound(clinic)


def test_flows_that_start_one_another_are_stopped(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    again = {"key": "again", "kind": "action", "do": [
        {"key": "once_more", "action": "start", "flow": "follow_up"}
    ]}  # fmt: skip
    started(clinic, again, END)
    found = rows(clinic, Incident)
    assert [one.code for one in found] == ["E_TOO_DEEP"]
    assert len(rows(clinic, Instance)) == 10
    assert sound(clinic)


def test_choices_are_put_beside_what_is_there_and_taken_out(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    tags = {**choice("Tags", "a", "b", "c"), "type": "array", "x-widget": "choices"}
    options = tags.pop("x-options")
    tags |= {"x-options": options, "items": {"type": "string"}, "uniqueItems": True}
    clinic.publish("form", form("tagged", {"tags": tags}))
    steps = [
        {"key": "one", "kind": "action", "do": [
            {"key": "one_it", "action": "set", "add": {"tags": '"b"'}, "remove": {"tags": '"a"'}},
            {"key": "two_it", "action": "set", "add": {"tags": '"c"'}},
        ]},
        END,
    ]  # fmt: skip
    document = flow_of(*steps, subject="tagged", start={"on": "record:submitted"})
    clinic.publish("flow", document)
    from careloom.platform.records.lists import get
    from careloom.platform.records.submit import submit

    made = clinic.database.write(
        lambda s: submit(s, SYSTEM, "tagged", {"tags": ["a"]}, unit_id=clinic.units["one"])
    )
    drain(clinic.database)
    with clinic.database.read() as session:
        assert get(session, SYSTEM, "tagged", made.id).values["tags"] == ["b", "c"]


def test_a_timer_that_keeps_failing_opens_an_incident_and_is_retried(
    sqlite_clinic: Clinic, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from careloom.runtime.flows import fire

    clinic = sqlite_clinic
    started(clinic, {"key": "pause", "kind": "wait", "for": "1h"}, END)

    def broken(*_: Any) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setitem(fire._PURPOSES, "wait", broken)
        for _ in range(8):
            turn(clinic, clock, HOUR)
    (incident,) = rows(clinic, Incident)
    assert (incident.code, incident.params["error"]) == ("E_TIMER", "RuntimeError")
    assert instance(clinic).state == "running"
    assert sound(clinic)
    actor = clinic.actor("max")
    assert clinic.database.write(lambda s: control.retry(s, actor, incident.id))
    drain(clinic.database)
    assert instance(clinic).state == "ended"
    assert rows(clinic, Wait) == rows(clinic, Watch) == []
    assert sound(clinic)


def test_an_event_for_nobody_is_not_handed_on(sqlite_clinic: Clinic) -> None:
    """A form that no flow begins with or waits for costs the worker nothing."""
    from careloom.platform.events.handoff import waiting
    from careloom.platform.records.submit import submit

    clinic = sqlite_clinic
    values = {"name": "李雷"}
    made = clinic.database.write(lambda s: submit(s, SYSTEM, "customer", values)).id
    clinic.database.write(lambda s: change(s, SYSTEM, "customer", made, {"name": "雷"}))
    with clinic.database.read() as session:
        assert waiting(session) == {}
    clinic.lead()
    with clinic.database.read() as session:
        assert waiting(session) == {"flows": 1}
    assert lead_values(clinic, clinic.started())["name"] == "李雷"
