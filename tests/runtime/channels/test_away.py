"""Receivers that are away, hang, ask for a rest, and come back; calls in their order."""

import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from receiver import Receiver, receiving, says

from careloom.platform.outbound.client import Answer
from careloom.platform.store.clock import TurnedClock
from careloom.runtime.channels import deliver
from careloom.runtime.channels.model import CallState

from ..clinic import Clinic, sound
from .ring import (
    END,
    HASTY,
    OK,
    PATIENT,
    TELL,
    Ring,
    bodies,
    client_for,
    connect,
    keys,
    later,
    ring_in,
)


def test_calls_about_one_record_go_in_their_order(
    clinic: Clinic, receiver: Receiver, clock: TurnedClock
) -> None:
    first = {**TELL, "body": {"which": '"first"', "name": "name"}}
    clinic.publish(
        "flow",
        {
            "format": 1,
            "key": "second",
            "title": "Second",
            "subject": "lead",
            "start": {"on": "record:submitted"},
            "steps": [{**TELL, "key": "tells", "body": {"which": '"second"', "name": "name"}}, END],
        },
    )
    ring = ring_in(clinic, receiver, first, END)
    receiver.does = says(500)
    clinic.started("甲")
    clinic.started("乙")
    ring.work()
    asked = [(body["name"], body["which"]) for body in bodies(receiver)]
    assert sorted({name for name, _ in asked}) == ["乙", "甲"] and len(asked) == 2
    later(ring, clock, timedelta(seconds=6))
    assert {which for name, which in asked if name == "甲"} == {asked[0][1]}
    receiver.does = OK
    later(ring, clock)
    for name in ("甲", "乙"):
        said = [body["which"] for body in bodies(receiver) if body["name"] == name]
        assert said == sorted(said, key=said.index) and said[-1] != said[0]
    assert {one.result for one in ring.instances()} == {"told"} and sound(clinic)


def test_f31_a_receiver_that_hangs_holds_up_nobody_else_and_gets_all_once_it_is_back(
    clinic: Clinic, clock: TurnedClock
) -> None:
    many = 60
    with receiving() as dead, receiving(OK) as well:
        ring = ring_in(clinic, dead, TELL, END)
        ring.client.allowed = type(ring.client.allowed)(
            [*ring.client.allowed.entries, *_entries(well)]
        )
        connect(clinic, ring.client, well.port, "well")
        clinic.publish(
            "flow",
            {
                "format": 1,
                "key": "fine",
                "title": "Fine",
                "subject": "lead",
                "start": {"on": "record:submitted", "when": "urgent"},
                "steps": [{**TELL, "connection": "well"}, END],
            },
        )
        dead.does = lambda line, asked: time.sleep(1)
        ring.client.limits = HASTY
        for number in range(many):
            clinic.lead(f"客户{number}", urgent=number % 10 == 0)
        ring.work()
        # Two at a time and five in a row; then the line is shut, and nobody waits for it.
        assert len(dead.asked) <= deliver.FAILURES + deliver.AT_ONCE
        assert len(set(keys(well))) == many // 10
        for _ in range(3):  # one call tries, each time
            before = tried(ring)
            later(ring, clock, timedelta(minutes=6))
            assert tried(ring) == before + 1
        dead.does = OK
        ring.client.limits = PATIENT
        later(ring, clock, timedelta(minutes=6))
        assert {call.state for call in ring.calls()} == {CallState.ANSWERED}
        told = {body["who"]["record"] for body in bodies(dead)}
        assert len(told) == many and len(set(keys(dead))) == many
        assert {one.result for one in ring.instances()} == {"told"} and sound(clinic)


def tried(ring: Ring) -> int:
    """How often the first connection was tried."""
    return sum(call.tries for call in ring.calls() if call.connection_key == "finance")


def _entries(receiver: Receiver) -> Any:
    return client_for(receiver).allowed.entries


def test_a_rest_that_is_asked_for_is_kept_by_all_calls_of_the_connection(
    clinic: Clinic, receiver: Receiver, clock: TurnedClock
) -> None:
    ring = ring_in(clinic, receiver, TELL, END)
    receiver.does = says(429, b"", "Retry-After: 600")
    for number in range(5):
        clinic.lead(f"客户{number}")
    ring.work()
    assert len(receiver.asked) <= deliver.AT_ONCE
    asked = len(receiver.asked)
    later(ring, clock, timedelta(minutes=9))
    assert len(receiver.asked) == asked
    receiver.does = OK
    later(ring, clock, timedelta(minutes=2))
    assert len(set(keys(receiver))) == 5 and {c.state for c in ring.calls()} == {"answered"}


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), ("Thu, 01 Jan 2026 00:01:00 GMT", 60), ("x", 0), ("-5", 0), ("9" * 40, 3600),
     ("", 0), ("Thu, 99 Jan 2026 00:01:00 GMT", 0), ("²", 0), ("Mon, 01 Jan 1990 00:00:00 GMT", 0)],
)  # fmt: skip
def test_how_long_the_other_side_asks_to_wait(said: str, seconds: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert deliver._asked_for(Answer(429, b"", False, said), now) == timedelta(seconds=seconds)


def test_a_port_that_is_closed_and_opened_again(clinic: Clinic, clock: TurnedClock) -> None:
    with receiving() as receiver:
        ring = ring_in(clinic, receiver, TELL, END)
        port = receiver.port
    clinic.lead()
    ring.work()
    (call,) = ring.calls()
    assert (call.state, call.trouble, call.status) == ("waiting", "E_CALL_NOT_REACHED", None)
    closed = socket.create_server(("127.0.0.1", port))
    closed.close()
    with receiving(OK) as other:
        connect(clinic, _also(ring, other), other.port)
        later(ring, clock)
        assert keys(other) == [call.same] and sound(clinic)


def _also(ring: Ring, receiver: Receiver) -> Any:
    ring.client = client_for(receiver)
    return ring.client
