"""What the expressions of one instance see: its subject, and what its steps produced."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ...platform.expressions.environment import Env, Me
from ...platform.identity.actor import SYSTEM, TIME_ZONE
from ...platform.identity.tree import tree
from ...platform.records.lists import get
from ...platform.records.lowered import searcher
from ...platform.records.record import Record
from ...platform.store.errors import NotFound
from ...platform.store.session import moment
from ..channels.answers import TAKES
from .commands import Named
from .formula import Formula

THIS = "this"


class Sight:
    """Reads each record at most once, until told that it was changed."""

    def __init__(self, session: Session, form_key: str, record_id: int) -> None:
        self.session = session
        self.form_key = form_key
        self.record_id = record_id
        self.held: set[tuple[str, int]] = set()
        """Records locked against change until the transaction ends."""
        self._records: dict[tuple[str, int], Record | None] = {}

    @property
    def subject(self) -> Record:
        """The record the flow is about, with every field. Raises NotFound."""
        found = self.record(self.form_key, self.record_id)
        if found is None:
            raise NotFound(form=self.form_key)
        return found

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the record's branch."""
        place = tree(self.session).places.get(self.subject.unit_id)
        return ZoneInfo(place.time_zone if place else TIME_ZONE)

    @property
    def now(self) -> datetime:
        return moment(self.session)

    def record(self, form_key: str, record_id: int) -> Record | None:
        """A record with every field, or None when there is none."""
        at = (form_key, record_id)
        if at not in self._records:
            try:
                self._records[at] = get(self.session, SYSTEM, form_key, record_id)
            except NotFound:
                self._records[at] = None
        return self._records[at]

    def put(self, record: Record) -> None:
        """A record as it is from now on."""
        self._records[record.form.key, record.id] = record

    def forget(self) -> None:
        """What was written is undone: read all of it again."""
        self._records.clear()

    def look(
        self, formula: Formula, names: Mapping[str, Named]
    ) -> tuple[Any, set[tuple[str, int]]]:
        """What a formula is worth, and the records (form, id) it was worked out from."""
        read: set[tuple[str, int]] = set()
        value = formula.run(self.env(names, read))
        if formula.names & self.subject.form.fields.keys():
            read.add((self.form_key, self.record_id))
        return value, read

    def env(self, names: Mapping[str, Named], read: set[tuple[str, int]] | None = None) -> Env:
        """The surroundings of one evaluation: subject, `this`, and the names so far.

        read: gathers the records that are followed.
        """
        values: dict[str, Any] = {**self.subject.values, THIS: self.record_id}
        for key, named in names.items():
            values[key] = named.person if named.person is not None else (named.id or 0)

        def follow(form: str, record_id: Any) -> Mapping[str, Any] | None:
            base, plus, key = form.partition("+")
            found = self.record(base, int(record_id)) if base and record_id else None
            if found is not None and read is not None:
                read.add((base, found.id))
            if not plus:
                return None if found is None else found.values
            return {**_told(names.get(key)), **(found.values if found is not None else {})}

        lookup = searcher(self.session, SYSTEM)
        return Env(values, now=self.now, zone=self.zone, me=Me(), follow=follow, lookup=lookup)


def _told(named: Named | None) -> dict[str, Any]:
    """What a step's key tells beside its record's fields (`flows/scope.py` has their types)."""
    if named is None:
        return {}
    return {
        "outcome": named.outcome,
        "done_at": datetime.fromisoformat(named.at) if named.at else None,
        "done_by": named.by,
        "round": named.round,
        **{name: TAKES[kind](text) for name, kind, text in named.answer or ()},
    }
