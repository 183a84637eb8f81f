"""Conditions as people choose them (a field, an operator, values) -> SQL in the asker's own eyes.

What a field may be asked follows from its type. Where the asker may not read a field it is blank,
so that no condition tells more than the list does. A value that fits no field lets nothing pass.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, false, func, not_, or_
from sqlalchemy.orm import Session

from ..definitions.faults import Fault
from ..definitions.fields import LARGEST_ID, Field
from ..identity.actor import Actor
from ..identity.permissions import Access
from ..store.session import moment
from .filters import filter_clause
from .live import seen_column
from .shape import Shape
from .spans import SPANS, span_of
from .visible import readable

BLANKS = ("blank", "filled")
TEXTS = ("has", "is", "begins", *BLANKS)
ONE_OF = ("is", "not", *BLANKS)
NUMBERS = ("between", "is", *BLANKS)
DAYS = ("between", "is", *SPANS, *BLANKS)
#: what is asked of a field by its type, the usual question first
OPERATORS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("choice", "choices", "person", "unit", "link"), ONE_OF),
    "yesno": ("is", *BLANKS),
    **dict.fromkeys(("number", "money", "percent"), NUMBERS),
    **dict.fromkeys(("date", "datetime"), DAYS),
    "time": ("between", *BLANKS),
    **dict.fromkeys(("file", "image"), BLANKS),
}
#: how many values an operator takes; any other takes one or more
TAKES = {**dict.fromkeys((*BLANKS, *SPANS), 0), "between": 2}
ME = "me"  # of a person: whoever asks; of a unit: theirs

Clause = ColumnElement[bool]


@dataclass(frozen=True)
class Condition:
    """One condition. values: as texts; of `between` both ends, either of which may be empty."""

    field: str
    operator: str
    values: tuple[str, ...] = ()


def operators(its: Field) -> tuple[str, ...]:
    """What may be asked of a field, the usual question first; of a sub-form nothing."""
    if its.storage == "rows":
        return ()
    if its.encrypted:
        return ("is", *BLANKS)
    if its.type.name in OPERATORS:
        return OPERATORS[its.type.name]
    return TEXTS if its.storage == "text" else BLANKS


@dataclass(frozen=True)
class Eyes:
    """Who asks about which form."""

    session: Session
    actor: Actor
    asked: Access
    shape: Shape

    def column(self, its: Field) -> Clause:
        return seen_column(self.session, self.actor, self.asked, self.shape, its.key)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.actor.time_zone)

    @property
    def today(self) -> date:
        return moment(self.session).astimezone(self.zone).date()


def narrowed(
    session: Session,
    actor: Actor,
    asked: Access,
    shape: Shape,
    conditions: Iterable[Condition],
) -> list[Clause]:
    """The conditions as clauses over the form's table; those about fields it has not are none."""
    eyes = Eyes(session, actor, asked, shape)
    return [
        _clause(eyes, shape.form.fields[each.field], each)
        for each in conditions
        if each.field in shape.form.fields
    ]


def _clause(eyes: Eyes, its: Field, asks: Condition) -> Clause:
    if asks.operator not in operators(its):
        return false()
    if asks.operator in BLANKS:
        column = eyes.column(its)
        return column.is_(None) if asks.operator == "blank" else column.is_not(None)
    try:
        if its.encrypted:
            return _exactly(eyes, its, asks)
        return _ways(its)(eyes, its, asks)
    except (ValueError, InvalidOperation, OverflowError, Fault, KeyError):
        return false()


def _ways(its: Field) -> Callable[[Eyes, Field, Condition], Clause]:
    kind = its.type.name
    if kind in ("date", "datetime"):
        return _day
    if kind in ("number", "money", "percent"):
        return _number
    if kind == "choices":
        return _among
    return {"yesno": _yesno, "time": _hour}.get(
        kind, _one_of if OPERATORS.get(kind) == ONE_OF else _text
    )


def _exactly(eyes: Eyes, its: Field, asks: Condition) -> Clause:
    """An encrypted field answers whether it is this, and nothing else."""
    value = its.take(its.bring(asks.values[0] if asks.values else None))
    if value is None:
        return false()
    return and_(readable(eyes.asked, eyes.shape, its.key), eyes.shape.equals(its.key, value))


