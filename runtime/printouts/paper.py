"""A printout and a record -> the sheet as page and PDF draw it: plain values, all in the reader's
language, cut to what they may see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ...platform.definitions.fields import Field
from ...platform.records.choices import labels
from ...platform.records.record import READABLE, Record
from ...platform.store.errors import Conflict
from ...platform.store.file_kinds import is_image
from ...platform.store.file_model import FileRow
from ...platform.store.files import file_rows
from ..forms.show import Reader, shown
from .definition import Block, Fact, Printout
from .gaps import Gap, Part, lines_of
from .sight import Seen, Sight
from .words import worded

#: what stands where its reader may not see what would
WITHHELD = "***"
NUMBERS = ("number", "money", "percent")


@dataclass(frozen=True)
class Piece:
    """A run of text. blank: a place to write by hand, for the field is not filled in."""

    text: str
    blank: bool = False


Line = Sequence[Piece]


@dataclass(frozen=True)
class DrawnFact:
    """A title and what stands under it."""

    title: str
    words: str
    wide: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell of a table."""

    words: str
    number: bool = False


@dataclass(frozen=True)
class DrawnBlock:
    """One part of the sheet; its kind says which of these it has."""

    kind: str
    style: str = ""
    lines: Sequence[Line] = ()
    columns: int = 2
    facts: Sequence[DrawnFact] = ()
    head: Sequence[Cell] = ()
    rows: Sequence[Sequence[Cell]] = ()
    total: Sequence[Cell] = ()
    title: str = ""
    signatures: Sequence[str] = ()
    dated: bool = True
    pictures: Sequence[FileRow] = ()
    names: Sequence[str] = ()


@dataclass
class Paper:
    """The sheet. withheld: something is missing because its reader may not see it."""

    printout: Printout
    title: str
    sheet: str
    blocks: list[DrawnBlock] = field(default_factory=list)
    withheld: bool = False


def offered(sight: Sight, printout: Printout) -> bool:
    """Whether a printout is for this record, as far as its reader may know."""
    return sight.holds(printout.when) is True


def lay_out(reader: Reader, record: Record, printout: Printout) -> Paper:
    """The sheet of one record. Raises Conflict for a printout that holds no more."""
    sheet = printout.paper if printout.is_label else f"{printout.paper}_{printout.orientation}"
    paper = Paper(printout, reader.text(printout.title), sheet.lower())
    hand = _Hand(Sight(reader, record), reader, paper)
    for block in printout.blocks:
        holds = hand.sight.holds(block.when)
        if holds is None:
            paper.withheld = True
        elif holds:
            paper.blocks.append(hand.draw(block))
    return paper


def _broken(line: Line) -> Iterator[Line]:
    """A line as the lines that it is with the line ends of its values."""
    lines: list[list[Piece]] = [[]]
    for piece in line:
        first, *more = piece.text.split("\n")
        lines[-1].append(Piece(first, piece.blank))
        lines += [[Piece(text)] for text in more]
    return (each for each in lines if any(piece.text.strip() or piece.blank for piece in each))


