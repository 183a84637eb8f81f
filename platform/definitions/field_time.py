"""Dates and times: strictly from JSON, generously from a spreadsheet's cell."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from .faults import Fault
from .field_text import narrow

FIRST_YEAR, LAST_YEAR = 1900, 2200
MINUTE = "%Y-%m-%d %H:%M"  # a moment as people read it
ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
ISO_TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?", re.ASCII)
ISO_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
CELL_DATE = re.compile(r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})(?:日|号)?", re.ASCII)
CELL_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
CELL_TIME = re.compile(
    r"(上午|下午|晚上|AM|PM)?\s?(\d{1,2})\s?(?:[:时点])\s?(?:(\d{1,2})\s?分?)?"
    r"(?:[:]?(\d{1,2})\s?秒?(?:\.0+)?)?\s?(AM|PM)?",
    re.ASCII | re.IGNORECASE,
)
SERIAL_DAY = re.compile(r"\d{5}(\.\d+)?", re.ASCII)
SERIAL_ZERO = datetime(1899, 12, 30)  # day 0 of a spreadsheet, its leap year 1900 allowed for


def _in_years(day: date, code: str) -> None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Fault(code)


def read_date(value: object) -> date:
    """A date, or its text 2026-03-05."""
    if isinstance(value, date) and not isinstance(value, datetime):
        _in_years(value, "E_DATE")
        return value
    match = ISO_DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Fault("E_DATE")
    return _date(match, "E_DATE")


def _date(match: re.Match[str], code: str) -> date:
    try:
        found = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise Fault(code) from None
    _in_years(found, code)
    return found


def read_time(value: object) -> time:
    """A time of day without a zone, or its text 14:30 or 14:30:05."""
    if isinstance(value, time):
        if value.tzinfo is not None:
            raise Fault("E_TIME")
        return value
    match = ISO_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Fault("E_TIME")
    hour, minute, second, part = match.groups()
    try:
        return time(int(hour), int(minute), int(second or 0), int((part or "").ljust(6, "0")))
    except ValueError:
        raise Fault("E_TIME") from None


def read_moment(value: object, zone: tzinfo) -> datetime:
    """An instant in UTC, from an aware datetime or ISO 8601; without an offset it is `zone`'s."""
    if isinstance(value, str):
        match = ISO_MOMENT.fullmatch(value)
        if match is None:
            raise Fault("E_DATETIME")
        try:
            found = datetime.combine(
                read_date(match[1]), read_time(match[2]), _offset(match[3]) or zone
            )
        except (Fault, ValueError):
            raise Fault("E_DATETIME") from None
    elif isinstance(value, datetime):
        found = value if value.tzinfo is not None else value.replace(tzinfo=zone)
    else:
        raise Fault("E_DATETIME")
    _in_years(found.date(), "E_DATETIME")
    return found.astimezone(UTC)


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text == "Z":
        return UTC
    return datetime.strptime(text, "%z").tzinfo


def write_time(value: time) -> str:
    """14:30, with seconds only when there are any."""
    return value.isoformat("auto") if value.second or value.microsecond else f"{value:%H:%M}"


def write_moment(value: datetime) -> str:
    """2026-01-31T08:00:00Z; a fraction of a second only when there is one."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def bring_date(cell: object) -> str:
    """The JSON of a cell that holds a date: a date, its text, or a spreadsheet's day number."""
    found, clock = _cell(cell, "E_DATE")
    if clock not in (None, time()):
        raise Fault("E_DATE")
    return found.isoformat()


def bring_time(cell: object) -> str:
    if isinstance(cell, time):
        return write_time(cell)
    if isinstance(cell, float) and 0 <= cell < 1:
        return write_time((SERIAL_ZERO + _whole_seconds(cell)).time())
    return write_time(_cell_time(narrow(str(cell)), "E_TIME"))


def bring_moment(cell: object, zone: tzinfo) -> str:
    """The JSON of a cell that holds a date and a time; a date alone is its midnight."""
    if isinstance(cell, str) and ISO_MOMENT.fullmatch(cell.strip()):
        return write_moment(read_moment(cell.strip(), zone))
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        return write_moment(read_moment(cell, zone))
    day, clock = _cell(cell, "E_DATETIME")
    return write_moment(read_moment(datetime.combine(day, clock or time()), zone))


def _cell(cell: object, code: str) -> tuple[date, time | None]:
    if isinstance(cell, datetime):
        _in_years(cell, code)
        return cell.date(), cell.time().replace(microsecond=0)
    if isinstance(cell, date):
        _in_years(cell, code)
        return cell, None
    text = narrow(str(cell))
    if SERIAL_DAY.fullmatch(text):
        moment = SERIAL_ZERO + _whole_seconds(float(text))
        return moment.date(), moment.time()
    match = CELL_DATE.match(text) or CELL_PACKED.fullmatch(text)
    if match is None:
        raise Fault(code)
    day = _date(match, code)
    rest = text[match.end() :].strip()
    if not rest:
        return day, None
    if rest[0] in "Tt":
        rest = rest[1:]
    elif text[match.end()].isdigit():
        raise Fault(code)
    return day, _cell_time(rest, code)


def _whole_seconds(days: float) -> timedelta:
    return timedelta(seconds=round(days * 86400))


def _cell_time(text: str, code: str) -> time:
    match = CELL_TIME.fullmatch(text)
    if match is None or (match[3] is None and "点" not in text and "时" not in text):
        raise Fault(code)
    half = (match[1] or match[5] or "").upper()
    hour = int(match[2])
    if half and not 0 <= hour <= 12:
        raise Fault(code)
    if half in ("下午", "晚上", "PM"):
        hour = hour % 12 + 12
    elif half == "AM" or (half == "上午" and hour == 12):
        hour %= 12
    try:
        return time(hour, int(match[3] or 0), int(match[4] or 0))
    except ValueError:
        raise Fault(code) from None


def show_moment(value: datetime, zone: tzinfo) -> str:
    """2026-03-05 14:30 in `zone`, with seconds only when there are any."""
    local = value.astimezone(zone).replace(tzinfo=None)
    return f"{local.date().isoformat()} {write_time(local.time())}"


def show_minute(value: datetime, zone: tzinfo) -> str:
    """2026-03-05 14:30 in `zone`."""
    return value.astimezone(zone).strftime(MINUTE)


def in_minutes(value: Any) -> Any:
    """A moment without its seconds, as people read it (files are exact); anything else as it is."""
    return value.replace(second=0, microsecond=0) if isinstance(value, datetime) else value
