"""What the expressions of one instance see: its subject, and what its steps produced."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ...platform.expressions.environment import Env, Me
from ...platform.identity.actor import SYSTEM
from ...platform.records.lists import get
from ...platform.records.record import Record
from ...platform.store.errors import NotFound
from ...platform.store.session import moment
from .commands import Named
from .moments import zone_of

THIS = "this"


class Sight:
    """Reads each record at most once, until told that it was changed."""

    def __init__(self, session: Session, form_key: str, record_id: int) -> None:
        self.session = session
        self.form_key = form_key
        self.record_id = record_id
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
        return zone_of(self.session, self.subject.unit_id)

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

    def env(self, names: Mapping[str, Named]) -> Env:
        """The surroundings of one evaluation: subject, `this`, and the names so far."""
        values: dict[str, Any] = {**self.subject.values, THIS: self.record_id}
        for key, named in names.items():
            values[key] = named.person if named.person is not None else (named.id or 0)

        def follow(form: str, record_id: Any) -> Mapping[str, Any] | None:
            base, plus, key = form.partition("+")
            found = self.record(base, int(record_id)) if base and record_id else None
            if not plus:
                return None if found is None else found.values
            named = names.get(key)
            outcome = named.outcome if named is not None else None
            return {"outcome": outcome, **(found.values if found is not None else {})}

        return Env(values, now=self.now, zone=self.zone, me=Me(), follow=follow)
