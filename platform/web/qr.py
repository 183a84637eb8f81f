"""A text as a QR code to be drawn inside a page: one path of an SVG, without markup of its own."""

from collections.abc import Iterable
from dataclasses import dataclass

QUIET = 4  # modules left blank around it, as readers want


@dataclass(frozen=True)
class Drawn:
    """size: of the square, in modules, quiet ones too; path: an SVG path over the dark ones."""

    size: int
    path: str


def draw(text: str) -> Drawn:
    """The code, as small as the text allows, at the usual correction."""
    import segno  # for one page that is seen once; nothing else needs it

    rows = list(segno.make(text, error="m", micro=False).matrix_iter(border=QUIET))
    runs = (
        f"M{left} {top}h{right - left}v1h{left - right}z"
        for top, row in enumerate(rows)
        for left, right in _runs(row)
    )
    return Drawn(len(rows), "".join(runs))


def _runs(row: Iterable[int]) -> list[tuple[int, int]]:
    """Where dark stretches of a row begin and end."""
    found, start = [], None
    for at, dark in enumerate((*row, 0)):
        if dark and start is None:
            start = at
        elif not dark and start is not None:
            found.append((start, at))
            start = None
    return found
