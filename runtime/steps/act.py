"""A step that carries out actions."""

from ..actions.act import perform
from ..actions.commands import Run
from .graph import ActionStep, Node
from .moves import Entering, Move


def enter(run: Run, node: Node) -> Entering:
    """All of them, then on."""
    assert isinstance(node.step, ActionStep)
    yield from perform(node.step.do, run)
    return Move.on(node.next)
