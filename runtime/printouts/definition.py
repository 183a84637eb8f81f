"""A printout as the house reads it, and all it names."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from ...platform.definitions.fields import Field
from ...platform.definitions.form import Form
from ...platform.definitions.form_scope import Resolve, scope_of
from ...platform.definitions.kinds import Use
from ...platform.definitions.named import use_of, uses_of_formula
from ...platform.definitions.options import Text
from ...platform.definitions.published import published
from ...platform.definitions.schema_check import pointer
from ...platform.definitions.understood import understood
from ...platform.expressions.tree import Field as Named
from ...platform.expressions.tree import Hop, Resolved, linking
from .gaps import Gap, Unclosed, parts_of

A4 = "A4"
Path = tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """One entry of a block of fields: a field or a formula, under its title."""

    key: str
    show: str
    title: Text | None
    wide: bool


@dataclass(frozen=True)
class Block:
    """One part of the sheet; which of these mean something its kind says."""

    key: str
    kind: str
    when: str | None
    text: Text = ""
    style: str = ""
    columns: int = 2
    facts: tuple[Fact, ...] = ()
    of: Path = ()
    cells: tuple[str, ...] = ()
    total: tuple[str, ...] = ()
    title: Text | None = None
    signatures: tuple[Text, ...] = ()
    dated: bool = True


@dataclass(frozen=True)
class Printout:
    """A printout's version."""

    key: str
    version: int
    title: Text
    form: str
    paper: str
    orientation: str
    when: str | None
    blocks: tuple[Block, ...]

    @property
    def is_label(self) -> bool:
        """A label: neither head nor foot."""
        return self.paper.startswith("label")


def read_printout(document: Mapping[str, Any], version: int = 0) -> Printout:
    """A printout from its document, which has the shape its JSON Schema asks for."""
    return Printout(
        document["key"],
        version,
        document["title"],
        document["form"],
        document.get("paper", A4),
        document.get("orientation", "portrait"),
        document.get("when"),
        tuple(map(_block, document["blocks"])),
    )


def printout_of(session: Session, key: str) -> Printout:
    """The printout in force. Raises NotFound, NotUnderstood."""
    found = understood(session, "printout", key, _read_whole)
    return replace(found, version=published(session, "printout", key).version)


def _read_whole(document: Mapping[str, Any]) -> Printout:
    """With the gaps of its texts, so that one that does not end is found here."""
    for block in document["blocks"]:
        for text, _ in texts_of(block.get("text", ""), ""):
            parts_of(text)
    return read_printout(document)


def _block(block: Mapping[str, Any]) -> Block:
    is_rows = block["kind"] == "rows"
    return Block(
        key=block["key"],
        kind=block["kind"],
        when=block.get("when"),
        text=block.get("text", ""),
        style=block.get("as", block.get("size", "")),
        columns=2 if is_rows else block.get("columns", 2),
        facts=tuple(
            Fact(each["key"], each["show"], each.get("title"), each.get("wide", False))
            for each in block.get("fields", ())
        ),
        of=tuple(block["of"].split(".")) if "of" in block else (),
        cells=tuple(block["columns"]) if is_rows else (),
        total=tuple(block.get("total", ())),
        title=block.get("title"),
        signatures=tuple(line["title"] for line in block.get("lines", ())),
        dated=block.get("dated", True),
    )


def path_of(node: Resolved) -> Path | None:
    """The path of an expression that is a field, or one behind links, and nothing more."""
    if isinstance(node, Named):
        return None if node.up or linking(node.key) else (node.key,)
    if isinstance(node, Hop):
        base = path_of(node.base)
        return None if base is None else (*base, node.key)
    return None


def field_at(form: Form, path: Path, resolve: Callable[[str], Form | None]) -> Field | None:
    """The field at the end of a path from a form's record; None when a part of it is not there."""
    its: Form | None = form
    for key in path[:-1]:
        link = its.fields[key].link_form if its is not None and key in its.fields else None
        its = resolve(link) if link else None
    return its.fields.get(path[-1]) if its is not None else None


def texts_of(text: Text, at: str) -> Iterator[tuple[str, str]]:
    """A text in each language it has, with its JSON pointer."""
    if isinstance(text, str):
        yield text, at
    else:
        yield from ((each, at + pointer(language)) for language, each in text.items())


def formulas_of(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every expression of a printout, with its JSON pointer; those of texts that are not closed
    are left out, their check tells."""
    if "when" in document:
        yield document["when"], "/when"
    for number, block in enumerate(document["blocks"]):
        at = pointer("blocks", number)
        if "when" in block:
            yield block["when"], f"{at}/when"
        for text, place in texts_of(block.get("text", ""), f"{at}/text"):
            try:
                gaps = [part for part in parts_of(text) if isinstance(part, Gap)]
            except Unclosed:
                continue
            yield from ((gap.expression, place) for gap in gaps)
        for entry, fact in enumerate(block.get("fields", ())):
            yield fact["show"], f"{at}{pointer('fields', entry, 'show')}"


def uses_of_printout(document: Mapping[str, Any], resolve: Resolve) -> Iterator[Use]:
    """Its form, the fields at the ends of its paths and on the way there, and what its formulas
    name."""
    printout = read_printout(document)
    yield Use("form", printout.form, None, "/form")
    form = resolve(printout.form)
    if form is None:
        return
    scope = scope_of(form, resolve, live=True)
    for text, at in formulas_of(document):
        yield from uses_of_formula(text, at, scope, form.key, resolve)
    for number, block in enumerate(printout.blocks):
        if block.of:
            yield from _uses_of_path(form, block.of, resolve, pointer("blocks", number, "of"))
            yield from _uses_of_columns(form, block, resolve, pointer("blocks", number))


def _uses_of_columns(form: Form, block: Block, resolve: Resolve, at: str) -> Iterator[Use]:
    its = field_at(form, block.of, resolve)
    if its is not None and its.rows is not None:
        for word, keys in (("columns", block.cells), ("total", block.total)):
            for number, key in enumerate(keys):
                yield use_of(its.rows.key, key, at + pointer(word, number))


def _uses_of_path(form: Form, path: Path, resolve: Resolve, at: str) -> Iterator[Use]:
    its: Form | None = form
    for key in path:
        if its is None:
            return
        yield Use("form", its.key, key, at)
        link = its.fields[key].link_form if key in its.fields else None
        its = resolve(link) if link else None
