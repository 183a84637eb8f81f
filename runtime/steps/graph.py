"""A compiled flow: nodes and where each leads. Made once a version (`flows/definition.py`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeAlias

from ..actions.act import Act
from ..actions.commands import When, Who
from ..actions.formula import Formula

Text: TypeAlias = Any
"""A string, or {"zh-CN": …, "en": …}."""


RETURNED = "returned"
TAKEN_BACK = "taken_back"
"""The outcome of a task that was returned to a step before."""


@dataclass(frozen=True)
class Limit:
    """What happens when a task is still open at a moment, or so long after it was offered."""

    key: str
    when: When
    do: str
    to: Who | None


@dataclass(frozen=True)
class Outcome:
    """One of the answers a person chooses from when completing a task.

    form: whether the form is filled in as well. comment: whether a reason has to be given.
    """

    key: str
    title: Text
    form: bool = True
    comment: bool = False


@dataclass(frozen=True)
class Approval:
    """That a task asks for a yes or a no. every: whether each who is asked has to approve.

    about: the key whose record is approved. rejected: where a no leads.
    """

    who: tuple[Who, ...]
    every: bool
    about: str | None
    rejected: str | None


@dataclass(frozen=True)
class TaskStep:
    """A person fills in a form, or only chooses an outcome.

    edits: the key of a record that is changed instead of making a new one. take: taking it is
    doing it. not_by: steps whose last doer is not asked. returns: steps of people to which whoever
    has it may return it, once they have been done.
    """

    form: str | None
    who: Who
    calendar: str | None = None
    prefill: tuple[tuple[str, Formula], ...] = ()
    due: When | None = None
    limits: tuple[Limit, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    help: Text = None
    edits: str | None = None
    take: bool = False
    not_by: tuple[str, ...] = ()
    approval: Approval | None = None
    returns: tuple[str, ...] = ()

    def limit(self, key: str) -> Limit | None:
        return next((limit for limit in self.limits if limit.key == key), None)

    def outcome(self, key: str | None) -> Outcome | None:
        return next((one for one in self.outcomes if one.key == key), None)

    @property
    def moves(self) -> bool:
        """Whether its due time or a limit moves with a record."""
        moments = [self.due, *(limit.when for limit in self.limits)]
        return any(when is not None and when.formulas for when in moments)


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
class Awaited:
    """A record that is submitted, or an event that is raised, and about which record.

    form, link: of the record that comes; its link leads to `about`. event: its name. Without
    `about`, it is about the subject. about_form: the form of that record.
    """

    form: str | None = None
    link: str | None = None
    event: str | None = None
    about: Formula | None = None
    about_form: str | None = None


@dataclass(frozen=True)
class WaitStep:
    """Until a moment, or until something comes."""

    when: When | None = None
    awaited: Awaited | None = None


@dataclass(frozen=True)
class Arm:
    """One of those that race: a moment, something that comes, or a task of this key."""

    key: str
    when: When | None
    awaited: Awaited | None
    task: TaskStep | None
    to: str | None
    title: Text = None


@dataclass(frozen=True)
class RaceStep:
    """The first that comes; the others are dropped."""

    arms: tuple[Arm, ...]

    def arm(self, key: str | None) -> Arm | None:
        return next((arm for arm in self.arms if arm.key == key), None)


@dataclass(frozen=True)
class RepeatStep:
    """Rounds of steps. waits: before each round (before the first too: `first`), the last one
    again and again when there are more rounds."""

    waits: tuple[When, ...] = ()
    first: bool = False

    def wait(self, round: int) -> When | None:
        """The wait before a round, counted from 1."""
        number = round - 1 if self.first else round - 2
        if number < 0 or not self.waits:
            return None
        return self.waits[min(number, len(self.waits) - 1)]


@dataclass(frozen=True)
class AgainStep:
    """The end of a round of the repeat `of`: another one, or on to `after`."""

    of: str
    until: Formula | None
    times: int
    waits: RepeatStep
    after: str | None


@dataclass(frozen=True)
class NotifyStep:
    """Messages to people, or to a customer, at moments; at once without any."""

    text: Text
    who: tuple[Who, ...] = ()
    customer: Formula | None = None
    customer_form: str | None = None
    values: tuple[tuple[str, Formula], ...] = ()
    at: tuple[When, ...] = ()


@dataclass(frozen=True)
class CallStep:
    """Another system is told, and its answer waited for. body: (path in it, what stands there).

    saves: what of the answer is kept, (name, path, type). within: after so long it is given up.
    failed: where that leads; an incident without. optional: gone past while nobody has set the
    connection up.
    """

    connection: str
    body: tuple[tuple[tuple[str, ...], Formula], ...]
    saves: tuple[tuple[str, str, str], ...]
    within: timedelta
    failed: str | None = None
    optional: bool = False


@dataclass(frozen=True)
class GoToStep:
    """To a named step, so many times in an instance; after that, on to the next step."""

    to: str
    visits: int


@dataclass(frozen=True)
class EndStep:
    """The token ends. result: how the flow came out."""

    result: str | None = None


Step: TypeAlias = (
    TaskStep
    | ActionStep
    | NotifyStep
    | CallStep
    | BranchStep
    | RepeatStep
    | AgainStep
    | RaceStep
    | WaitStep
    | GoToStep
    | EndStep
)


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
            case RaceStep(arms):
                yield from (arm.to for arm in arms)
            case GoToStep(to):
                yield to
                yield self.next
            case AgainStep():
                yield self.next
                yield self.step.after
            case TaskStep(approval=Approval(rejected=rejected)):
                yield self.next
                yield rejected
            case CallStep(failed=str() as failed):
                yield self.next
                yield failed
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
    given: tuple[tuple[str, str], ...] = ()
    """What whoever starts it hands over: (name, form)."""
    start_on: str | None = None
    start_when: Formula | None = None
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def races(self) -> Mapping[str, str]:
        """Of each task that stands beside others in a race, that race."""
        return {
            arm.key: node.key
            for node in self.nodes.values()
            if isinstance(node.step, RaceStep)
            for arm in node.step.arms
            if arm.task is not None
        }

    def task(self, key: str) -> TaskStep:
        """The task step of that key; KeyError when there is none."""
        step = self.nodes[key].step
        if not isinstance(step, TaskStep):
            raise KeyError(key)
        return step
