"""What permissions ask about a form; identity knows roles and rows, not forms.

The room of records answers, and registers itself when the program starts. Until it has, a scope
by expression covers nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import ColumnElement, FromClause, Select, false, select
from sqlalchemy.orm import Session

from ..store.errors import Problem

if TYPE_CHECKING:
    from .actor import Actor

#: a row's Python values by field key, and its `_id` once it has one; looked up only when a rule
#: asks for them
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

    def table(self, session: Session, form_key: str) -> FromClause | None:
        """The form's table under a name of its own; None when there is no such form."""

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

    def table(self, session: Session, form_key: str) -> FromClause | None:
        return None

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


@dataclass(frozen=True, eq=False)
class Leading:
    """That a record of another form leads to a row: today's appointments to today's patients.

    condition: what holds for the leading record. link: its field that leads there. via: the field
    of the row that names what the link leads to; None when that is the row itself.
    """

    condition: Condition
    link: str
    via: str | None
    _asked: dict[Any, bool] = field(default_factory=dict, repr=False)

    def where(
        self, table: FromClause, within: Callable[[FromClause], ColumnElement[bool]]
    ) -> ColumnElement[bool]:
        """The rows to which a record leads that lies within."""
        ids = self._ids(within)
        return false() if ids is None else table.c[self.via or "_id"].in_(ids)

    def holds(self, look: Look, within: Callable[[FromClause], ColumnElement[bool]]) -> bool:
        """Whether one leads to the row that `look` shows; asked once for each such row."""
        to = look().get(self.via or "_id")
        if to is None:
            return False
        if to not in self._asked:
            ids = self._ids(within)
            self._asked[to] = ids is not None and (
                self.condition.session.execute(
                    ids.where(ids.selected_columns[0] == to).limit(1)
                ).first()
                is not None
            )
        return self._asked[to]

    def foresee(
        self, looks: Iterable[Look], within: Callable[[FromClause], ColumnElement[bool]]
    ) -> None:
        """Ask about all these rows at once, so that `holds` need not ask about each."""
        named = {look().get(self.via or "_id") for look in looks} - {None, *self._asked}
        ids = self._ids(within) if named else None
        if ids is None:
            return
        asked = ids.where(ids.selected_columns[0].in_(named)).distinct()
        led = set(self.condition.session.execute(asked).scalars())
        self._asked.update((one, one in led) for one in named)

    def _ids(
        self, within: Callable[[FromClause], ColumnElement[bool]]
    ) -> Select[tuple[int]] | None:
        table = forms().table(self.condition.session, self.condition.form_key)
        if table is None or self.link not in table.c:
            return None
        return select(table.c[self.link]).where(
            table.c["_retired_at"].is_(None), within(table), self.condition.where(table)
        )
