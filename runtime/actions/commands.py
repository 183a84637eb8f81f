"""What a step or an action may ask of the shell, and what it hears back.

A step is a generator: it yields commands and is sent their results, so the same step serves a
live instance, a rehearsal and a replay. A command names everything it needs; none holds a session.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
    """What a step or an action produced under its key: a record, an outcome, or a person."""

    form: str | None = None
    id: int | None = None
    outcome: str | None = None
    person: int | None = None


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
    """Change a record through the door (the subject when `record` is None) -> None."""

    record: Named | None
    values: tuple[tuple[str, Any], ...]


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
    """Who that is now -> tuple of Offered, empty when it is nobody."""

    who: Who
    names: dict[str, Named]


@dataclass(frozen=True)
class After:
    """The moment so much time from now, counted in the calendar's open hours if one is named."""

    duration: timedelta
    calendar: str | None


@dataclass(frozen=True)
class Offer:
    """Offer the step's task to these actors -> the task's id."""

    step: str
    actors: tuple[Offered, ...]
    due_at: datetime | None


@dataclass(frozen=True)
class SetLimit:
    """Have a time limit of a task fall due -> None."""

    task: int
    limit: str
    at: datetime


@dataclass(frozen=True)
class Sleep:
    """Wait at the step until a moment -> None."""

    step: str
    until: datetime


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
    | After
    | Offer
    | SetLimit
    | Sleep
    | Now
    | Enter
    | Leave
    | Rest
    | Finish
    | Trouble
    | Later
)
