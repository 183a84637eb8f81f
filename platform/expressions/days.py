"""Dates and moments. A date has no zone; a moment is a UTC instant, and its day, hour and
calendar arithmetic are those of the clinic's zone. Years run from 1 to 9999."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal

from .arithmetic import WIDE, whole
from .errors import Blank

SECONDS = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
MOST_DAYS = 4_000_000  # more than the calendar has: further steps only leave it


def _steps(n: Decimal) -> int:
    if abs(n) > 10**12:
        raise Blank("E_DATE")
    return whole(n)


def date_of(year: Decimal, month: Decimal, day: Decimal) -> date:
    """Whole numbers that name a day there is; 2026-02-30 is blank, not 2 March."""
    numbers = (year, month, day)
    if any(n != n.to_integral_value() or not 1 <= n <= 9999 for n in numbers):
        raise Blank("E_DATE")
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Blank("E_DATE") from None


def date_of_text(text: str) -> date:
    """Exactly YYYY-MM-DD."""
    try:
        if len(text) != 10 or not text.isascii():
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Blank("E_DATE") from None


def local(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:
        raise Blank("E_DATE") from None


def day_of_moment(moment: datetime, zone: tzinfo) -> date:
    return local(moment, zone).date()


def year(day: date) -> Decimal:
    return Decimal(day.year)


def month(day: date) -> Decimal:
    return Decimal(day.month)


def day_of_month(day: date) -> Decimal:
    return Decimal(day.day)


def weekday(day: date, numbering: Decimal) -> Decimal:
    """1: Sunday 1 … Saturday 7; 2: Monday 1 … Sunday 7; 3: Monday 0 … Sunday 6, as in Excel."""
    if numbering == 1:
        return Decimal(day.isoweekday() % 7 + 1)
    if numbering == 2:
        return Decimal(day.isoweekday())
    if numbering == 3:
        return Decimal(day.weekday())
    raise Blank("E_ARGUMENT")


def add_months(day: date, months: int) -> date:
    """The same day of another month, or its last day: 31 January + 1 month is 28 February."""
    count = day.year * 12 + day.month - 1 + months
    if not 12 <= count < 120_000:
        raise Blank("E_DATE")
    there, then = divmod(count, 12)
    return date(there, then + 1, min(day.day, monthrange(there, then + 1)[1]))


def add_days(day: date, days: Decimal) -> date:
    return _add_days(day, _steps(days))


def _add_days(day: date, days: int) -> date:
    if abs(days) > MOST_DAYS:
        raise Blank("E_DATE")
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise Blank("E_DATE") from None


def date_add(day: date, n: Decimal, unit: str) -> date:
    steps = _steps(n)
    if unit in ("day", "week"):
        return _add_days(day, steps * (7 if unit == "week" else 1))
    return add_months(day, steps * (12 if unit == "year" else 1))


def edate(day: date, n: Decimal) -> date:
    return add_months(day, _steps(n))


def eomonth(day: date, n: Decimal) -> date:
    """The last day of the month n months on."""
    there = add_months(day, _steps(n))
    return there.replace(day=monthrange(there.year, there.month)[1])


def moment_add(moment: datetime, n: Decimal, unit: str, zone: tzinfo) -> datetime:
    """Minutes and hours pass on the clock; days, weeks, months and years keep the local time."""
    steps = _steps(n)
    if unit in ("minute", "hour"):
        return add_span(moment, duration_of(Decimal(steps), unit))
    there = local(moment, zone)
    moved = datetime.combine(date_add(there.date(), Decimal(steps), unit), there.time(), zone)
    try:
        return moved.astimezone(UTC)
    except OverflowError:
        raise Blank("E_DATE") from None


def _months_between(a: date, b: date) -> int:
    months = (b.year - a.year) * 12 + b.month - a.month
    return months - (b.day < a.day)


def date_diff(a: date, b: date, unit: str) -> Decimal:
    """Whole units from a to b; negative when b is earlier, with the same size."""
    if b < a:
        return -date_diff(b, a, unit)
    if unit in ("day", "week"):
        return Decimal((b - a).days // (7 if unit == "week" else 1))
    return Decimal(_months_between(a, b) // (12 if unit == "year" else 1))


def moment_diff(a: datetime, b: datetime, unit: str, zone: tzinfo) -> Decimal:
    """Whole minutes and hours on the clock, anything longer by the local days."""
    if unit in ("minute", "hour"):
        micros = micros_of(b - a)
        size = SECONDS[unit] * 1_000_000
        return Decimal(micros // size if micros >= 0 else -(-micros // size))
    return date_diff(day_of_moment(a, zone), day_of_moment(b, zone), unit)


def days_between(a: date, b: date) -> Decimal:
    """a - b in days."""
    return Decimal((a - b).days)


def age(born: date, on: date) -> Decimal:
    """Full years; who was born on 29 February is a year older on 1 March. Blank before birth."""
    if on < born:
        raise Blank("E_DATE")
    return date_diff(born, on, "year")


def hour(moment: datetime, zone: tzinfo) -> Decimal:
    return Decimal(local(moment, zone).hour)


def minute(moment: datetime, zone: tzinfo) -> Decimal:
    return Decimal(local(moment, zone).minute)


def micros_of(span: timedelta) -> int:
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def duration_of(n: Decimal, unit: str) -> timedelta:
    """n units, cut at the microsecond."""
    if abs(n) > 10**10:
        raise Blank("E_DATE")
    return _span(int(WIDE.multiply(n, Decimal(SECONDS[unit] * 1_000_000))))


def _span(micros: int) -> timedelta:
    if abs(micros) > MOST_DAYS * 86_400 * 1_000_000:
        raise Blank("E_DATE")
    return timedelta(microseconds=micros)


def add_span(moment: datetime, span: timedelta) -> datetime:
    try:
        return moment + span
    except OverflowError:
        raise Blank("E_DATE") from None


def sub_span(moment: datetime, span: timedelta) -> datetime:
    return add_span(moment, -span)


def spans_add(a: timedelta, b: timedelta) -> timedelta:
    return _span(micros_of(a) + micros_of(b))


def spans_sub(a: timedelta, b: timedelta) -> timedelta:
    return _span(micros_of(a) - micros_of(b))


def text_of_moment(moment: datetime, zone: tzinfo) -> str:
    return format_moment(moment, "yyyy-MM-dd HH:mm", zone)


def format_date(day: date, pattern: str) -> str:
    return _format(datetime(day.year, day.month, day.day), pattern)


def format_moment(moment: datetime, pattern: str, zone: tzinfo) -> str:
    return _format(local(moment, zone), pattern)


def _format(at: datetime, pattern: str) -> str:
    """`pattern` as formats.date_format stores it; its letters are tokens only."""
    for token, shown in (
        ("yyyy", f"{at.year:04d}"), ("MM", f"{at.month:02d}"), ("M", str(at.month)),
        ("dd", f"{at.day:02d}"), ("d", str(at.day)), ("HH", f"{at.hour:02d}"),
        ("H", str(at.hour)), ("mm", f"{at.minute:02d}"), ("m", str(at.minute)),
        ("ss", f"{at.second:02d}"), ("s", str(at.second)),
    ):  # fmt: skip
        pattern = pattern.replace(token, shown)
    return pattern
