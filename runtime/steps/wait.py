"""A token waits for a while, or until a moment."""

from datetime import datetime

from ..actions.commands import After, Evaluate, Now, Run, Sleep, StepFailed
from .graph import Node, WaitStep
from .moves import Entering, Move


def enter(run: Run, node: Node) -> Entering:
    """Sleep; a moment that is blank or past goes straight on."""
    step = node.step
    assert isinstance(step, WaitStep)
    if step.duration is not None:
        until = yield After(step.duration, step.calendar)
    else:
        assert step.until
        until = yield Evaluate(step.until, dict(run.names))
        if until is None:
            return Move.on(node.next)
        if not isinstance(until, datetime):
            raise StepFailed("E_NOT_A_MOMENT", step=node.key)
        if until <= (yield Now()):
            return Move.on(node.next)
    yield Sleep(node.key, until)
    return Move.rest()
