"""What an evaluation is given: one record's values, the clock, the person, ways to look further."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Me:
    """Whoever the expression is evaluated for."""

    person_id: int | None = None
    unit_id: int | None = None
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Search:
    """What LOOKUP asks for: `matches` says of a row whether it is meant. `where` is the resolved
    condition, for a caller that would rather lower it to SQL, `outer` what it stands in."""

    matches: Callable[[Row], bool]
    where: Any
    outer: Any = None


def _no_row(form: str, key: Any) -> Row | None:
    return None


def _no_search(form: str, search: Search) -> Row | None:
    return None


@dataclass(slots=True)
class Env:
    """One evaluation's surroundings; `now` is bound once, so TODAY() and NOW() never move.

    values: key -> Decimal or int, str, bool, date, aware datetime, timedelta, list, a row
    mapping or its id, None for blank. follow: (form, id) -> that record's values. lookup:
    (form, Search) -> the first record that fits, in the form's own order. rows: a measure's
    group. After the evaluation `warnings` holds the codes of what turned blank for a reason.
    """

    values: Row = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    zone: tzinfo = SHANGHAI
    me: Me = field(default_factory=Me)
    follow: Callable[[str, Any], Row | None] = _no_row
    lookup: Callable[[str, Search], Row | None] = _no_search
    rows: Sequence[Row] = ()
    warnings: list[str] = field(default_factory=list)
    steps: int = 0
    followed: dict[tuple[str, Any], Row | None] = field(default_factory=dict)

    @property
    def env(self) -> Env:
        """The record's own frame is its surroundings."""
        return self

    @property
    def outer(self) -> Frame | None:
        """No row is around the record."""
        return None

    @property
    def today(self) -> date:
        """The clinic's day."""
        return self.now.astimezone(self.zone).date()


class Frame(Protocol):
    """What a closure is given: the row at hand, the surroundings, the row around this one."""

    values: Row

    @property
    def env(self) -> Env: ...

    @property
    def outer(self) -> Frame | None: ...


@dataclass(slots=True)
class Inner:
    """A row of a sub-form or of another form; the outermost frame is the Env itself."""

    values: Row
    env: Env
    outer: Frame | None = None
