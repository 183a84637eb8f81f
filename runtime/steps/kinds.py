"""The kinds of step there are."""

from collections.abc import Callable
from dataclasses import dataclass

from ..actions.commands import Run
from . import act, call, notify, person, rounds, route, wait
from .graph import Node
from .moves import Entering


@dataclass(frozen=True)
class StepKind:
    """A table entry: what happens when a token comes to such a step.

    writes: it may write records, so the shell takes a savepoint before it.
    """

    name: str
    enter: Callable[[Run, Node], Entering]
    writes: bool = False


STEPS = {
    kind.name: kind
    for kind in (
        StepKind("task", person.enter),
        StepKind("approve", person.enter),
        StepKind("action", act.enter, writes=True),
        StepKind("notify", notify.enter, writes=True),
        StepKind("call", call.enter, writes=True),
        StepKind("branch", route.branch),
        StepKind("repeat", rounds.begin),
        StepKind("race", wait.race),
        StepKind("wait", wait.enter),
        StepKind("go_to", route.go_to),
        StepKind("end", route.end),
    )
}

AGAIN = "again"
WALKED = {**STEPS, AGAIN: StepKind(AGAIN, rounds.again)}
"""Also the end of a repeat's round, a node of its own that no document names."""
