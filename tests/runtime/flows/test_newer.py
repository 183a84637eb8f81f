"""A later release's step, met by a process that is not restarted yet: left, not failed."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.definitions.model import VersionRow
from careloom.platform.events.model import Handoff
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.session import bump_epoch
from careloom.runtime.flows.control import retry
from careloom.runtime.flows.definition import Newer
from careloom.runtime.flows.load import flow
from careloom.runtime.flows.model import Incident, Instance
from careloom.runtime.timers.model import timers

from ..clinic import FLOW_DOCUMENT, Clinic, flow_of, listed, rows, sound, turn

WAIT = {"key": "pause", "kind": "wait", "for": "2h"}
LAST = {"key": "end", "kind": "end"}


def put(clinic: Clinic, document: dict[str, Any]) -> None:
    """As the later release published it, past what this one would accept."""

    def deed(session: Session) -> None:
        query = select(VersionRow).where(VersionRow.key == "follow_up")
        for row in session.scalars(query):
            row.document = document
        bump_epoch(session)

    clinic.database.write(deed)


def changed(path: list[Any], value: str) -> dict[str, Any]:
    document: Any = deepcopy(FLOW_DOCUMENT)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return dict(document)


@pytest.mark.parametrize(
    "path", [["steps", 2, "kind"], ["steps", 0, "do", 0, "action"]], ids=["step", "action"]
)
def test_a_flow_with_a_step_of_a_later_release_starts_when_that_release_runs(
    clinic: Clinic, clock: TurnedClock, path: list[Any]
) -> None:
    put(clinic, changed(path, "teleport"))
    clinic.started()
    for _ in range(10):  # oftener than a failing one is tried
        turn(clinic, clock, timedelta(seconds=16))
    assert rows(clinic, Instance) == []
    with clinic.database.read() as session:
        handoffs = session.scalars(select(Handoff)).all()
        assert [(one.tries, one.parked_at, one.error) for one in handoffs] == [(0, None, None)]
        with pytest.raises(Newer):
            flow(session, "follow_up")
    put(clinic, FLOW_DOCUMENT)
    turn(clinic, clock, timedelta(seconds=16))
    assert len(rows(clinic, Instance)) == 1 and listed(clinic, "ann")
    assert sound(clinic)


def waiting_at_a_later_step(clinic: Clinic) -> None:
    """An instance at a wait, behind which a step comes that nobody here knows."""
    clinic.publish("flow", flow_of(WAIT, LAST))
    clinic.started()
    put(clinic, flow_of(WAIT, {"key": "beam", "kind": "teleport"}, LAST))


def test_an_instance_that_waits_goes_on_when_that_release_runs(
    clinic: Clinic, clock: TurnedClock
) -> None:
    waiting_at_a_later_step(clinic)
    turn(clinic, clock, timedelta(hours=2))
    for _ in range(10):  # oftener than a failing one is tried
        turn(clinic, clock, timedelta(minutes=5))
    with clinic.database.read() as session:
        assert session.scalars(select(timers.c.held)).all() == [False]
    assert rows(clinic, Incident) == []
    put(clinic, flow_of(WAIT, LAST))
    turn(clinic, clock, timedelta(seconds=16))
    assert [one.state for one in rows(clinic, Instance)] == ["ended"]
    assert sound(clinic)


def test_after_an_hour_it_is_an_incident_and_goes_on_when_that_is_retried(
    clinic: Clinic, clock: TurnedClock
) -> None:
    waiting_at_a_later_step(clinic)
    for _ in range(4):
        turn(clinic, clock, timedelta(hours=1))
    told = rows(clinic, Incident)
    assert [(one.code, one.params["error"]) for one in told] == [("E_TIMER", "Newer")]
    put(clinic, flow_of(WAIT, LAST))
    max_ = clinic.actor("max")
    assert clinic.database.write(lambda session: retry(session, max_, told[0].id))
    turn(clinic, clock, timedelta(seconds=1))
    assert [one.state for one in rows(clinic, Instance)] == ["ended"]
    assert sound(clinic)
