"""All connections of a process are in use and none comes back: who asks is told so after a while,
and served as soon as there is one."""

from contextlib import ExitStack

import pytest

from careloom.platform.store import database as store
from careloom.platform.store.clock import TurnedClock

from ..runtime.clinic import Clinic, sound
from .asked import Asked

ALL = 2 * store.POOL  # what is kept open, and what comes on top for moments


@pytest.mark.parametrize("clinic", ["postgresql"], indirect=True)
def test_whoever_finds_no_connection_is_told_and_served_later(
    clinic: Clinic, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(clinic, clock, clinic.database)
    question = asked.lead()
    monkeypatch.setattr(clinic.database.reader.pool, "_timeout", 0.1)
    looked = asked.app.test_client().get
    with ExitStack() as held:
        for _ in range(ALL):
            held.enter_context(clinic.database.reader.connect())
        assert asked.ask(*question, "key") == (503, "E_UNAVAILABLE")
        ready = looked("/readyz")
        assert (ready.status_code, ready.json["status"]) == (503, "failed"), ready.text
        assert looked("/healthz").status_code == 200
    assert asked.ask(*question, "key") == (201, "")
    assert looked("/readyz").status_code == 200
    assert asked.count("SELECT count(*) FROM form_lead") == 1
    assert sound(clinic)
