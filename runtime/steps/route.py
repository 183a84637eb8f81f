"""Steps that only choose the way: branch, go_to, end."""

from collections.abc import Generator
from typing import Any

from ..actions.commands import Command, Evaluate, Run, StepFailed
from .graph import BranchStep, GoToStep, Node
from .moves import Entering, Move


def branch(run: Run, node: Node) -> Entering:
    """The first case whose condition is true; only `true` counts as true."""
    assert isinstance(node.step, BranchStep)
    for case in node.step.cases:
        holds = True if case.when is None else (yield Evaluate(case.when, dict(run.names)))
        if holds is True:
            return Move.on(case.to, case.key)
    raise StepFailed("E_NO_CASE", step=node.key)


def go_to(run: Run, node: Node) -> Entering:
    """Back or forward to the named step, until its visits are spent; then straight on."""
    assert isinstance(node.step, GoToStep)
    taken = run.visits.get(node.key, 0)
    if taken >= node.step.visits:
        return Move.on(node.next, "spent")
    run.visits[node.key] = taken + 1
    return Move.on(node.step.to, "taken")
    yield  # a generator like the others, though it asks nothing


def end(run: Run, node: Node) -> Generator[Command, Any, Move]:
    """The token ends here."""
    return Move.end()
    yield
