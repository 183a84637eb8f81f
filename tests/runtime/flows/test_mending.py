"""What could not be followed up is seen, tried again or left out by who may mend it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from served import Site
from sqlalchemy import select

from careloom.platform.events.handoff import waiting
from careloom.platform.events.model import Event, Handoff
from careloom.platform.identity.access_tokens import issue
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.grants import give
from careloom.platform.identity.people import add_person
from careloom.platform.records.submit import change, submit
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.errors import Conflict, Invalid, NotAllowed, NotFound
from careloom.platform.web.app import create_app
from careloom.runtime.flows import mending
from careloom.runtime.flows.follow import follow
from careloom.runtime.flows.model import Instance
from careloom.runtime.work import dispatch

from ..clinic import Clinic, done, listed, rows, sound, turn
from .test_pages_run import LEAD
from .test_trouble import failing_after_call

Break = Callable[[int | None], None]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Have whatever follows from one record's events fail, until None is given."""
    at: list[int | None] = [None]

    def failing(session: Any, event: Event) -> None:
        if event.subject_id == at[0]:
            raise ValueError("<b>no such thing</b>")
        follow(session, event)

    monkeypatch.setattr(dispatch, "follow", failing)
    return lambda record_id: at.__setitem__(0, record_id)


def set_aside(clinic: Clinic, clock: TurnedClock, broken: Break, name: str = "李雷") -> int:
    """A lead that nothing could follow from; its id."""
    lead = clinic.lead(name)
    broken(lead)
    for _ in range(6):
        turn(clinic, clock, timedelta(minutes=1))
    assert rows(clinic, Instance) == []
    return lead


def seen(clinic: Clinic, login: str) -> list[mending.Parked]:
    actor = clinic.actor(login)
    with clinic.database.read() as session:
        return mending.parked(session, actor)


def act(clinic: Clinic, deed: Any, login: str, *args: Any) -> None:
    actor = clinic.actor(login)
    clinic.database.write(lambda session: deed(session, actor, *args))


def told(clinic: Clinic) -> list[tuple[str, int, dict[str, Any]]]:
    events = [event for event in rows(clinic, Event) if event.name.startswith("handoff:")]
    return [(event.name, event.subject_id, event.data) for event in events]


def test_what_was_set_aside_is_seen_and_tried_again(
    clinic: Clinic, clock: TurnedClock, broken: Break
) -> None:
    lead = set_aside(clinic, clock, broken)
    (one,) = seen(clinic, "max")
    assert (one.name, one.form, one.record_id, one.tries) == ("record:submitted", "lead", lead, 5)
    assert "ValueError" in one.error
    act(clinic, mending.retry, "max", one.event_id)
    assert seen(clinic, "max") == []
    for _ in range(6):  # it fails again, and is set aside again
        turn(clinic, clock, timedelta(minutes=1))
    (one,) = seen(clinic, "max")
    broken(None)
    act(clinic, mending.retry, "max", one.event_id)
    turn(clinic, clock, timedelta(0))
    assert len(rows(clinic, Instance)) == 1 and seen(clinic, "max") == []
    with pytest.raises(NotFound):
        act(clinic, mending.retry, "max", one.event_id)
    assert told(clinic) == [("handoff:retried", lead, {"event": "record:submitted"})] * 2
    assert sound(clinic)


def test_what_is_left_out_holds_up_nothing_any_more(
    clinic: Clinic, clock: TurnedClock, broken: Break
) -> None:
    lead = set_aside(clinic, clock, broken)
    broken(None)
    (one,) = seen(clinic, "max")
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(Invalid):
            act(clinic, mending.leave_out, "max", one.event_id, reason)
    act(clinic, mending.leave_out, "max", one.event_id, " entered twice ")
    turn(clinic, clock, timedelta(minutes=5))
    assert rows(clinic, Instance) == [] and seen(clinic, "max") == []
    with clinic.database.read() as session:
        assert waiting(session) == {}
    ((name, subject, data),) = told(clinic)
    assert (name, subject, data["reason"]) == ("handoff:left_out", lead, "entered twice")
    assert data["error"] == one.error
    assert sound(clinic)


def with_moe(clinic: Clinic) -> Clinic:
    """There is a manager of the other branch too."""

    def elsewhere(session: Any) -> int:
        other = add_person(session, SYSTEM, "moe", "Moe", clinic.units["two"])
        give(session, SYSTEM, other.id, "manager", clinic.units["two"])
        return other.id

    moe = clinic.database.write(elsewhere)
    return replace(clinic, people={**clinic.people, "moe": moe})


def test_nobody_mends_what_is_not_theirs(
    sqlite_clinic: Clinic, clock: TurnedClock, broken: Break
) -> None:
    clinic = sqlite_clinic
    set_aside(clinic, clock, broken)
    (one,) = seen(clinic, "max")
    clinic = with_moe(clinic)
    assert seen(clinic, "moe") == []
    for deed, more in ((mending.retry, ()), (mending.leave_out, ("because",))):
        with pytest.raises(NotFound):
            act(clinic, deed, "moe", one.event_id, *more)
        with pytest.raises(NotAllowed):
            act(clinic, deed, "sue", one.event_id, *more)
    with pytest.raises(NotAllowed):
        seen(clinic, "sue")
    assert [each.event_id for each in seen(clinic, "max")] == [one.event_id] and not told(clinic)


