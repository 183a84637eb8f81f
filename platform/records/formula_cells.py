"""Cells that a spreadsheet would run as formulas when it opens a CSV file, and back again.

An apostrophe before such a text keeps it a text; taking one away again on the way in gives every
text back as it was, those that really begin with an apostrophe too.
"""

from typing import Any

#: what a spreadsheet takes for the beginning of a formula, full-width forms among it
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")


def kept_text(value: Any) -> Any:
    """A CSV cell that no spreadsheet runs. Numbers stay numbers."""
    return "'" + value if isinstance(value, str) and _runs(value.lstrip("'")) else value


def as_written(cell: str) -> str:
    """The text for which `kept_text` gave this cell."""
    return cell[1:] if cell[:1] == "'" and _runs(cell.lstrip("'")) else cell


def _runs(text: str) -> bool:
    return text.lstrip(" \u3000\u00a0").startswith(STARTS)