def _text(eyes: Eyes, its: Field, asks: Condition) -> Clause:
    column = func.lower(eyes.column(its))
    texts = [value.strip().lower() for value in asks.values if value.strip()]
    if asks.operator == "is":
        return column.in_(texts)
    ways = [
        column.startswith(text, autoescape=True)
        if asks.operator == "begins"
        else column.contains(text, autoescape=True)
        for text in texts
    ]
    return or_(false(), *ways)


def _one_of(eyes: Eyes, its: Field, asks: Condition) -> Clause:
    column = eyes.column(its)
    wanted: list[Any] = list(asks.values)
    if its.storage == "reference":
        wanted = [_reference(eyes, its, value) for value in asks.values]
    if asks.operator == "not":
        return or_(column.is_(None), column.not_in(wanted))
    return column == wanted[0] if len(wanted) == 1 else column.in_(wanted)


def _reference(eyes: Eyes, its: Field, value: str) -> int:
    if value == ME and its.type.name == "person":
        return eyes.actor.person_id or 0
    if value == ME and its.type.name == "unit":
        return eyes.actor.unit_id or 0
    number = int(value) if value.isascii() and value.isdigit() else 0
    return number if number <= LARGEST_ID else 0


def _among(eyes: Eyes, its: Field, asks: Condition) -> Clause:
    """Of several choices: any of these is among them."""
    tests = ['"{}" in {}'.format(value.replace('"', '""'), its.key) for value in asks.values]
    if any(letter in "\r\n" for value in asks.values for letter in value):
        return false()
    clauses = [
        filter_clause(eyes.session, eyes.actor, eyes.asked, eyes.shape, test) for test in tests
    ]
    any_of = or_(false(), *clauses)
    return not_(func.coalesce(any_of, false())) if asks.operator == "not" else any_of


def _yesno(eyes: Eyes, its: Field, asks: Condition) -> Clause:
    return eyes.column(its).is_(asks.values[:1] == ("true",))


def _ends(asks: Condition) -> tuple[str, str]:
    """The two ends of a range; of one value, both are that."""
    first = asks.values[0].strip() if asks.values else ""
    last = first if asks.operator == "is" else "".join(asks.values[1:2]).strip()
    if not first and not last:
        raise ValueError("no end at all")
    return first, last


def _number(eyes: Eyes, its: Field, asks: Condition) -> Clause:
    """Numbers are kept as whole ones; an end between two of them is moved to the nearer inside."""
    column = eyes.column(its)
    scale = its.scale - (2 if its.type.name == "percent" else 0)
    first, last = (Decimal(end).scaleb(scale) if end else None for end in _ends(asks))
    clauses = []
    if first is not None:
        clauses.append(column >= _whole(first, ROUND_CEILING))
    if last is not None:
        clauses.append(column <= _whole(last, ROUND_FLOOR))
    return and_(*clauses)


def _whole(number: Decimal, rounding: str) -> int:
    whole = int(number.to_integral_value(rounding))
    if abs(whole) > LARGEST_ID:
        raise ValueError("no number is as large")
    return whole


def _hour(eyes: Eyes, its: Field, asks: Condition) -> Clause:
    column = eyes.column(its)
    first, last = (time.fromisoformat(end).isoformat() if end else "" for end in _ends(asks))
    clauses = [column >= first] if first else []
    return and_(*clauses, *([column <= last] if last else []))


def _day(eyes: Eyes, its: Field, asks: Condition) -> Clause:
    """Days of the asker's zone, the last one included."""
    column = eyes.column(its)
    first: date | None
    last: date | None
    if asks.operator in SPANS:
        first, last = span_of(asks.operator, eyes.today)
    else:
        first, last = (date.fromisoformat(end) if end else None for end in _ends(asks))
    clauses = []
    if first is not None:
        clauses.append(column >= _begin(eyes, its, first))
    if last is not None:
        after = last + timedelta(days=1)
        clauses.append(column < _begin(eyes, its, after))
    return and_(*clauses)


def _begin(eyes: Eyes, its: Field, day: date) -> date | datetime:
    return day if its.storage == "date" else datetime.combine(day, time(), eyes.zone)
