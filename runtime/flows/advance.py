"""The step function: one token walks on until it rests, ends, or is in trouble. Pure."""

from collections.abc import Generator
from typing import Any

from ..actions.commands import Command, Enter, Finish, Later, Leave, Rest, Run, StepFailed, Trouble
from ..steps.graph import Graph
from ..steps.kinds import WALKED

BUDGET = 100
"""Steps a token takes in one transaction before it goes on in another."""

Walk = Generator[Command, Any, Run]


def advance(graph: Graph, run: Run, at: str | None, came_from: str, budget: int = BUDGET) -> Walk:
    """Yield commands from the step `at` on, and return the run as it is then.

    Each yield is answered with the command's result; a command that cannot be carried out is
    answered by throwing StepFailed in. The given run is not changed. Commands and results
    decide everything: replaying the results gives the same commands.
    """
    run = run.copy()
    last = came_from
    for _ in range(budget):
        if at is None:
            # The publish check lets no such flow through; one from elsewhere still must not hang.
            yield Enter(last, writes=False)
            yield Trouble(last, "E_FLOW_NO_END", {"step": last})
            return run
        node = graph.nodes[at]
        kind = WALKED[node.kind]
        before = run.copy()
        yield Enter(at, kind.writes)
        try:
            move = yield from kind.enter(run, node)
        except StepFailed as failure:
            yield Trouble(at, failure.code, failure.params)
            return before
        if move.how == "rest":
            yield Rest(at)
            return run
        if move.how == "end":
            yield Finish(at)
            return run
        yield Leave(at, move.to, move.case)
        last, at = at, move.to
    yield Later(last if at is None else at)
    return run
