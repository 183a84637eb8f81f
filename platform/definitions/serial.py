"""The patterns of serial numbers, such as C{yyyy}{mm}-{seq:6}; `records` counts them."""

import re

PART = re.compile(r"\{(yyyy|yy|mm|dd|seq:([1-9]))\}")
PLAIN = re.compile(r"[A-Za-z0-9_./#-]*")


def serial_fault(pattern: str) -> str | None:
    """E_SERIAL unless the pattern is plain characters, dates and one {seq:N} of up to 9 digits."""
    counts = [found for found in PART.finditer(pattern) if found[2]]
    sound = len(counts) == 1 and PLAIN.fullmatch(PART.sub("", pattern))
    return None if sound else "E_SERIAL"
