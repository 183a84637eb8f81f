"""An instance as its transitions see it: locked first, written back last."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from ...platform.identity.actor import Actor
from ...platform.store.errors import Conflict
from ...platform.store.hot import Hot
from ..actions.commands import Named, Run
from ..actions.sight import Sight
from ..tasks.hold import found, lost
from ..tasks.model import TaskState, tasks
from .model import InstanceState, instances


@dataclass
class Standing:
    """What a transition needs of an instance's row. `run` is what its steps know."""

    id: int
    flow_key: str
    flow_version: int
    subject_form: str
    subject_id: int
    unit_id: int | None
    state: str
    revision: int
    run: Run
    result: str | None = None


_READ = select(
    instances.c.id,
    instances.c.flow_key,
    instances.c.flow_version,
    instances.c.subject_form,
    instances.c.subject_id,
    instances.c.unit_id,
    instances.c.state,
    instances.c.revision,
    instances.c.names,
    instances.c.visits,
)
_THIS = _READ.where(instances.c.id == bindparam("at_instance"))
_LOCK = Hot(_THIS.with_for_update())
_LOCK_FREE = Hot(_THIS.with_for_update(skip_locked=True))
_its = select(tasks.c.instance_id).where(tasks.c.id == bindparam("at_task")).scalar_subquery()
_LOCK_BY_TASK = Hot(_READ.where(instances.c.id == _its).with_for_update())


def lock(session: Session, instance_id: int, *, wait: bool = True) -> Standing | None:
    """Take the instance for this transaction: every transition does so before anything else.

    wait: whether to wait while another transition has it (a person does; a timer that is due
    comes back to it). None when there is none, or another has it. On SQLite transactions take
    turns, so whoever reads it has it.
    """
    taken = (_LOCK if wait else _LOCK_FREE).first(session, {"at_instance": instance_id})
    return None if taken is None else _standing(taken)


def lock_by_task(session: Session, task_id: int) -> Standing | None:
    """Take the instance that a task belongs to; None when there is no such task."""
    taken = _LOCK_BY_TASK.first(session, {"at_task": task_id})
    return None if taken is None else _standing(taken)


def take_open(session: Session, actor: Actor, task_id: int) -> tuple[Any, Standing]:
    """An open task with its instance taken, both as they stand now that nobody else moves them.

    Raises NotFound, and Conflict when somebody was faster.
    """
    standing = lock_by_task(session, task_id)
    task = found(session, task_id)
    if standing is None or task.state != TaskState.OPEN:
        raise lost(session, actor, task_id)
    return task, standing


def need_running(standing: Standing) -> None:
    """Raises Conflict while the instance is suspended."""
    if standing.state == InstanceState.SUSPENDED:
        raise Conflict("E_FLOW_SUSPENDED")


def sight_of(session: Session, standing: Standing) -> Sight:
    """What the instance's expressions see, read afresh in this transaction."""
    return Sight(session, standing.subject_form, standing.subject_id)


def _standing(row: Any) -> Standing:
    return Standing(
        row.id,
        row.flow_key,
        row.flow_version,
        row.subject_form,
        row.subject_id,
        row.unit_id,
        row.state,
        row.revision,
        run_of(row.names, row.visits),
    )


def run_of(names: Mapping[str, Any], visits: Mapping[str, int]) -> Run:
    """The run as its instance keeps it."""
    return Run({key: Named(**named) for key, named in names.items()}, dict(visits))


def kept_names(run: Run) -> dict[str, Any]:
    """The names as their instance keeps them: parts that say something."""
    return {
        key: {part: value for part, value in named.__dict__.items() if value is not None}
        for key, named in run.names.items()
    }
