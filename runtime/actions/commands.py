"""What a step or an action may ask of the shell, and what it hears back.

A step is a generator: it yields commands and is sent their results, so the same step serves a
live instance, a rehearsal and a replay. A command names everything it needs; none holds a session.
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, TypeAlias

from ..tasks.actors import Offered
from .formula import Formula


class StepFailed(Exception):
    """A step cannot be done; the shell throws it in, or the step raises it. Becomes an incident.

    code: E_…, its sentence is the catalogue's `problem.<code>` filled with params.
    """

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


@dataclass(frozen=True)
class Named:
    """What a step or an action produced under its key, in parts; those it has none of are None.

    at, by: when a person did it, as ISO text, and who. round: of a repeat, from 1 on. answer: of
    a call what was kept of what came back, [[name, type, text], …].
    """

    form: str | None = None
    id: int | None = None
    outcome: str | None = None
    person: int | None = None
    at: str | None = None
    by: int | None = None
    round: int | None = None
    answer: Any = field(default=None, hash=False)


@dataclass
class Run:
    """What the steps know of their instance, copied from its row and given back to it."""

    names: dict[str, Named] = field(default_factory=dict)
    visits: dict[str, int] = field(default_factory=dict)

    def copy(self) -> "Run":
        return Run(dict(self.names), dict(self.visits))


@dataclass(frozen=True)
class Evaluate:
    """Work an expression out over the subject and the names so far -> its Python value."""

    formula: Formula
    names: dict[str, Named]


@dataclass(frozen=True)
class Find:
    """The newest live record of the form where every field equals its value -> id or None."""

    form: str
    where: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Create:
    """Submit a record of the form through the door -> its id."""

    form: str
    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Change:
    """Change a record through the door (the subject when `record` is None) -> None.

    add, remove: put into fields of several choices, and taken out of them.
    """

    record: Named | None
    values: tuple[tuple[str, Any], ...]
    add: tuple[tuple[str, Any], ...] = ()
    remove: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Assign:
    """Choose who of a role takes the subject, and write it there -> the person's id or None.

    open: which of a person's records count as open; daily: most new ones a day, by `at`.
    """

    role: str
    field: str
    at: str | None
    open: Formula | None
    daily: int | None


@dataclass(frozen=True)
class Who:
    """Who is meant: one of field, role, person (a login); when that is nobody, `otherwise`."""

    field: str | None = None
    role: str | None = None
    person: str | None = None
    otherwise: "Who | None" = None


@dataclass(frozen=True)
class Resolve:
    """Who that is now -> tuple of Offered, empty when it is nobody.

    but: people who are not meant. each: people by name, also where a role is meant.
    """

    who: Who
    names: dict[str, Named]
    but: frozenset[int] = frozenset()
    each: bool = False


@dataclass(frozen=True)
class When:
    """When something falls due. One of duration, until and clock; see the flow's schema.

    duration: from now, in the calendar's open hours if one is named. until: so long (`offset`)
    after a moment that records decide. clock: a time of day, `day` days after the day of `after`
    (of now without), or the next such time.
    """

    duration: timedelta | None = None
    until: Formula | None = None
    offset: timedelta | None = None
    clock: time | None = None
    day: int | None = None
    after: Formula | None = None
    calendar: str | None = None

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """What it is worked out from; when there is any, it moves with the records."""
        return tuple(each for each in (self.until, self.after) if each is not None)


@dataclass(frozen=True)
class Reckoned:
    """A moment, or None when what decides it is blank. reads: the records (form, id) it is
    worked out from; when one of them changes, it is worked out again."""

    at: datetime | None
    reads: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Reckon:
    """When that is, counted from now -> Reckoned."""

    when: When
    names: dict[str, Named]


@dataclass(frozen=True)
class Offer:
    """Offer the step's task to these actors -> the task's id."""

    step: str
    actors: tuple[Offered, ...]
    due: Reckoned


@dataclass(frozen=True)
class SetLimit:
    """Have a time limit of a task fall due -> None."""

    task: int
    limit: str
    at: Reckoned


@dataclass(frozen=True)
class Meeting:
    """A record or an event that may come.

    kind: `record` or `event`. what: the link field of the record's form `comes_as`, or the
    event's name. about: the record it leads to or is raised about; the subject when None.
    """

    kind: str
    what: str
    about: Named | None
    comes_as: str | None = None


@dataclass(frozen=True)
class Look:
    """Whether the record of a meeting is there already, newer than `since` -> its id or None."""

    meeting: Meeting
    since: int


@dataclass(frozen=True)
class Sleep:
    """Wait at the step until a moment -> None. arm: of a race."""

    step: str
    until: Reckoned
    arm: str | None = None


@dataclass(frozen=True)
class Listen:
    """Wait at the step for a meeting -> None. arm: of a race."""

    step: str
    meeting: Meeting
    arm: str | None = None


@dataclass(frozen=True)
class Beside:
    """A race waits for a task as well -> None."""

    step: str
    arm: str
    task: int


@dataclass(frozen=True)
class Notice:
    """A message of a notify step: to people, or to a customer's record -> None.

    number: which of the step's moments it is.
    """

    step: str
    number: int
    at: Reckoned
    people: tuple[Offered, ...] = ()
    customer: Named | None = None


@dataclass(frozen=True)
class Unsend:
    """Drop the messages of a notify step that are not sent yet -> None."""

    step: str


@dataclass(frozen=True)
class Launch:
    """Have a flow started about a record, given others by its names for them -> None."""

    flow: str
    about: Named
    give: tuple[tuple[str, Named], ...]


@dataclass(frozen=True)
class Raise:
    """Say that an event happened to a record -> None."""

    event: str
    about: Named


@dataclass(frozen=True)
class Call:
    """Have the step's call sent, with these values in its body's places -> whether its connection
    is set up; nothing is sent otherwise."""

    step: str
    values: tuple[tuple[tuple[str, ...], Any], ...]


@dataclass(frozen=True)
class Now:
    """The transaction's moment -> aware UTC."""


@dataclass(frozen=True)
class Enter:
    """The token comes to a step -> None. `writes`: it may write records, so it can be undone."""

    step: str
    writes: bool


@dataclass(frozen=True)
class Leave:
    """The step is done; the token goes to `to` -> None. case: what it chose, if it chooses."""

    step: str
    to: str | None
    case: str | None = None


@dataclass(frozen=True)
class Rest:
    """The step is entered and the token stays there, waiting -> None."""

    step: str


@dataclass(frozen=True)
class Finish:
    """The token came to its end -> None."""

    step: str


@dataclass(frozen=True)
class Trouble:
    """The step failed: undo what it wrote, keep the token there, open an incident -> None."""

    step: str
    code: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Later:
    """The budget is spent: go on at `step` in a transaction of its own -> None."""

    step: str


Command: TypeAlias = (
    Evaluate
    | Find
    | Create
    | Change
    | Assign
    | Resolve
    | Reckon
    | Offer
    | SetLimit
    | Look
    | Sleep
    | Listen
    | Beside
    | Notice
    | Unsend
    | Launch
    | Raise
    | Call
    | Now
    | Enter
    | Leave
    | Rest
    | Finish
    | Trouble
    | Later
)
