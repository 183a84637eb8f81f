"""The operations as deterministic SQL functions of a SQLite connection: the same Python functions.

Between functions a number is a whole number or text (`columns.pack`), a date is ISO text, a moment
is the text SQLAlchemy's DateTime writes, a duration is microseconds. Numbers never become floats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from . import arithmetic as n
from .columns import pack
from .errors import Blank
from .operations import OPERATIONS

# Operation -> kinds of its arguments and of its result: n number, t text, d date, m moment,
# s duration, b bool, z zone.
KINDS = {
    "add": "nn>n", "sub": "nn>n", "mul": "nn>n", "div": "nn>n", "neg": "n>n", "mod": "nn>n",
    "power": "nn>n", "abs": "n>n", "int": "n>n", "round": "nn>n", "round_up": "nn>n",
    "round_down": "nn>n", "value_of": "t>n", "text_of_number": "n>t", "format_number": "nt>t",
    "len": "t>n", "left": "tn>t", "right": "tn>t", "mid": "tnn>t", "upper": "t>t",
    "lower": "t>t", "trim": "t>t", "contains": "tt>b", "starts_with": "tt>b",
    "ends_with": "tt>b", "replace": "ttt>t", "phone_mask": "t>t", "date_of": "nnn>d",
    "date_of_text": "t>d", "day_of_moment": "mz>d", "year": "d>n", "month": "d>n", "day": "d>n",
    "hour": "mz>n", "minute": "mz>n", "weekday": "dn>n", "date_add": "dnt>d",
    "moment_add": "mntz>m", "date_diff": "ddt>n", "moment_diff": "mmtz>n", "edate": "dn>d",
    "eomonth": "dn>d", "workday": "dn>d", "networkdays": "dd>n", "age": "dd>n",
    "duration": "nt>s", "add_days": "dn>d", "days_add": "nd>d", "sub_days": "dn>d",
    "days_between": "dd>n", "add_span": "ms>m", "span_add": "sm>m", "sub_span": "ms>m",
    "span_between": "mm>s", "spans_add": "ss>s", "spans_sub": "ss>s", "span_neg": "s>s",
    "text_of_date": "d>t", "text_of_moment": "mz>t", "format_date": "dt>t",
    "format_moment": "mtz>t",
}  # fmt: skip
MICROSECOND = timedelta(microseconds=1)


class Connection(Protocol):
    """What is needed of a sqlite3 connection."""

    def create_function(
        self, name: str, narg: int, func: Callable[..., Any], /, *, deterministic: bool = False
    ) -> None: ...

    def create_aggregate(self, name: str, n_arg: int, aggregate_class: Any, /) -> None: ...


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _moment_in(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _moment_out(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


_IN: dict[str, Callable[[Any], Any]] = {
    "n": Decimal,
    "t": str,
    "d": date.fromisoformat,
    "m": _moment_in,
    "s": lambda micros: timedelta(microseconds=micros),
    "z": _zone,
}
_OUT: dict[str, Callable[[Any], Any]] = {
    "n": pack,
    "t": str,
    "d": date.isoformat,
    "m": _moment_out,
    "s": lambda span: span // MICROSECOND,
    "b": int,
}


def _adapted(face: Callable[..., Any], kinds: str) -> Callable[..., Any]:
    taken, given = kinds.split(">")
    readers, write = [_IN[kind] for kind in taken], _OUT[given]

    def call(*args: Any) -> Any:
        try:
            value = face(
                *(
                    None if arg is None else read(arg)
                    for read, arg in zip(readers, args, strict=True)
                )
            )
        except (Blank, ArithmeticError):
            return None
        return None if value is None else write(value)

    return call


def _strict(call: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: None if None in args else call(*args)


def _variadic(face: Callable[..., Any]) -> Callable[..., Any]:
    """sum_of, min_of … of numbers."""

    def call(*args: Any) -> Any:
        try:
            value = face(*(None if arg is None else Decimal(arg) for arg in args))
        except (Blank, ArithmeticError):
            return None
        return None if value is None else pack(value)

    return call


def _concat(*args: str | None) -> str | None:
    try:
        joined: str | None = OPERATIONS["concat"].face(*args)
    except Blank:
        return None
    return joined


def _compare(a: Any, b: Any) -> int | None:
    """-1, 0 or 1."""
    if a is None or b is None:
        return None
    left, right = Decimal(a), Decimal(b)
    return (left > right) - (left < right)


def _scaled(kept: int | None, scale: int) -> Any:
    """A stored scaled number as a number."""
    return None if kept is None else pack(Decimal(kept).scaleb(-scale, n.WIDE))


def _halves(high: int | None, low: int | None, scale: int) -> Any:
    """The sum of a scaled column from the sums of its upper and lower halves (see `sql_lists`)."""
    whole = (high or 0) * 2**31 + (low or 0)
    try:
        return pack(n.CONTEXT.plus(Decimal(whole).scaleb(-scale, n.WIDE)))
    except ArithmeticError:
        return None


def _aggregate(fold: Callable[[Sequence[Decimal]], Decimal | None]) -> type:
    class Aggregate:
        """Collects a group's numbers; SQLite makes one per group."""

        def __init__(self) -> None:
            self.values: list[Decimal] = []

        def step(self, value: Any) -> None:
            if value is not None:
                self.values.append(Decimal(value))

        def finalize(self) -> Any:
            try:
                result = fold(self.values)
            except ArithmeticError:
                return None
            return None if result is None else pack(result)

    return Aggregate


AGGREGATES: dict[str, type] = {
    "x_total": _aggregate(n.total),
    "x_average": _aggregate(n.average),
    "x_least": _aggregate(lambda values: min(values) if values else None),
    "x_most": _aggregate(lambda values: max(values) if values else None),
}


def register(connection: Connection) -> None:
    """Give a new sqlite3 connection the functions `to_sql` uses."""
    for op, kinds in KINDS.items():
        operation = OPERATIONS[op]
        call = _adapted(operation.face, kinds)
        count = len(kinds.split(">")[0])
        connection.create_function(
            f"x_{op}", count, _strict(call) if operation.strict else call, deterministic=True
        )
    for op in ("sum_of", "avg_of", "min_of", "max_of"):
        call = _variadic(OPERATIONS[op].face)
        connection.create_function(f"x_{op}", -1, call, deterministic=True)
    connection.create_function("x_concat", -1, _concat, deterministic=True)
    connection.create_function("x_compare", 2, _compare, deterministic=True)
    connection.create_function("x_scaled", 2, _scaled, deterministic=True)
    connection.create_function("x_halves", 3, _halves, deterministic=True)
    for name, aggregate in AGGREGATES.items():
        connection.create_aggregate(name, 1, aggregate)
