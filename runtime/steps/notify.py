"""People are told something, or a message to the customer is put down; nobody is waited for."""

from ..actions.act import plain
from ..actions.commands import (
    Evaluate,
    Named,
    Notice,
    Now,
    Reckon,
    Reckoned,
    Resolve,
    Run,
    StepFailed,
    Unsend,
)
from ..tasks.actors import Offered
from .graph import Node, NotifyStep
from .moves import Entering, Move


def enter(run: Run, node: Node) -> Entering:
    """Write each message with the moment it is due; earlier ones of this step are dropped."""
    step = node.step
    assert isinstance(step, NotifyStep)
    people: dict[Offered, None] = {}
    customer = None
    if step.customer is not None:
        value = yield Evaluate(step.customer, dict(run.names))
        record = plain(value)
        if not record:
            raise StepFailed("E_NO_CUSTOMER", step=node.key)
        customer = Named(step.customer_form, int(record))
    for who in step.who:
        people.update(dict.fromkeys((yield Resolve(who, dict(run.names), each=True))))
    if customer is None and not people:
        raise StepFailed("E_NOBODY", who=node.key)
    moments = []
    for when in step.at:
        moments.append((yield Reckon(when, dict(run.names))))
    if not moments:
        moments.append(Reckoned((yield Now())))
    yield Unsend(node.key)
    for number, at in enumerate(moments):
        yield Notice(node.key, number, at, tuple(people), customer)
    return Move.on(node.next)
