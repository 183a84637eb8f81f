"""The rows a transition writes, each kind with one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from ...platform.store.hot import Hot
from ...platform.store.locks import Again
from ...platform.store.session import moment, new_id
from ..tasks.actors import Offered
from .instance import Standing, kept_names
from .model import (
    InstanceState,
    TokenState,
    incidents,
    instances,
    steps_taken,
    tokens,
    waits,
)

# Built once: building a statement costs as much as sending it.
_ADD_INSTANCE = Hot(insert(instances))
_ADD_TOKEN = Hot(insert(tokens))
_ADD_STEPS = Hot(insert(steps_taken))
_ADD_WAIT = Hot(insert(waits))
_ADD_INCIDENT = Hot(insert(incidents))
_MOVE_TOKEN = Hot(
    update(tokens)
    .where(tokens.c.id == bindparam("at_token"))
    .values(step_key=bindparam("step_key"), state=bindparam("state"), since=bindparam("since"))
)
_WRITE_BACK = Hot(
    update(instances)
    .where(
        instances.c.id == bindparam("at_instance"),
        instances.c.revision == bindparam("at_revision"),
    )
    .values(
        revision=instances.c.revision + 1,
        state=bindparam("state"),
        names=bindparam("names"),
        visits=bindparam("visits"),
        ended_at=bindparam("ended_at"),
        result=bindparam("result"),
    )
)


def add_instance(
    session: Session,
    standing: Standing,
    cause_event: int | None,
    person_id: int | None,
    parent_id: int | None = None,
) -> None:
    """A new instance as it stands after its first transition."""
    now = moment(session)
    ended = standing.state == InstanceState.ENDED
    _ADD_INSTANCE(
        session,
        {
            "id": standing.id,
            "flow_key": standing.flow_key,
            "flow_version": standing.flow_version,
            "subject_form": standing.subject_form,
            "subject_id": standing.subject_id,
            "unit_id": standing.unit_id,
            "state": standing.state,
            "cause_event": cause_event,
            "revision": standing.revision,
            "names": kept_names(standing.run),
            "visits": standing.run.visits,
            "started_at": now,
            "started_by": person_id,
            "ended_at": now if ended else None,
            "result": standing.result,
            "parent_id": parent_id,
        },
    )


def add_token(session: Session, standing: Standing, token_id: int, step: str, state: str) -> None:
    """A new token as it stands after its first walk."""
    _ADD_TOKEN(
        session,
        {
            "id": token_id,
            "instance_id": standing.id,
            "step_key": step,
            "state": state,
            "fork_id": None,
            "since": moment(session),
        },
    )


def move_token(session: Session, token_id: int, step: str, state: str) -> None:
    """Where the token stands now."""
    _MOVE_TOKEN(
        session,
        {"at_token": token_id, "step_key": step, "state": state, "since": moment(session)},
    )


def write_back(session: Session, standing: Standing) -> None:
    """What the steps know now, and whether the instance has ended. Raises Again when another
    transition came between, which `lock` does not let happen."""
    ended = standing.state == InstanceState.ENDED
    written = _WRITE_BACK(
        session,
        {
            "at_instance": standing.id,
            "at_revision": standing.revision,
            "state": standing.state,
            "names": kept_names(standing.run),
            "visits": standing.run.visits,
            "ended_at": moment(session) if ended else None,
            "result": standing.result,
        },
    )
    if written != 1:
        raise Again()


def others_live(session: Session, instance_id: int, token_id: int) -> bool:
    """Whether the instance has another token that has not come to its end."""
    query = (
        select(tokens.c.id)
        .where(
            tokens.c.instance_id == instance_id,
            tokens.c.id != token_id,
            tokens.c.state.not_in([TokenState.ENDED, TokenState.CANCELLED]),
        )
        .limit(1)
    )
    return session.execute(query).one_or_none() is not None


def write_steps(session: Session, steps: Sequence[dict[str, Any]]) -> None:
    """The steps a walk took, in order."""
    if steps:
        _ADD_STEPS(session, list(steps))


@dataclass(frozen=True)
class NewWait:
    """What a token waits for: see `model.Wait` for each part."""

    instance_id: int
    token_id: int
    step_key: str
    kind: str
    arm: str | None = None
    form_key: str | None = None
    record_id: int | None = None
    what: str | None = None
    until: datetime | None = None


def add_wait(session: Session, new: NewWait) -> int:
    """A token waits at a step; returns the wait's id."""
    wait_id = new_id(session)
    _ADD_WAIT(session, {"id": wait_id, **new.__dict__, "since": moment(session)})
    return wait_id


def end_wait(session: Session, wait_id: int) -> Row[Any] | None:
    """The wait is over: its row goes and is returned; None when it has gone already."""
    return session.execute(
        delete(waits).where(waits.c.id == wait_id).returning(*waits.c)
    ).one_or_none()


def drop_waits(session: Session, token_id: int) -> list[int]:
    """The token waits for nothing any more; returns the ids of what it waited for."""
    gone = session.execute(delete(waits).where(waits.c.token_id == token_id).returning(waits.c.id))
    return [wait_id for (wait_id,) in gone]


def races_with(session: Session, task_id: int) -> bool:
    """Whether the task stands beside others in a race."""
    query = select(waits.c.id).where(waits.c.kind == "task", waits.c.record_id == task_id)
    return session.execute(query).first() is not None


def note_case(session: Session, token_id: int, step: str, case: str) -> None:
    """Why the token left the step it rested at: which arm came, say."""
    last = (
        select(func.max(steps_taken.c.id))
        .where(steps_taken.c.token_id == token_id, steps_taken.c.step_key == step)
        .scalar_subquery()
    )
    session.execute(update(steps_taken).where(steps_taken.c.id == last).values(case_key=case))


def close_incidents(session: Session, ids: Sequence[int], how: str) -> None:
    """They are over, because their flow went on without them."""
    if ids:
        session.execute(
            update(incidents)
            .where(incidents.c.id.in_(ids), incidents.c.closed_at.is_(None))
            .values(closed_at=moment(session), closed_how=how)
        )


def open_incident(
    session: Session,
    instance_id: int,
    token_id: int,
    step: str,
    code: str,
    params: dict[str, Any],
) -> int:
    """A step failed, and somebody has to look; returns the incident's id."""
    incident_id = new_id(session)
    _ADD_INCIDENT(
        session,
        {
            "id": incident_id,
            "instance_id": instance_id,
            "token_id": token_id,
            "step_key": step,
            "code": code,
            "params": params,
            "opened_at": moment(session),
        },
    )
    return incident_id


def told_actors(actors: Sequence[Offered]) -> list[dict[str, str]]:
    """Actors as an event keeps them."""
    return [
        {key: str(value) for key, value in actor.__dict__.items() if value is not None}
        for actor in actors
    ]


def told_moment(at: datetime | None) -> str | None:
    """A moment as JSON."""
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def token_at(session: Session, token_id: int) -> str:
    """The step a token stands at."""
    query = select(tokens.c.step_key).where(tokens.c.id == token_id)
    step: str = session.execute(query).scalar_one()
    return step
