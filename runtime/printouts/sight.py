"""One record and what its links lead to, as whoever prints may see them.

Every record is read through the door as the asker, so that a field prints as they see it: masked,
or not at all. An expression that comes upon a field they may not see gives no value: `withheld`
says so, and whoever asked leaves out what rests on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...platform.definitions.fields import Field
from ...platform.definitions.form_scope import published_forms, scope_of
from ...platform.expressions import BOOL, Env, ExpressionError, Type, Typed, check, compile
from ...platform.records.compute import env_of
from ...platform.records.eyes import Eyes
from ...platform.records.record import READABLE, Record
from ...platform.store.errors import Conflict
from ...platform.store.kept import kept
from ..forms.show import Reader, link_labels, shown
from .definition import Path, path_of


@dataclass(frozen=True)
class Seen:
    """A field at the end of a path. words: as its reader sees it; right: hidden where a link on
    the way leads to nothing they may see."""

    field: Field
    right: str
    value: Any
    words: str


@dataclass(frozen=True)
class Worth:
    """What an expression is worth. withheld: it came upon what its reader may not see."""

    value: Any
    type: Type
    withheld: bool


class _Watched(dict[str, Any]):
    """A record's readable values; it notes when a field is asked for that may not be seen."""

    def __init__(self, record: Record, missed: list[str]) -> None:
        super().__init__(record.read)
        self["_id"] = record.id
        self._kept = {key for key, right in record.rights.items() if right not in READABLE}
        self._missed = missed

    def get(self, key: str, default: Any = None) -> Any:
        if key in self._kept:
            self._missed.append(key)
        return super().get(key, default)


class Sight:
    """Reads each expression once in a form's life; each record that it reads is looked at."""

    def __init__(self, reader: Reader, record: Record) -> None:
        self.reader, self.record = reader, record
        self.eyes = Eyes(reader.session, reader.actor, record)
        self._names: dict[tuple[str, int], Mapping[str, Mapping[int, str]]] = {}
        self._missed: list[str] = []

    def typed(self, text: str, expect: Type | None = None) -> Typed:
        """An expression over the record. Raises Conflict when it holds no more."""
        session, form = self.reader.session, self.record.form

        def checked() -> Typed:
            return check(text, scope_of(form, published_forms(session), live=True), expect)

        try:
            return kept(session, ("printed", form.key, form.version, text, expect), checked)
        except ExpressionError as error:
            raise Conflict("E_PRINT_BROKEN", why=error.code) from error

    def worth(self, text: str, expect: Type | None = None) -> Worth:
        """What an expression is worth. Raises Conflict when it holds no more."""
        typed = self.typed(text, expect)
        self._missed.clear()
        try:
            value = compile(typed)(self._env())
        except ExpressionError as error:
            raise Conflict("E_PRINT_BROKEN", why=error.code) from error
        return Worth(value, typed.type, bool(self._missed))

    def holds(self, condition: str | None) -> bool | None:
        """Whether a condition holds; None when its reader may not know."""
        if condition is None:
            return True
        worth = self.worth(condition, BOOL)
        return None if worth.withheld else bool(worth.value)

    def path(self, text: str) -> Path | None:
        """The path that an expression is, and nothing more."""
        return path_of(self.typed(text).node)

    def seen(self, path: Path) -> Seen:
        """The field at the end of a path. Raises Conflict when it is not there any more."""
        record: Record | None = self.record
        form = self.record.form
        for key in path[:-1]:
            link = form.fields[key].link_form if key in form.fields else None
            target = published_forms(self.reader.session)(link) if link else None
            if target is None:
                raise Conflict("E_PRINT_BROKEN", why=key)
            record, withheld = self._follow(record, key, target.key)
            if withheld:
                return Seen(self._field(target.fields, path[-1]), "hidden", None, "")
            form = target
        its = self._field(form.fields, path[-1])
        if record is None:
            return Seen(its, "read", None, "")
        right = record.rights[its.key]
        value = None if right == "hidden" else record.values.get(its.key)
        return Seen(its, right, value, shown(self.reader, its, value, right, self._called(record)))

    @staticmethod
    def _field(fields: Mapping[str, Field], key: str) -> Field:
        if key not in fields:
            raise Conflict("E_PRINT_BROKEN", why=key)
        return fields[key]

    def _follow(self, record: Record | None, key: str, form: str) -> tuple[Record | None, bool]:
        """The record behind a link, and whether there is one that is kept from the reader."""
        if record is None:
            return None, False
        if record.rights[key] not in READABLE:
            return None, True
        number = record.values.get(key)
        if number is None:
            return None, False
        found = self.eyes.record(form, number)
        return found, found is None

    def _called(self, record: Record) -> Mapping[str, Mapping[int, str]]:
        at = (record.form.key, record.id)
        if at not in self._names:
            self._names[at] = link_labels(self.reader, record.form, [record])
        return self._names[at]

    def _env(self) -> Env:
        reader = self.reader
        values = _Watched(self.record, self._missed)
        env = env_of(reader.session, reader.actor, values, reader.zone)

        def follow(form: str, number: Any) -> Mapping[str, Any] | None:
            found = self.eyes.record(form, int(number))
            if found is None:
                self._missed.append(form)
                return None
            return _Watched(found, self._missed)

        env.follow = follow
        return env
