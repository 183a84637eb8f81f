"""Another system is called, and the token waits until it has answered."""

from ..actions.commands import Call, Evaluate, Named, Run, StepFailed
from .graph import CallStep, Node
from .moves import Entering, Move

ANSWERED, FAILED, SKIPPED, ABSENT = "answered", "failed", "skipped", "absent"
"""Outcomes of a call: it came back; it was given up, and the flow says what then; somebody went on
without it; nobody has set its connection up, and the step may do without."""
GIVEN_UP = "given_up"
"""How a history notes that its flow said what then; `failed` it notes where an incident is."""


def enter(run: Run, node: Node) -> Entering:
    """Work out what is sent, have it sent, and rest."""
    step = node.step
    assert isinstance(step, CallStep)
    values = []
    for path, formula in step.body:
        values.append((path, (yield Evaluate(formula, dict(run.names)))))
    # What an earlier round was answered is not this one's.
    run.names.pop(node.key, None)
    if (yield Call(node.key, tuple(values))):
        return Move.rest()
    if not step.optional:
        raise StepFailed("E_NO_CONNECTION", name=step.connection)
    run.names[node.key] = Named(outcome=ABSENT)
    return Move.on(node.next)
