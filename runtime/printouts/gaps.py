"""Text with gaps: `Dear {{ customer.name }}, on {{ TODAY() }} …`.

What stands in a gap is an expression of Careloom's own language and nothing else: there are no
loops, no filters, no other templates to call. A text is cut at its gaps once, when it is written;
what a gap is worth is only ever put beside the pieces, so a value that looks like a gap stays what
somebody typed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

OPEN, CLOSE = "{{", "}}"
#: what a gap may hold that hides its end: texts in quotes, and labels in braces
PAIRS = {'"': '"', "“": "”", "＂": "＂", "{": "}", "｛": "｝"}


@dataclass(frozen=True)
class Gap:
    """An expression in a text. start: where it stands, in letters from the text's beginning."""

    expression: str
    start: int


Part = str | Gap


class Unclosed(ValueError):
    """A gap that never ends. start: where it begins."""

    def __init__(self, start: int) -> None:
        super().__init__(f"the gap at {start} does not end")
        self.start = start


@lru_cache(maxsize=1024)
def parts_of(text: str) -> tuple[Part, ...]:
    """A text cut at its gaps. Raises Unclosed."""
    return tuple(_cut(text))


def _cut(text: str) -> Iterator[Part]:
    at = 0
    while (begins := text.find(OPEN, at)) >= 0:
        if begins > at:
            yield text[at:begins]
        start = begins + len(OPEN)
        ends = _end(text, start)
        expression = text[start:ends]
        blanks = len(expression) - len(expression.lstrip())
        yield Gap(expression.strip(), start + blanks)
        at = ends + len(CLOSE)
    if at < len(text):
        yield text[at:]


def _end(text: str, start: int) -> int:
    at = start
    while at < len(text):
        if text.startswith(CLOSE, at):
            return at
        closing = PAIRS.get(text[at])
        if closing is not None and (end := text.find(closing, at + 1)) >= 0:
            at = end
        at += 1
    raise Unclosed(start)


def lines_of(text: str) -> list[tuple[Part, ...]]:
    """The lines of a text, each cut at its gaps; a gap does not end a line. Raises Unclosed."""
    lines: list[list[Part]] = [[]]
    for part in parts_of(text):
        if isinstance(part, Gap):
            lines[-1].append(part)
            continue
        first, *more = part.split("\n")
        if first:
            lines[-1].append(first)
        lines += [[line] if line else [] for line in more]
    return [tuple(line) for line in lines if line]
