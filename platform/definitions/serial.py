"""Serial numbers: a pattern such as C{yyyy}{mm}-{seq:6}; the count starts anew with its dates."""

import re
from datetime import date

PART = re.compile(r"\{(yyyy|yy|mm|dd|seq:([1-9][0-9]?))\}")
PLAIN = re.compile(r"[A-Za-z0-9_./#-]*")


def serial_fault(pattern: str) -> str | None:
    """E_SERIAL unless the pattern has plain characters, dates and exactly one {seq:N}, N to 12."""
    counts = [int(found[2]) for found in PART.finditer(pattern) if found[2]]
    plain = PART.sub("", pattern)
    sound = len(counts) == 1 and counts[0] <= 12 and PLAIN.fullmatch(plain)
    return None if sound else "E_SERIAL"


def serial_period(pattern: str, day: date) -> str:
    """The name of the counter: the pattern with its dates filled in, its count left open."""
    return PART.sub(lambda found: found[0] if found[2] else _dated(found[1], day), pattern)


def serial_text(pattern: str, day: date, number: int) -> str:
    """C{yyyy}{seq:6}, the seventh of 2026 -> C2026000007; a longer count grows, it never wraps."""
    return PART.sub(
        lambda found: str(number).zfill(int(found[2])) if found[2] else _dated(found[1], day),
        pattern,
    )


def _dated(part: str, day: date) -> str:
    written = {
        "yyyy": f"{day.year:04}",
        "yy": f"{day.year % 100:02}",
        "mm": f"{day.month:02}",
        "dd": f"{day.day:02}",
    }
    return written[part]
