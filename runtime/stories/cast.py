"""What a story calls by name: people, units, records, moments; and values that refer to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...platform.definitions.published import entries, published
from ...platform.identity.actor import SYSTEM, Actor, actor_of
from ...platform.identity.model import Person
from ...platform.identity.tree import unit_by_code
from ...platform.outbound.client import Answer, Client
from ...platform.records.shape import shape_of
from ...platform.store.clock import TurnedClock
from ...platform.store.database import Database
from ...platform.store.errors import Problem

FAR = "https://story.invalid/"
"""Where a story's connections lead: a name that is nobody's."""


class Pretended(Client):
    """Answers as the story says, by connection, and calls nobody."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}

    def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return self.answers[address.removeprefix(FAR)]


class Failed(Exception):
    """A step of a story is not as it should be: a code of `problem.…` with its params; further
    problems say more of it."""

    def __init__(self, code: str, more: Sequence[Problem] = (), **params: Any) -> None:
        super().__init__(code)
        self.problems = [Problem("", code, params), *more]


@dataclass
class Cast:
    """One story's database, its clock, and the records it has named: (form, id) by name."""

    database: Database
    zone: ZoneInfo
    records: dict[str, tuple[str, int]] = field(default_factory=dict)
    client: Pretended = field(default_factory=Pretended)
    most_moments: int = 20_000
    """So many things may fall due while the clock is turned on once."""

    @property
    def clock(self) -> TurnedClock:
        assert isinstance(self.database.clock, TurnedClock)
        return self.database.clock

    def moment(self, local: str) -> datetime:
        """A moment in the branches' own time, as aware UTC."""
        return datetime.fromisoformat(local).replace(tzinfo=self.zone).astimezone(UTC)

    def local(self, moment: datetime) -> str:
        """A moment as stories write it."""
        return moment.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M")

    def actor(self, session: Session, name: str | None) -> Actor:
        """Somebody of the story; the system without a name."""
        if name in (None, "system"):
            return SYSTEM
        return actor_of(session, self.person(session, str(name)))

    def person(self, session: Session, name: str) -> int:
        found = session.scalar(
            select(Person.id).where(Person.login == name, Person.disabled_at.is_(None))
        )
        if found is None:
            raise Failed("E_STORY_NOBODY", person=name)
        return found

    def people(self, session: Session) -> dict[int, str]:
        """Everybody's name by id."""
        return {row.id: row.login for row in session.execute(select(Person.id, Person.login))}

    def record(self, name: str) -> tuple[str, int]:
        """A record's form and id."""
        if name not in self.records:
            raise Failed("E_STORY_NO_RECORD", record=name)
        return self.records[name]

    def filled(self, session: Session, value: Any) -> Any:
        """A value with its references resolved: `$record`, `$person`, `$unit`."""
        if isinstance(value, list):
            return [self.filled(session, inner) for inner in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            (word, name), *_ = value.items()
            if word == "$record":
                return str(self.record(str(name))[1])
            if word == "$person":
                return str(self.person(session, str(name)))
            if word == "$unit":
                return str(unit_by_code(session, str(name)).id)
        return {key: self.filled(session, inner) for key, inner in value.items()}

    def linked(self, session: Session, item: Mapping[str, Any], form: str) -> list[Any]:
        """The conditions of an item's `links`: field by field the record it has to lead to."""
        shape = shape_of(session, form)
        found = []
        for key, name in item.get("links", {}).items():
            if key not in shape.form.fields or shape.form.fields[key].link_form is None:
                raise Failed("E_STORY_FIELD", field=key)
            found.append(shape.table.c[key] == self.record(name)[1])
        return found


def titles(session: Session) -> dict[tuple[str, str], Any]:
    """What definitions and flows' steps are called: {(kind, key): label}, steps as `step`."""
    found: dict[tuple[str, str], Any] = {}
    for entry in entries(session):
        found[entry.kind, entry.key] = entry.title
        if entry.kind == "flow":
            _steps(published(session, "flow", entry.key).document, found)
    return found


def _steps(node: Any, found: dict[tuple[str, str], Any]) -> None:
    if isinstance(node, Mapping):
        if "kind" in node and "title" in node and isinstance(node.get("key"), str):
            found.setdefault(("step", node["key"]), node["title"])
        for inner in node.values():
            _steps(inner, found)
    elif isinstance(node, list):
        for inner in node:
            _steps(inner, found)
