"""What makes a printout sound, and its entry among the kinds of definition.

All that could be wrong with an expression is found here, before anybody prints: names that are not
there, types that no paper shows, gaps that do not end.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from ...platform.definitions.form import Form
from ...platform.definitions.form_scope import Resolve, coming_forms, scope_of
from ...platform.definitions.kinds import Document, Kind
from ...platform.definitions.leaving import Leaving
from ...platform.definitions.schema_check import missing, pointer, schema, twice
from ...platform.expressions import BOOL, ExpressionError, Scope, Type, Typed, check
from ...platform.records.conditions import need_lookups
from ...platform.store.errors import Problem
from .definition import (
    Block,
    field_at,
    path_of,
    printout_of,
    read_printout,
    texts_of,
    uses_of_printout,
)
from .gaps import Gap, Unclosed, parts_of

Found = Iterator[Problem]
#: what can be said in words, by the name of its type
SAID = ("text", "number", "money", "bool", "date", "datetime", "person", "row")
FILES = ("file", "image")
NUMBERS = ("number", "money")


def check_printout(session: Session, document: Document) -> list[Problem]:
    """The form, its fields and what stands behind its links are there; every expression holds."""
    printout = read_printout(document)
    resolve = coming_forms(session)
    form = resolve(printout.form)
    if form is None:
        return [Problem("/form", "E_NO_FORM", {"name": printout.form})]
    judge = _Judge(form, resolve)
    found = [*_twice(document), *judge.condition(printout.when, "/when")]
    for number, block in enumerate(printout.blocks):
        found += judge.block(block, pointer("blocks", number))
    return found


def _twice(document: Document) -> Found:
    lists = [("", document["blocks"], "blocks")]
    for number, block in enumerate(document["blocks"]):
        for name in ("fields", "lines"):
            lists.append((pointer("blocks", number), block.get(name, ()), name))
    for at, entries, name in lists:
        for number, key in twice(entry["key"] for entry in entries):
            yield Problem(at + pointer(name, number, "key"), "E_KEY_TWICE", {"name": key})


class _Judge:
    """Judges the parts of a printout of one form."""

    def __init__(self, form: Form, resolve: Resolve) -> None:
        self.form, self.resolve = form, resolve
        self.scope: Scope = scope_of(form, resolve, live=True)

    def block(self, block: Block, at: str) -> Found:
        yield from self.condition(block.when, f"{at}/when")
        for text, place in texts_of(block.text, f"{at}/text"):
            yield from self.text(text, place)
        for number, fact in enumerate(block.facts):
            place = at + pointer("fields", number)
            typed, problem = self._typed(fact.show, f"{place}/show")
            if problem is not None:
                yield problem
            elif typed is not None:
                yield from self._said(typed, f"{place}/show")
                if fact.title is None and path_of(typed.node) is None:
                    yield Problem(f"{place}/title", "E_PRINT_TITLE")
        if block.kind == "rows":
            yield from self._table(block, at)
        if block.kind == "picture":
            yield from self._path(block, at, FILES)

    def condition(self, text: str | None, at: str) -> Found:
        if text is not None:
            _, problem = self._typed(text, at, BOOL)
            if problem is not None:
                yield problem

    def text(self, text: str, at: str) -> Found:
        """Every gap of a text. A problem's place is counted from the text's beginning."""
        try:
            gaps = [part for part in parts_of(text) if isinstance(part, Gap)]
        except Unclosed as fault:
            yield Problem(at, "E_PRINT_GAP", {"start": fault.start, "end": len(text)})
            return
        for gap in gaps:
            typed, problem = self._typed(gap.expression or " ", at)
            if problem is not None:
                moved = {
                    name: value + gap.start
                    for name, value in problem.params.items()
                    if name in ("start", "end")
                }
                yield replace(problem, params={**problem.params, **moved})
            elif typed is not None:
                yield from self._said(typed, at)

    def _typed(
        self, text: str, at: str, expect: Type | None = None
    ) -> tuple[Typed | None, Problem | None]:
        try:
            typed = check(text, self.scope, expect)
            need_lookups(typed, self.resolve)
        except ExpressionError as error:
            place = {"start": error.start, "end": error.end}
            return None, Problem(at, error.code, {**error.params, **place})
        return typed, None

    def _said(self, typed: Typed, at: str) -> Found:
        kind = typed.type
        said = kind.of if kind.name == "list" and kind.of is not None else kind
        is_rows = kind.name == "list" and said.name == "row"
        if said.name not in SAID or is_rows:
            yield Problem(at, "E_PRINT_VALUE", {"found": str(kind)})

    def _path(self, block: Block, at: str, widgets: tuple[str, ...]) -> Found:
        its = field_at(self.form, block.of, self.resolve)
        params = {"name": ".".join(block.of), "widgets": ", ".join(widgets)}
        if its is None:
            known = self.form.fields if len(block.of) == 1 else ()
            yield Problem(f"{at}/of", "E_NO_FIELD", missing(".".join(block.of), known))
        elif its.type.name not in widgets:
            yield Problem(f"{at}/of", "E_FIELD_KIND", params)

    def _table(self, block: Block, at: str) -> Found:
        wrong = list(self._path(block, at, ("subform",)))
        yield from wrong
        its = field_at(self.form, block.of, self.resolve)
        if wrong or its is None or its.rows is None:
            return
        for word, keys in (("columns", block.cells), ("total", block.total)):
            for number, key in enumerate(keys):
                place = at + pointer(word, number)
                if key not in its.rows.fields:
                    yield Problem(place, "E_NO_FIELD", missing(key, its.rows.fields))
                elif word == "total" and its.rows.fields[key].type.name not in NUMBERS:
                    params = {"name": key, "widgets": ", ".join(NUMBERS)}
                    yield Problem(place, "E_FIELD_KIND", params)
                elif word == "total" and key not in block.cells:
                    yield Problem(place, "E_PRINT_TOTAL", {"name": key})


def leaves_of_printout(session: Session, document: Mapping[str, Any]) -> Iterator[Leaving]:
    """What each part of the sheet prints; of a condition, nothing."""
    for use in uses_of_printout(document, coming_forms(session)):
        parts = use.path.split("/")
        if use.field is not None and parts[1] == "blocks" and parts[3] != "when":
            yield Leaving("print", "/".join(parts[:3]), use)


PRINTOUT = Kind(
    "printout",
    schema("printout"),
    check_printout,
    order=80,
    uses=uses_of_printout,
    read=lambda session, key, _document: printout_of(session, key),
    leaves=leaves_of_printout,
)
