"""A person fills in a form or chooses an outcome; several say yes or no."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any

from ..actions.commands import (
    Command,
    Offer,
    Reckon,
    Reckoned,
    Resolve,
    Run,
    SetLimit,
    StepFailed,
    Who,
)
from ..tasks.actors import Offered
from .graph import Node, TaskStep
from .moves import Entering, Move

NO_TIME = Reckoned(None)


@dataclass(frozen=True)
class Wanted:
    """A task ready to be offered; to each of the groups one of its own."""

    groups: tuple[tuple[Offered, ...], ...]
    due: Reckoned
    limits: tuple[tuple[str, Reckoned], ...]


def enter(run: Run, node: Node) -> Entering:
    """Offer the task, with its due time and limits, and rest."""
    step = node.step
    assert isinstance(step, TaskStep)
    wanted = yield from prepared(run, step)
    # Nothing may fail once the task is there: this step is not undone.
    yield from offered(node.key, wanted)
    return Move.rest()


def prepared(run: Run, step: TaskStep) -> Generator[Command, Any, Wanted]:
    """Who is asked, and by when. Raises StepFailed when it is nobody."""
    but = frozenset(
        named.by
        for key in step.not_by
        if (named := run.names.get(key)) is not None and named.by is not None
    )
    groups = yield from _groups(run, step, but)
    if not groups:
        raise StepFailed("E_NOBODY", who=described(step))
    due = (yield Reckon(step.due, dict(run.names))) if step.due else NO_TIME
    limits = []
    for limit in step.limits:
        limits.append((limit.key, (yield Reckon(limit.when, dict(run.names)))))
    return Wanted(groups, due, tuple(limits))


def _groups(
    run: Run, step: TaskStep, but: frozenset[int]
) -> Generator[Command, Any, tuple[tuple[Offered, ...], ...]]:
    """Those who are asked together; where every one has to approve, each alone."""
    approval = step.approval
    every = approval is not None and approval.every
    found: dict[Offered, None] = {}
    for who in approval.who if approval is not None else (step.who,):
        actors = yield Resolve(who, dict(run.names), but, each=every or bool(but))
        if every and not actors:
            return ()  # an approval that somebody must give is not given without them
        found.update(dict.fromkeys(actors))
    if every:
        return tuple((actor,) for actor in found)
    return (tuple(found),) if found else ()


def offered(key: str, wanted: Wanted) -> Generator[Command, Any, list[int]]:
    """Put it before them; the ids of the tasks."""
    tasks = []
    for actors in wanted.groups:
        task = yield Offer(key, actors, wanted.due)
        for limit, at in wanted.limits:
            yield SetLimit(task, limit, at)
        tasks.append(task)
    return tasks


def described(step: TaskStep) -> str:
    """The names of who was asked for, first to last: `owner, lead_supervisor`."""
    asked: Iterable[Who] = step.approval.who if step.approval else (step.who,)
    names = []
    for each in asked:
        who: Who | None = each
        while who is not None:
            names.append(who.field or who.role or who.person or "")
            who = who.otherwise
    return ", ".join(names)
