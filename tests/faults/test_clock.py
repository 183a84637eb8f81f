"""The clock goes wrong: it stands still, jumps on, jumps back. What is due is done once and never
before the clock says so; who comes is served; what happened stays in its order."""

from datetime import timedelta

from sqlalchemy import select, text

from careloom.platform.events.model import Event
from careloom.platform.store.clock import TurnedClock
from careloom.runtime.flows.model import Instance
from careloom.runtime.work.worker import work_once

from ..runtime.clinic import Clinic, Document, flow_of, rows, sound

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RECALLED: Document = {
    "key": "recall",
    "kind": "action",
    "do": [{"key": "made", "action": "create", "form": "customer", "values": {"name": "name"}}],
}
PAUSE: Document = {"key": "pause", "kind": "wait", "for": "2h"}
FLOW = flow_of(PAUSE, RECALLED, {"key": "end", "kind": "end"})


def recalled(clinic: Clinic, clock: TurnedClock, by: timedelta = timedelta(0)) -> set[str]:
    """Who was recalled once the clock has gone so far and all that is due is done; nobody twice."""
    clock.turn(by)
    for _ in range(3):
        work_once(clinic.database)
    with clinic.database.read() as session:
        found = list(session.scalars(text("SELECT name FROM form_customer")))
    assert len(set(found)) == len(found)
    return set(found)


def test_what_is_due_is_done_once_whatever_the_clock_does(
    clinic: Clinic, clock: TurnedClock
) -> None:
    clinic.publish("flow", FLOW)
    everybody = {f"客户{number}" for number in range(30)}
    assert len({clinic.lead(name) for name in everybody}) == 30, "a clock that stands still"
    assert recalled(clinic, clock) == set()
    assert recalled(clinic, clock, HOUR) == set()
    assert recalled(clinic, clock, -HOUR) == set()
    assert recalled(clinic, clock, -DAY) == set()
    early = "昨天来的"
    clinic.started(early)
    assert recalled(clinic, clock, 2 * HOUR) == {early}, "by the clock that there was"
    assert recalled(clinic, clock, DAY - 2 * HOUR) == {early}
    assert recalled(clinic, clock, HOUR) == {early}
    assert recalled(clinic, clock, HOUR) == {early} | everybody
    for jump in (-DAY, DAY, DAY, -HOUR, HOUR):
        assert recalled(clinic, clock, jump) == {early} | everybody, "once"
    assert len(rows(clinic, Instance)) == len(everybody) + 1
    in_order(clinic)
    assert sound(clinic)


def in_order(clinic: Clinic) -> None:
    """Events have their places as they happened; their moments go to and fro."""
    with clinic.database.read() as session:
        found = session.execute(select(Event.seq, Event.at).order_by(Event.seq)).all()
    numbers, moments = [seq for seq, _ in found], [at for _, at in found]
    assert numbers == list(range(1, len(numbers) + 1))
    assert moments != sorted(moments)
