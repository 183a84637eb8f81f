"""A flow calls another system: what is sent, what comes of it, and what of trouble."""

from datetime import timedelta
from typing import Any

import pytest
from receiver import Receiver, says
from sqlalchemy import update

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.outbound.client import Answer
from careloom.platform.records.submit import change
from careloom.platform.store.clock import TurnedClock
from careloom.runtime.channels import deliver
from careloom.runtime.channels.model import CallState, calls
from careloom.runtime.flows import control
from careloom.runtime.flows.model import Incident
from careloom.runtime.flows.soundness import flows_are_sound
from careloom.runtime.work.calling import carry, taken

from ..clinic import Clinic, lead_values, rows, sound, turn
from .ring import END, OK, TELL, WROTE, Ring, bodies, connect, is_signed, keys, later, ring_in

LONG = timedelta(hours=1)


def test_a_call_tells_what_its_step_says_and_keeps_what_came_back(
    clinic: Clinic, receiver: Receiver
) -> None:
    ring = ring_in(clinic, receiver)
    receiver.does = OK
    lead = clinic.lead(mobile="13900000000", urgent=True)
    ring.work()
    (asked,) = receiver.asked
    assert asked.line == "POST /hook HTTP/1.1" and is_signed(asked, ring.secret)
    assert asked.headers["content-type"] == "application/json"
    assert bodies(receiver) == [
        {
            "name": "李雷",
            "mobile": "13900000000",
            "who": {"record": str(lead), "urgent": True, "at": None},
        }
    ]
    (call,) = ring.calls()
    assert (call.state, call.status, call.tries, call.trouble) == ("answered", 200, 1, None)
    assert asked.headers["idempotency-key"] == call.same
    assert "13900000000" not in call.body and "李雷" not in call.body
    assert lead_values(clinic, lead)["mobile"] == "17"
    assert [one.result for one in ring.instances()] == ["told"]
    assert sound(clinic)


def test_nothing_is_sent_before_the_commit_or_within_a_transaction(
    clinic: Clinic, receiver: Receiver, clock: TurnedClock
) -> None:
    ring = ring_in(clinic, receiver)
    clinic.started()
    assert receiver.asked == [] and [call.state for call in ring.calls()] == ["waiting"]
    assert sound(clinic)
    parcels = taken(clinic.database, 8)
    assert len(parcels) == 1 and taken(clinic.database, 8) == []
    # Whoever took it may be dead: when the lease ends, another takes it.
    clock.turn(deliver.LEASE + timedelta(seconds=1))
    ring.work()
    assert keys(receiver) == [parcels[0].same]
    # The first was only slow, and settles nothing any more.
    came = deliver.Came(trouble="E_CALL_TIME")
    assert clinic.database.write(lambda s: deliver.settle(s, parcels[0], came)) is None
    assert [call.state for call in ring.calls()] == ["answered"] and sound(clinic)


def test_who_was_slower_settles_nothing_while_another_sends(
    clinic: Clinic, receiver: Receiver, clock: TurnedClock
) -> None:
    ring = ring_in(clinic, receiver)
    clinic.started()
    (slow,) = taken(clinic.database, 8)
    clock.turn(deliver.LEASE + timedelta(seconds=1))
    (quick,) = taken(clinic.database, 8)
    assert quick.same == slow.same and quick.fence > slow.fence
    gone = deliver.Came(Answer(410, b"", False, ""))
    clinic.database.write(lambda s: deliver.settle(s, slow, gone))
    assert [(call.state, call.tries) for call in ring.calls()] == [("waiting", 0)]
    carry(clinic.database, ring.client, quick)
    ring.work()
    assert [one.result for one in ring.instances()] == ["told"] and sound(clinic)


@pytest.mark.parametrize("status", [500, 503, 408, 429])
def test_trouble_that_passes_is_tried_again_under_the_same_key(
    clinic: Clinic, receiver: Receiver, clock: TurnedClock, status: int
) -> None:
    ring = ring_in(clinic, receiver)
    receiver.does = says(status)
    clinic.lead()
    ring.work()
    assert len(receiver.asked) == 1 and ring.incidents() == []
    for _ in range(2):
        later(ring, clock)
    receiver.does = OK
    later(ring, clock)
    assert len(receiver.asked) == 4 and len(set(keys(receiver))) == 1
    assert [one.result for one in ring.instances()] == ["told"] and sound(clinic)


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422, 301, 302])
def test_trouble_that_stays_is_an_incident_at_once(
    clinic: Clinic, receiver: Receiver, status: int
) -> None:
    ring = ring_in(clinic, receiver)
    receiver.does = says(status, b"", "Location: http://127.0.0.1:1/")
    clinic.lead()
    ring.work()
    assert len(receiver.asked) == 1 and ring.incidents() == ["E_CALL_STATUS"]
    assert [one.state for one in ring.instances()] == ["running"] and sound(clinic)


def test_a_call_is_given_up_after_its_time(
    clinic: Clinic, receiver: Receiver, clock: TurnedClock
) -> None:
    ring = ring_in(clinic, receiver)
    receiver.does = says(500)
    clinic.lead()
    ring.work()
    for _ in range(8):
        later(ring, clock)
    assert ring.incidents() == ["E_CALL_STATUS"] and sound(clinic)
    asked = len(receiver.asked)
    later(ring, clock)
    assert len(receiver.asked) == asked


def test_a_flow_may_say_what_is_done_then(
    clinic: Clinic, receiver: Receiver, clock: TurnedClock
) -> None:
    lost = {"key": "lost", "kind": "end", "result": "lost"}
    ring = ring_in(clinic, receiver, {**TELL, "failed": [lost]}, WROTE, END)
    receiver.does = says(404)
    clinic.lead()
    ring.work()
    assert [one.result for one in ring.instances()] == ["lost"]
    assert ring.incidents() == [] and sound(clinic)


