"""A person fills in a form or chooses an outcome."""

from ..actions.commands import After, Offer, Resolve, Run, SetLimit, StepFailed, Who
from .graph import Node, TaskStep
from .moves import Entering, Move


def enter(run: Run, node: Node) -> Entering:
    """Offer the task, with its due time and limits, and rest."""
    step = node.step
    assert isinstance(step, TaskStep)
    actors = yield Resolve(step.who, dict(run.names))
    if not actors:
        raise StepFailed("E_NOBODY", who=described(step))
    due_at = (yield After(step.due, step.calendar)) if step.due else None
    limits = []
    for limit in step.limits:
        at = yield After(limit.after, limit.calendar or step.calendar)
        limits.append((limit.key, at))
    # Nothing may fail once the task is there: this step is not undone.
    task = yield Offer(node.key, actors, due_at)
    for key, at in limits:
        yield SetLimit(task, key, at)
    return Move.rest()


def described(step: TaskStep) -> str:
    """The names of who was asked for, first to last: `owner, lead_supervisor`."""
    names = []
    who: Who | None = step.who
    while who is not None:
        names.append(who.field or who.role or who.person or "")
        who = who.otherwise
    return ", ".join(names)
