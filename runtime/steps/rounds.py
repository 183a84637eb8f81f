"""Steps in rounds: the beginning of a repeat, and the end of each round."""

from collections.abc import Generator
from typing import Any

from ..actions.commands import Command, Evaluate, Named, Now, Reckon, Run, Sleep, When
from .graph import AgainStep, Node, RepeatStep
from .moves import Entering, Move

NEW, UNTIL, SPENT = "round", "until", "spent"


def begin(run: Run, node: Node) -> Entering:
    """The first round, after its wait if it has one."""
    step = node.step
    assert isinstance(step, RepeatStep)
    run.names[node.key] = Named(round=1)
    return (yield from _wait(run, node, step.wait(1)))


def again(run: Run, node: Node) -> Entering:
    """Out when the condition is true or all rounds are done; else the next one."""
    step = node.step
    assert isinstance(step, AgainStep)
    if step.until is not None and (yield Evaluate(step.until, dict(run.names))) is True:
        return Move.on(step.after, UNTIL)
    named = run.names.get(step.of)
    rounds = (named.round if named is not None else None) or 1
    if rounds >= step.times:
        return Move.on(step.after, SPENT)
    run.names[step.of] = Named(round=rounds + 1)
    return (yield from _wait(run, node, step.waits.wait(rounds + 1)))


def _wait(run: Run, node: Node, when: When | None) -> Generator[Command, Any, Move]:
    """Sleep before the round; a moment that is blank or past does not hold it up."""
    if when is None:
        return Move.on(node.next, NEW)
    until = yield Reckon(when, dict(run.names))
    if until.at is None or until.at <= (yield Now()):
        return Move.on(node.next, NEW)
    yield Sleep(node.key, until)
    return Move.rest()
