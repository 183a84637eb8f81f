"""What goes wrong stays in sight: incidents, retry, suspend, cancel, events that cannot run."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from careloom.platform.events.handoff import waiting
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.errors import Conflict, NotAllowed, NotFound
from careloom.platform.store.session import moment
from careloom.runtime.flows import control
from careloom.runtime.flows.model import Incident, Instance, StepTaken, Token, Wait
from careloom.runtime.flows.start import start
from careloom.runtime.tasks.hold import claim, unclaim
from careloom.runtime.tasks.model import Task
from careloom.runtime.timers.model import Timer
from careloom.runtime.work.dispatch import MENDED_FOR, drain

from ..clinic import FIRST_CALL, Clinic, done, flow_of, lead_values, listed, rows, sound, turn

END: dict[str, Any] = {"key": "end", "kind": "end"}
POOL: dict[str, Any] = {
    "key": "pool",
    "kind": "task",
    "title": "Pool",
    "who": {"role": "agent"},
    "due": "30m",
    "limits": [{"key": "late", "after": "30m", "do": "escalate", "to": {"role": "supervisor"}}],
    "outcomes": [{"key": "taken", "title": "Taken"}],
}


def failing_after_call() -> dict[str, Any]:
    """A flow whose step after the call blanks a required field."""
    call = {**deepcopy(FIRST_CALL), "who": {"role": "agent"}}
    call["then"] = [
        {"key": "noted", "action": "create", "form": "customer", "values": {"name": "name"}},
        {"key": "blanked", "action": "set", "values": {"name": 'IF(status = "new", NULL, name)'}},
    ]
    return flow_of(call, END)


def act(clinic: Clinic, deed: Any, login: str, *args: Any) -> Any:
    actor = clinic.actor(login)
    return clinic.database.write(lambda session: deed(session, actor, *args))


def test_a_failing_step_opens_an_incident_and_the_call_stands(clinic: Clinic) -> None:
    clinic.publish("flow", failing_after_call())
    lead = clinic.started()
    record = done(clinic, "ann", listed(clinic, "ann")[0].id, result="answered")
    assert record is not None
    (task,) = rows(clinic, Task)
    assert (task.state, task.record_id) == ("done", record)
    (incident,) = rows(clinic, Incident)
    assert (incident.step_key, incident.code) == ("first_call/then", "E_INVALID")
    assert incident.params["problems"][0]["path"] == "/name"
    (token,) = rows(clinic, Token)
    assert (token.state, token.step_key) == ("stuck", "first_call/then")
    with clinic.database.read() as session:
        made = session.execute(text("SELECT count(*) FROM form_customer")).scalar()
    assert made == 0, "what the step had written before it failed is undone"
    assert lead_values(clinic, lead)["name"] == "李雷"
    assert sound(clinic)


def test_a_retried_step_goes_on_without_asking_the_person_again(clinic: Clinic) -> None:
    clinic.publish("flow", failing_after_call())
    lead = clinic.started()
    done(clinic, "ann", listed(clinic, "ann")[0].id, result="answered")
    (incident,) = rows(clinic, Incident)
    assert act(clinic, control.retry, "max", incident.id) is False
    again = rows(clinic, Incident)[-1]
    assert again.id != incident.id
    assert rows(clinic, Incident)[0].closed_how == "retried"
    from careloom.platform.identity.actor import SYSTEM
    from careloom.platform.records.submit import change

    clinic.database.write(lambda s: change(s, SYSTEM, "lead", lead, {"status": "won"}))
    assert act(clinic, control.retry, "max", again.id) is True
    assert rows(clinic, Instance)[0].state == "ended"
    assert len(rows(clinic, Task)) == 1
    assert [step.step_key for step in rows(clinic, StepTaken)][-4:] == [
        "first_call/then", "first_call/then", "first_call/then", "end",
    ]  # fmt: skip
    with pytest.raises(Conflict):
        act(clinic, control.retry, "max", again.id)
    assert sound(clinic)


def test_a_role_that_nobody_holds_is_an_incident_and_not_silence(clinic: Clinic) -> None:
    from careloom.platform.identity.actor import SYSTEM
    from careloom.platform.identity.people import disable

    clinic.publish("flow", flow_of(deepcopy(POOL), END))
    clinic.database.write(lambda session: disable(session, SYSTEM, clinic.people["zoe"]))
    clinic.started(clinic=str(clinic.units["two"]))
    (incident,) = rows(clinic, Incident)
    assert (incident.code, incident.params) == ("E_NOBODY", {"who": "agent"})
    assert sound(clinic)


def test_a_suspended_instance_stands_still_until_it_is_resumed(
    clinic: Clinic, clock: TurnedClock
) -> None:
    clinic.started()
    (instance,) = rows(clinic, Instance)
    act(clinic, control.suspend, "max", instance.id)
    turn(clinic, clock, timedelta(hours=1))
    (call,) = rows(clinic, Task)
    assert (call.reminded_at, call.escalated_at) == (None, None)
    with pytest.raises(Conflict) as refused:
        done(clinic, "ann", call.id, result="answered")
    assert refused.value.code == "E_FLOW_SUSPENDED"
    act(clinic, control.resume, "max", instance.id)
    drain(clinic.database)
    assert rows(clinic, Task)[0].escalated_at is not None
    done(clinic, "ann", call.id, result="answered")
    assert sound(clinic)


def test_a_cancelled_instance_leaves_nothing_to_do(clinic: Clinic) -> None:
    clinic.started()
    (instance,) = rows(clinic, Instance)
    (call,) = listed(clinic, "ann")
    act(clinic, control.cancel, "max", instance.id)
    assert listed(clinic, "ann") == []
    assert rows(clinic, Timer) == rows(clinic, Wait) == []
    with pytest.raises(Conflict) as late:
        done(clinic, "ann", call.id, result="answered")
    assert late.value.code == "E_TASK_CANCELLED"
    with pytest.raises(Conflict):
        act(clinic, control.cancel, "max", instance.id)
    assert sound(clinic)


def test_only_those_with_the_right_may_stop_an_instance(clinic: Clinic) -> None:
    clinic.started()
    (instance,) = rows(clinic, Instance)
    with pytest.raises(NotAllowed):
        act(clinic, control.cancel, "sue", instance.id)
    with pytest.raises(NotFound):
        act(clinic, control.cancel, "ann", instance.id)


def test_a_flow_started_by_hand_about_a_new_record_starts_once(clinic: Clinic) -> None:
    values = {"name": "韩梅梅", "status": "new", "clinic": str(clinic.units["one"])}
    from careloom.platform.identity.actor import SYSTEM

    clinic.database.write(lambda session: start(session, SYSTEM, "follow_up", values=values))
    drain(clinic.database)
    assert len(rows(clinic, Instance)) == 1
    assert sound(clinic)


def test_a_pool_task_has_one_holder_at_a_time(clinic: Clinic, clock: TurnedClock) -> None:
    clinic.publish("flow", flow_of(deepcopy(POOL), END))
    clinic.started()
    (task,) = listed(clinic, "ann")
    assert [one.id for one in listed(clinic, "bob")] == [task.id]
    with pytest.raises(NotFound):
        act(clinic, claim, "zoe", task.id)
    act(clinic, claim, "ann", task.id)
    act(clinic, claim, "ann", task.id)
    assert listed(clinic, "bob") == []
    assert listed(clinic, "ann")[0].holder == "Ann"
    with pytest.raises(Conflict) as held:
        act(clinic, claim, "bob", task.id)
    assert (held.value.code, held.value.params["by"]) == ("E_TASK_HELD", "Ann")
    with pytest.raises(Conflict):
        done(clinic, "bob", task.id, "taken")
    with pytest.raises(NotAllowed):
        act(clinic, unclaim, "bob", task.id)
    turn(clinic, clock, timedelta(minutes=31))
    assert [one.how for one in listed(clinic, "sue")] == ["escalated"]
    act(clinic, unclaim, "sue", task.id)
    assert [one.id for one in listed(clinic, "bob")] == [task.id]
    done(clinic, "bob", task.id, "taken")
    assert rows(clinic, Instance)[0].state == "ended"
    assert sound(clinic)


def test_a_task_of_the_pool_masks_what_the_agent_may_not_see(clinic: Clinic) -> None:
    from careloom.runtime.flows.read import read_task

    clinic.publish("flow", flow_of(deepcopy(POOL), END))
    clinic.started()
    actor = clinic.actor("ann")
    with clinic.database.read() as session:
        view = read_task(session, actor, listed(clinic, "ann")[0].id)
    assert view.about is not None
    assert view.about["mobile"] != "13800000000"
    assert view.about_rights["mobile"] == "masked"


def test_the_same_event_handed_over_again_starts_nothing_more(clinic: Clinic) -> None:
    from careloom.platform.events.model import Handoff
    from careloom.runtime.flows.follow import CONSUMER

    lead = clinic.started()
    (instance,) = rows(clinic, Instance)

    def again(session: Any) -> None:
        session.add(
            Handoff(
                event_id=instance.cause_event,
                consumer=CONSUMER,
                subject_kind="form:lead",
                subject_id=lead,
                due_at=moment(session),
                tries=0,
            )
        )

    clinic.database.write(again)
    drain(clinic.database)
    assert len(rows(clinic, Instance)) == 1
    with clinic.database.read() as session:
        assert waiting(session) == {}


def test_an_event_that_cannot_be_followed_up_holds_up_no_other(
    clinic: Clinic, clock: TurnedClock
) -> None:
    """A poisoned definition: its handoff waits until the definition is mended."""
    broken = clinic.lead("李雷")
    from careloom.platform.definitions.model import VersionRow
    from careloom.platform.store.session import bump_epoch

    good = deepcopy(_document(clinic))

    def poison(session: Any, document: Any) -> None:
        row = session.get(VersionRow, ("flow", "follow_up", 1))
        row.document = document
        bump_epoch(session)

    clinic.database.write(lambda s: poison(s, {**good, "steps": [{"key": "x", "kind": "odd"}]}))
    for _ in range(6):
        turn(clinic, clock, timedelta(minutes=1))
    assert rows(clinic, Instance) == []
    clinic.database.write(lambda s: poison(s, good))
    clinic.started("韩梅梅")
    assert len(rows(clinic, Instance)) == 1
    with clinic.database.read() as session:
        assert waiting(session) == {"flows": 1}
    turn(clinic, clock, MENDED_FOR)
    assert {row.subject_id for row in rows(clinic, Instance)} >= {broken}
    assert len(rows(clinic, Instance)) == 2
    assert sound(clinic)


def _document(clinic: Clinic) -> Any:
    from careloom.platform.definitions.published import published

    with clinic.database.read() as session:
        return published(session, "flow", "follow_up").document