def test_how_much_waits_is_counted_and_no_further_than_is_listed(
    sqlite_clinic: Clinic, clock: TurnedClock, broken: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = sqlite_clinic
    for name in ("李雷", "韩梅梅"):
        set_aside(clinic, clock, broken, name)

    def waiting_for(login: str) -> int:
        actor = clinic.actor(login)
        with clinic.database.read() as session:
            return mending.how_many(session, actor)

    assert waiting_for("max") == len(seen(clinic, "max")) == 2
    with pytest.raises(NotAllowed):
        waiting_for("sue")
    monkeypatch.setattr(mending, "MOST", 1)
    assert waiting_for("max") == 1


def test_of_two_at_once_one_mends(
    sqlite_clinic: Clinic, clock: TurnedClock, broken: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_aside(sqlite_clinic, clock, broken)
    (one,) = seen(sqlite_clinic, "max")
    monkeypatch.setattr(mending, "_one", lambda *_: one)  # both have looked
    act(sqlite_clinic, mending.leave_out, "max", one.event_id, "because")
    for deed, more in ((mending.retry, ()), (mending.leave_out, ("because",))):
        with pytest.raises(Conflict):
            act(sqlite_clinic, deed, "max", one.event_id, *more)
    assert len(told(sqlite_clinic)) == 1


def program(clinic: Clinic, login: str) -> tuple[FlaskClient, dict[str, str]]:
    """One that asks over HTTP for somebody, and the headers it sends."""
    number, actor = clinic.people[login], clinic.actor(login)
    token = clinic.database.write(lambda s: issue(s, actor, number, "test")[1])
    return create_app(clinic.database).test_client(), {"Authorization": f"Bearer {token}"}


def test_programs_find_the_steps_that_failed_and_try_them_again(sqlite_clinic: Clinic) -> None:
    clinic = sqlite_clinic
    clinic.publish("flow", failing_after_call())
    lead = clinic.started()
    done(clinic, "ann", listed(clinic, "ann")[0].id, result="answered")
    clinic = with_moe(clinic)
    elsewhere, theirs = program(clinic, "moe")
    assert elsewhere.get("/api/incidents", headers=theirs).json["items"] == []
    http, headers = program(clinic, "max")
    (item,) = http.get("/api/incidents", headers=headers).json["items"]
    assert (item["form"], item["record"]) == ("lead", str(lead))
    assert (item["step"], item["code"]) == ("first_call/then", "E_INVALID")
    run = http.get(f"/api/instances/{item['instance']}", headers=headers).json
    assert [one["id"] for one in run["incidents"]] == [item["id"]]
    clinic.database.write(lambda s: change(s, SYSTEM, "lead", lead, {"status": "won"}))
    again = http.post(f"/api/incidents/{item['id']}/retry", headers=headers, json={})
    assert again.json == {"solved": True}
    assert http.get("/api/incidents", headers=headers).json["items"] == []
    other, hers = program(clinic, "sue")
    assert other.get("/api/incidents", headers=hers).status_code == 403


def test_programs_mend_too(sqlite_clinic: Clinic, clock: TurnedClock, broken: Break) -> None:
    lead = set_aside(sqlite_clinic, clock, broken)
    http, headers = program(sqlite_clinic, "max")
    (item,) = http.get("/api/handoffs", headers=headers).json["items"]
    assert (item["form"], item["record"], item["tries"]) == ("lead", str(lead), 5)
    path = f"/api/handoffs/{item['event']}"
    assert http.post(f"{path}/retry", headers=headers, json={}).status_code == 204
    assert http.post(f"{path}/retry", headers=headers, json={}).status_code == 404
    for _ in range(6):
        turn(sqlite_clinic, clock, timedelta(minutes=1))
    assert http.post(f"{path}/leave-out", headers=headers, json={}).status_code == 400
    blank = http.post(f"{path}/leave-out", headers=headers, json={"reason": " "})
    assert (blank.status_code, blank.json["problems"][0]["path"]) == (422, "/reason")
    sent = {"reason": "because"}
    assert http.post(f"{path}/leave-out", headers=headers, json=sent).status_code == 204
    assert http.get("/api/handoffs", headers=headers).json["items"] == []


def test_the_page_tells_what_and_why_and_has_buttons(
    site: Site, clock: TurnedClock, broken: Break
) -> None:
    def deed(session: Any) -> int:
        unit = site.actor("agent").unit_id
        return submit(session, SYSTEM, "lead_intake", LEAD, unit_id=unit).id

    lead = site.database.write(deed)
    broken(lead)
    for _ in range(6):
        clock_of(site).turn(timedelta(minutes=1))
        site.work()
    manager = site.client("manager")
    assert "有 1 处异常等待处理" in manager.get("/").text
    page = manager.get("/incidents").text
    assert (
        "陈建国" in page and "提交了记录" in page and "ValueError" in page and "<b>no" not in page
    )
    with site.database.read() as session:
        event = session.scalars(select(Handoff.event_id).where(Handoff.subject_id == lead)).one()
    refused = manager.post(f"/incidents/{event}/leave-out", reason=" ")
    assert refused.status == 422 and "请写明原因" in refused.text
    assert manager.post(f"/incidents/{event}/retry").to == "/incidents"
    assert "陈建国" not in manager.get("/incidents").text
    broken(None)
    site.work()
    assert "处异常等待处理" not in manager.get("/").text
    assert site.client("agent").get("/incidents").status == 403


def clock_of(site: Site) -> TurnedClock:
    assert isinstance(site.clock, TurnedClock)
    return site.clock
