"""A compiled flow: nodes and where each leads. Made once a version (`flows/definition.py`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from ..actions.act import Act
from ..actions.commands import Who
from ..actions.formula import Formula

Text: TypeAlias = Any
"""A string, or {"zh-CN": …, "en": …}."""


@dataclass(frozen=True)
class Limit:
    """What happens when a task is still open so long after it was offered."""

    key: str
    after: timedelta
    calendar: str | None
    do: str
    to: Who | None


@dataclass(frozen=True)
class Outcome:
    """One of the answers a person chooses from when completing a task."""

    key: str
    title: Text


@dataclass(frozen=True)
class TaskStep:
    """A person fills in a form, or only chooses an outcome."""

    form: str | None
    who: Who
    calendar: str | None = None
    prefill: tuple[tuple[str, Formula], ...] = ()
    due: timedelta | None = None
    limits: tuple[Limit, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    help: Text = None

    def limit(self, key: str) -> Limit | None:
        return next((limit for limit in self.limits if limit.key == key), None)


@dataclass(frozen=True)
class ActionStep:
    """Actions, one after another, all or none."""

    do: tuple[Act, ...]


@dataclass(frozen=True)
class Case:
    """One way on from a branch; without a condition it always holds."""

    key: str
    when: Formula | None
    to: str | None
    title: Text = None


@dataclass(frozen=True)
class BranchStep:
    """The first case that holds."""

    cases: tuple[Case, ...]


@dataclass(frozen=True)
class WaitStep:
    """For a duration (in a calendar's open hours, if named) or until a moment."""

    duration: timedelta | None = None
    until: Formula | None = None
    calendar: str | None = None


@dataclass(frozen=True)
class GoToStep:
    """To a named step, so many times in an instance; after that, on to the next step."""

    to: str
    visits: int


@dataclass(frozen=True)
class EndStep:
    """The token ends."""


Step: TypeAlias = TaskStep | ActionStep | BranchStep | WaitStep | GoToStep | EndStep


@dataclass(frozen=True)
class Node:
    """One step in its place. at: the JSON pointer of the step in the document."""

    key: str
    kind: str
    step: Step
    next: str | None
    title: Text = None
    at: str = ""

    def ways(self) -> Iterator[str | None]:
        """Every key that may come next; None where the path falls off the end."""
        match self.step:
            case BranchStep(cases):
                yield from (case.to for case in cases)
            case GoToStep(to):
                yield to
                yield self.next
            case EndStep():
                return
            case _:
                yield self.next


@dataclass(frozen=True)
class Graph:
    """A flow's version, ready to run."""

    key: str
    version: int
    subject: str
    first: str
    nodes: Mapping[str, Node]
    title: Text = None
    start_on: str | None = None
    start_when: Formula | None = None
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def task(self, key: str) -> TaskStep:
        """The task step of that key; KeyError when there is none."""
        step = self.nodes[key].step
        if not isinstance(step, TaskStep):
            raise KeyError(key)
        return step