class _Hand:
    """Draws block by block."""

    def __init__(self, sight: Sight, reader: Reader, paper: Paper) -> None:
        self.sight, self.reader, self.paper = sight, reader, paper

    def draw(self, block: Block) -> DrawnBlock:
        if block.kind in ("heading", "text"):
            written = lines_of(self.reader.text(block.text))
            lines = [line for parts in written for line in _broken(self._line(parts))]
            return DrawnBlock(block.kind, block.style or "paragraphs", lines=lines)
        if block.kind == "fields":
            facts = [made for fact in block.facts if (made := self._fact(fact)) is not None]
            return DrawnBlock("fields", columns=block.columns, facts=facts)
        if block.kind == "rows":
            return self._table(block)
        if block.kind == "picture":
            return self._pictures(block)
        signatures = [self.reader.text(title) for title in block.signatures]
        return DrawnBlock(block.kind, signatures=signatures, dated=block.dated)

    def _line(self, parts: Sequence[Part]) -> Line:
        return [self._gap(part) if isinstance(part, Gap) else Piece(part) for part in parts]

    def _gap(self, gap: Gap) -> Piece:
        """A field alone is shown as on its record's page, and may be written in by hand."""
        path = self.sight.path(gap.expression)
        if path is None:
            return Piece(self._worth(gap.expression))
        seen = self.sight.seen(path)
        words = self._words(seen)
        return Piece(words, blank=not words)

    def _words(self, seen: Seen) -> str:
        if seen.right == "hidden":
            self.paper.withheld = True
            return WITHHELD
        return seen.words

    def _worth(self, expression: str) -> str:
        worth = self.sight.worth(expression)
        if worth.withheld:
            self.paper.withheld = True
            return WITHHELD
        return worded(self.reader, worth.value, worth.type)

    def _fact(self, fact: Fact) -> DrawnFact | None:
        """A field its reader may not see has no place, as on the record's page."""
        path = self.sight.path(fact.show)
        title = self.reader.text(fact.title)
        if path is None:
            return DrawnFact(title, self._worth(fact.show), fact.wide)
        seen = self.sight.seen(path)
        if seen.right == "hidden":
            return None
        wide = fact.wide or seen.field.type.name == "longtext"
        return DrawnFact(title or self.reader.text(seen.field.title), seen.words, wide)

    def _table(self, block: Block) -> DrawnBlock:
        seen = self.sight.seen(block.of)
        if seen.right not in READABLE:
            self.paper.withheld = True
            return DrawnBlock("text", "paragraphs", lines=[[Piece(WITHHELD)]])
        rows = seen.value or []
        assert seen.field.rows is not None, "the check has seen that it is a sub-form"
        if missing := set(block.cells) - seen.field.rows.fields.keys():
            raise Conflict("E_PRINT_BROKEN", why=min(missing))
        fields = [seen.field.rows.fields[key] for key in block.cells]
        named = self._named(fields, rows)
        drawn = [[self._cell(its, row.get(its.key), named) for its in fields] for row in rows]
        head = [Cell(self.reader.text(its.title), its.type.name in NUMBERS) for its in fields]
        total = list(self._totals(block, fields, rows)) if block.total else []
        return DrawnBlock("rows", head=head, rows=drawn, total=total)

    def _named(
        self, fields: Sequence[Field], rows: Sequence[Mapping[str, Any]]
    ) -> dict[str, dict[int, str]]:
        """What the records are called that the rows' links lead to."""
        session, actor = self.reader.session, self.reader.actor
        return {
            its.key: labels(
                session, actor, its.link_form, {row[its.key] for row in rows if row.get(its.key)}
            )
            for its in fields
            if its.link_form
        }

    def _cell(self, its: Field, value: Any, named: Mapping[str, Mapping[int, str]]) -> Cell:
        return Cell(shown(self.reader, its, value, "read", named), its.type.name in NUMBERS)

    def _totals(
        self, block: Block, fields: Sequence[Field], rows: Sequence[Mapping[str, Any]]
    ) -> Iterator[Cell]:
        for number, its in enumerate(fields):
            if its.key in block.total:
                amount = sum((row.get(its.key) or 0 for row in rows), Decimal(0))
                yield self._cell(its, amount, {})
            else:
                yield Cell("" if number else self.reader.say("print.total"))

    def _pictures(self, block: Block) -> DrawnBlock:
        seen = self.sight.seen(block.of)
        title = self.reader.text(block.title or seen.field.title)
        if seen.right not in READABLE:
            self.paper.withheld = True
            return DrawnBlock("text", "paragraphs", lines=[[Piece(f"{title} {WITHHELD}")]])
        found = file_rows(self.reader.session, seen.value or [])
        rows = [found[each] for each in seen.value or [] if each in found]
        return DrawnBlock(
            "picture",
            block.style or "medium",
            title=title,
            pictures=[row for row in rows if is_image(row.type)],
            names=[row.name for row in rows if not is_image(row.type)],
        )
