"""What permissions ask about a form; identity knows roles and rows, not forms.

The room of records answers, and registers itself when the program starts. Until it has, a scope
by expression covers nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import ColumnElement, FromClause, false
from sqlalchemy.orm import Session

from ..store.errors import Problem

if TYPE_CHECKING:
    from .actor import Actor

#: a row's Python values by field key, looked up only when a rule asks for them
Look = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Sources:
    """The fields from which a field's value follows, directly or through others.

    named: all of them. shown: those of which it tells more than whether they are blank.
    computed: it always follows; otherwise only where nobody wrote something else (a default).
    """

    named: frozenset[str]
    shown: frozenset[str]
    computed: bool


class Forms(Protocol):
    """What the room of records tells of forms."""

    def lower(
        self, session: Session, form_key: str, text: str, actor: "Actor", table: FromClause
    ) -> ColumnElement[bool]:
        """The rows of the form's table for which an expression holds; none when it means nothing.

        It is the clinic's rule and not the actor's question, so it reads every field and every
        linked record; only ME() and the like are the actor's.
        """

    def evaluate(
        self,
        session: Session,
        form_key: str,
        text: str,
        actor: "Actor",
        values: Mapping[str, Any],
    ) -> bool:
        """Whether it holds for one row with these values; agrees with `lower`."""

    def refused(self, session: Session, form_key: str, text: str) -> Problem | None:
        """Why an expression cannot be a scope of this form; E_NOT_SQL where a database cannot
        answer it. None when it can, or when the form is yet to come."""

    def sources(self, session: Session, form_key: str) -> Mapping[str, Sources]:
        """For each field that has a formula for its value: what that follows from."""


class Nothing:
    """Before any room has registered: no expression holds, nothing follows from anything."""

    def lower(
        self, session: Session, form_key: str, text: str, actor: "Actor", table: FromClause
    ) -> ColumnElement[bool]:
        return false()

    def evaluate(
        self, session: Session, form_key: str, text: str, actor: "Actor", values: Mapping[str, Any]
    ) -> bool:
        return False

    def refused(self, session: Session, form_key: str, text: str) -> Problem | None:
        return None

    def sources(self, session: Session, form_key: str) -> Mapping[str, Sources]:
        return {}


_registered: list[Forms] = [Nothing()]


def register(known: Forms) -> None:
    """Let permissions ask here; called at start, by the room of records."""
    _registered[0] = known


def forms() -> Forms:
    """Who knows forms."""
    return _registered[0]


@dataclass(frozen=True, eq=False)
class Condition:
    """A scope's expression about one form, for one actor."""

    session: Session
    form_key: str
    text: str
    actor: "Actor"

    def where(self, table: FromClause) -> ColumnElement[bool]:
        """The rows for which it holds."""
        return forms().lower(self.session, self.form_key, self.text, self.actor, table)

    def holds(self, look: Look) -> bool:
        """Whether it holds for the row that `look` shows."""
        return forms().evaluate(self.session, self.form_key, self.text, self.actor, look())
