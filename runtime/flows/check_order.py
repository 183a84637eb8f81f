"""No name is read before some step on some way there has given it a meaning."""

from collections.abc import Iterable, Iterator

from ...platform.store.errors import Problem
from ..actions.commands import When
from ..actions.formula import Formula
from ..steps.graph import (
    ActionStep,
    AgainStep,
    Awaited,
    BranchStep,
    CallStep,
    Graph,
    NotifyStep,
    RaceStep,
    RepeatStep,
    Step,
    TaskStep,
    WaitStep,
)
from .paths import gives, may_be_known
from .shape import Shape

Found = Iterator[Problem]


def order_problems(shape: Shape, graph: Graph) -> Found:
    """Each formula that reads what cannot be there yet."""
    handed = {key for key, _ in graph.given}
    given = {key for laid in shape.nodes.values() for key in gives(laid)} | handed
    if graph.start_when is not None:
        yield from _unknown(graph.start_when, given, set())
    before = may_be_known(shape, handed)
    for key, node in graph.nodes.items():
        known_here = set(before[key])
        if isinstance(node.step, ActionStep):
            for act in node.step.do:
                for formula in act.formulas():
                    yield from _unknown(formula, given, known_here)
                known_here.add(act.key)
        for formula in formulas_of(node.step):
            yield from _unknown(formula, given, known_here)


def formulas_of(step: Step) -> Iterable[Formula]:
    """The formulas of a step other than its actions'."""
    match step:
        case TaskStep():
            yield from (formula for _, formula in step.prefill)
            yield from _moments(step.due, *(limit.when for limit in step.limits))
        case BranchStep():
            yield from (case.when for case in step.cases if case.when is not None)
        case WaitStep():
            yield from _moments(step.when)
            yield from _about(step.awaited)
        case RaceStep():
            for arm in step.arms:
                yield from _moments(arm.when)
                yield from _about(arm.awaited)
        case RepeatStep():
            yield from _moments(*(step.waits[:1] if step.first else ()))
        case AgainStep():
            yield from (step.until,) if step.until is not None else ()
            yield from _moments(*step.waits.waits[1 if step.waits.first else 0 :])
        case NotifyStep():
            yield from (step.customer,) if step.customer is not None else ()
            yield from (formula for _, formula in step.values)
            yield from _moments(*step.at)
        case CallStep():
            yield from (formula for _, formula in step.body)


def _moments(*moments: When | None) -> Iterator[Formula]:
    for when in moments:
        yield from when.formulas if when is not None else ()


def _about(awaited: Awaited | None) -> Iterator[Formula]:
    if awaited is not None and awaited.about is not None:
        yield awaited.about


def _unknown(formula: Formula, given: set[str], known_here: set[str]) -> Found:
    for name in sorted((formula.names & given) - known_here):
        yield Problem(formula.at, "E_FLOW_NOT_YET", {"name": name})