def incident(ring: Ring) -> Incident:
    (found,) = [one for one in rows(ring.clinic, Incident) if one.closed_at is None]
    return found


def act(ring: Ring, deed: Any, *args: Any) -> Any:
    actor = ring.clinic.actor("max")
    return ring.clinic.database.write(lambda session: deed(session, actor, *args))


def test_what_is_retried_unchanged_keeps_its_key_and_what_was_mended_has_its_own(
    clinic: Clinic, receiver: Receiver
) -> None:
    ring = ring_in(clinic, receiver)
    receiver.does = says(422)
    lead = clinic.lead()
    ring.work()
    act(ring, control.retry, incident(ring).id)
    ring.work()
    assert len(set(keys(receiver))) == 1 and len(receiver.asked) == 2 and sound(clinic)
    clinic.database.write(lambda s: change(s, SYSTEM, "lead", lead, {"name": "韩梅梅"}))
    receiver.does = OK
    act(ring, control.retry, incident(ring).id)
    ring.work()
    assert len(set(keys(receiver))) == 2 and bodies(receiver)[-1]["name"] == "韩梅梅"
    assert [call.state for call in ring.calls()] == ["dropped", "answered"]
    assert [one.result for one in ring.instances()] == ["told"] and sound(clinic)


def test_somebody_goes_on_without_it(clinic: Clinic, receiver: Receiver) -> None:
    ring = ring_in(clinic, receiver)
    receiver.does = says(422)
    lead = clinic.lead()
    ring.work()
    assert sound(clinic)
    act(ring, control.skip, incident(ring).id)
    ring.work()
    assert lead_values(clinic, lead)["mobile"] == "none" and len(receiver.asked) == 1
    assert [one.result for one in ring.instances()] == ["told"] and sound(clinic)


def test_what_is_cancelled_is_not_sent_and_what_is_suspended_waits(
    clinic: Clinic, receiver: Receiver
) -> None:
    ring = ring_in(clinic, receiver)
    for name in ("甲", "乙"):
        clinic.started(name)
    first, second = ring.instances()
    act(ring, control.cancel, first.id)
    act(ring, control.suspend, second.id)
    ring.work()
    assert receiver.asked == [] and sound(clinic)
    act(ring, control.resume, second.id)
    ring.work()
    assert [body["name"] for body in bodies(receiver)] == ["乙"] and sound(clinic)


def test_what_came_while_it_was_suspended_counts_when_it_is_resumed(
    clinic: Clinic, receiver: Receiver
) -> None:
    ring = ring_in(clinic, receiver)
    clinic.started()
    (parcel,) = taken(clinic.database, 8)
    (one,) = ring.instances()
    act(ring, control.suspend, one.id)
    carry(clinic.database, ring.client, parcel)
    ring.work()
    assert [call.state for call in ring.calls()] == ["answered"] and sound(clinic)
    act(ring, control.resume, one.id)
    ring.work()
    assert [one.result for one in ring.instances()] == ["told"] and sound(clinic)


def test_without_its_connection_a_call_is_an_incident_or_gone_past(
    clinic: Clinic, receiver: Receiver
) -> None:
    other = {**TELL, "connection": "other"}
    ring = ring_in(clinic, receiver, other, WROTE, END)
    clinic.lead("甲")
    ring.work()
    assert ring.incidents() == ["E_NO_CONNECTION"] and sound(clinic)
    connect(clinic, ring.client, receiver.port, "other")
    act(ring, control.retry, incident(ring).id)
    ring.work()
    assert [one.result for one in ring.instances()] == ["told"]
    ring = ring_in(clinic, receiver, {**TELL, "connection": "none", "optional": True}, WROTE, END)
    lead = clinic.lead("乙")
    ring.work()
    assert lead_values(clinic, lead)["mobile"] == "none" and ring.incidents() == []
    assert len(receiver.asked) == 1 and sound(clinic)


def test_an_address_that_has_come_to_lead_within_is_an_incident(
    clinic: Clinic, receiver: Receiver
) -> None:
    ring = ring_in(clinic, receiver, TELL, END)
    ring.client.allowed = type(ring.client.allowed)()
    clinic.lead()
    ring.work()
    assert ring.incidents() == ["E_CALL_SCHEME"] and not receiver.reached and sound(clinic)


def test_turning_the_clock_with_nothing_to_send_asks_nobody(
    clinic: Clinic, receiver: Receiver, clock: TurnedClock
) -> None:
    ring_in(clinic, receiver)
    turn(clinic, clock, LONG)
    assert taken(clinic.database, 8) == []


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("dropped", "waits for nothing live"),
        ("answered", "over, and nobody went on from it"),
        ("failed", "over, and nobody went on from it"),
    ],
)
def test_the_check_knows_a_call_that_nobody_sends_or_goes_on_from(
    sqlite_clinic: Clinic, receiver: Receiver, state: str, told: str
) -> None:
    clinic = sqlite_clinic
    ring_in(clinic, receiver, TELL, END)
    clinic.started()
    clinic.database.write(lambda s: s.execute(update(calls).values(state=state)))
    with clinic.database.read() as session:
        assert [line for line in flows_are_sound(session) if told in line]


def test_the_check_knows_a_call_whose_flow_is_elsewhere(
    sqlite_clinic: Clinic, receiver: Receiver
) -> None:
    clinic = sqlite_clinic
    ring = ring_in(clinic, receiver, TELL, END)
    clinic.lead()
    ring.work()
    clinic.database.write(lambda s: s.execute(update(calls).values(state=CallState.WAITING)))
    with clinic.database.read() as session:
        assert [one for one in flows_are_sound(session) if "its token is elsewhere" in one]
