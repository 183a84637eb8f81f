"""A token waits for a moment, for a record or an event, or for the first of several."""

from collections.abc import Generator
from datetime import datetime
from typing import Any

from ..actions.act import plain
from ..actions.commands import (
    Beside,
    Command,
    Evaluate,
    Listen,
    Look,
    Meeting,
    Named,
    Now,
    Reckon,
    Reckoned,
    Run,
    Sleep,
    StepFailed,
)
from .graph import Arm, Awaited, Node, RaceStep, WaitStep
from .moves import Entering, Move
from .person import Wanted, offered, prepared

Ready = Reckoned | Meeting | Wanted


def enter(run: Run, node: Node) -> Entering:
    """Sleep or listen; a moment that is blank or past, and a record there already, go on."""
    step = node.step
    assert isinstance(step, WaitStep)
    if step.when is not None:
        until = yield Reckon(step.when, dict(run.names))
        if until.at is None or until.at <= (yield Now()):
            return Move.on(node.next)
        yield Sleep(node.key, until)
        return Move.rest()
    assert step.awaited
    meeting = yield from met(run, node.key, step.awaited)
    if (yield from here_already(run, node.key, meeting)):
        return Move.on(node.next)
    yield Listen(node.key, meeting)
    return Move.rest()


def race(run: Run, node: Node) -> Entering:
    """What is over already wins at once, the first in order; else all are waited for."""
    step = node.step
    assert isinstance(step, RaceStep)
    now = yield Now()
    ready: list[tuple[str, Ready]] = []
    for arm in step.arms:
        wanted = yield from _wanted(run, arm, now)
        if wanted is None:
            run.names[node.key] = Named(outcome=arm.key)
            return Move.on(arm.to, arm.key)
        ready.append((arm.key, wanted))
    # Nothing may fail from here on: this step is not undone.
    for key, wanted in ready:
        if isinstance(wanted, Reckoned):
            yield Sleep(node.key, wanted, key)
        elif isinstance(wanted, Meeting):
            yield Listen(node.key, wanted, key)
        else:
            for task in (yield from offered(key, wanted)):
                yield Beside(node.key, key, task)
    return Move.rest()


def _wanted(run: Run, arm: Arm, now: datetime) -> Generator[Command, Any, Ready | None]:
    """What an arm waits for, ready to be put down; None when it is over already."""
    if arm.when is not None:
        until: Reckoned = yield Reckon(arm.when, dict(run.names))
        return None if until.at is None or until.at <= now else until
    if arm.awaited is not None:
        meeting = yield from met(run, arm.key, arm.awaited)
        over = yield from here_already(run, arm.key, meeting)
        return None if over else meeting
    assert arm.task
    return (yield from prepared(run, arm.task))


def met(run: Run, key: str, awaited: Awaited) -> Generator[Command, Any, Meeting]:
    """What is to come, and about which record."""
    about = None
    if awaited.about is not None:
        value = yield Evaluate(awaited.about, dict(run.names))
        record = plain(value)
        if not record:
            raise StepFailed("E_NOTHING_TO_WAIT_FOR", step=key)
        about = Named(awaited.about_form, int(record))
    if awaited.event is not None:
        return Meeting("event", awaited.event, about)
    return Meeting("record", awaited.link or "", about, awaited.form)


def here_already(run: Run, key: str, meeting: Meeting) -> Generator[Command, Any, bool]:
    """Whether the record came before it was waited for; then the key stands for it. An event
    that was raised before is over. One that was met here once is not met again."""
    if meeting.kind != "record":
        return False
    before = run.names.get(key)
    found = yield Look(meeting, (before.id if before else None) or 0)
    if found is None:
        return False
    run.names[key] = Named(meeting.comes_as, found)
    return True
