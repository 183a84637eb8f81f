"""A database that goes away while a form is prefilled or a step works is no fault of theirs."""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from careloom.runtime.actions.sight import Sight
from careloom.runtime.flows.model import Incident
from careloom.runtime.work.dispatch import drain

from ..clinic import Clinic, done, listed, rows, sound

LOST = OperationalError("SELECT", {}, psycopg.OperationalError("the connection is lost"))


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exception | None]]:
    """Each of these comes once, the last first, when somebody looks at a record."""
    coming: list[Exception | None] = []
    env = Sight.env

    def troubled(sight: Sight, names: Mapping[str, Any]) -> Any:
        if coming and (error := coming.pop()):
            raise error
        return env(sight, names)

    monkeypatch.setattr(Sight, "env", troubled)
    yield coming
    assert coming == []


@pytest.mark.parametrize("clinic", ["postgresql"], indirect=True)
def test_what_is_prefilled_is_not_left_out_when_the_connection_is_lost(
    clinic: Clinic, trouble: list[Exception | None]
) -> None:
    lead = clinic.started()
    (task,) = listed(clinic, "ann")
    trouble.append(LOST)
    assert done(clinic, "ann", task.id, result="answered") is not None
    with clinic.database.read() as session:
        assert session.execute(text("SELECT lead FROM form_call")).scalars().all() == [lead]
    assert sound(clinic)


def test_a_step_that_gets_no_connection_is_done_later_and_opens_no_incident(
    clinic: Clinic, trouble: list[Exception | None]
) -> None:
    clinic.lead()
    trouble += [NoConnection("no connection within 10 s"), None]  # the flow's start looks first
    with pytest.raises(NoConnection):
        drain(clinic.database)
    drain(clinic.database)
    assert rows(clinic, Incident) == []
    assert len(listed(clinic, "ann")) == 1
    assert sound(clinic)
