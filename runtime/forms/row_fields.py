"""Sub-forms on a page: rows of inputs called `items.0.price`, added and removed with or without
script.

Without it a button sends the form, which is drawn again with a row more or less and nothing saved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import MultiDict

from ...platform.definitions.field_rows import most_rows, rows_of
from ...platform.definitions.fields import Field
from ...platform.definitions.form import Form
from .drawn import DrawnField

if TYPE_CHECKING:
    from .show import Filling

ADD, REMOVE = "_add", "_remove"
COUNT = "_rows"  # `items._rows`: how many rows the page shows, blank ones among them
Typed = MultiDict[str, str]


def typed_rows(its: Field, typed: Typed) -> list[dict[str, list[str]]]:
    """What was typed in each row, blank rows among them."""
    fields = rows_of(its).fields
    count = typed.get(f"{its.key}.{COUNT}", 0, type=int)
    return [
        {key: given for key in fields if (given := typed.getlist(f"{its.key}.{at}.{key}"))}
        for at in range(min(max(count, 0), most_rows(its)))
    ]


def is_blank_row(row: Mapping[str, Sequence[str]]) -> bool:
    return not any(text.strip() for given in row.values() for text in given)


def arranged(form: Form, typed: Typed) -> tuple[Typed, bool]:
    """What was sent with its rows numbered anew, and whether only a row more or less was asked
    for. Blank rows go unless they were just asked for, so that a problem's row is the row seen."""
    found: Typed = MultiDict(typed)
    only_rows = bool(found.get(ADD) or found.get(REMOVE))
    for key, its in form.fields.items():
        if its.rows is None or f"{key}.{COUNT}" not in found:
            continue
        rows = typed_rows(its, found)
        if only_rows:
            removed = [at for at in range(len(rows)) if found.get(REMOVE) == f"{key}.{at}"]
            rows = [row for at, row in enumerate(rows) if at not in removed]
            if found.get(ADD) == key and len(rows) < most_rows(its):
                rows.append({})
        else:
            rows = [row for row in rows if not is_blank_row(row)]
        for name in [name for name in found if name.startswith(f"{key}.")]:
            found.poplist(name)
        found[f"{key}.{COUNT}"] = str(len(rows))
        for at, row in enumerate(rows):
            for inner, given in row.items():
                found.setlist(f"{key}.{at}.{inner}", given)
    return found, only_rows


def posted_rows(
    its: Field, typed: Typed, zone: tzinfo, read: Callable[[Field, list[str], tzinfo], Any]
) -> list[dict[str, Any]] | None:
    """A page's rows as JSON for the door, blank ones left out."""
    fields = rows_of(its).fields
    rows = []
    for row in typed_rows(its, typed):
        values = {}
        for key, given in row.items():
            texts = [text.strip() for text in given if text.strip()]
            if texts and fields[key].by_people:
                values[key] = read(fields[key], texts, zone)
        if values:
            rows.append(values)
    return rows or None


def draw_rows(
    its: Field,
    filling: Filling,
    writable: bool,
    draw: Callable[[Field, Filling], DrawnField | None],
) -> tuple[Sequence[Sequence[DrawnField]], Sequence[DrawnField]]:
    """The rows as they are drawn, and one blank row for the script to copy."""
    values: Sequence[Mapping[str, Any]] = filling.values.get(its.key) or ()
    typed = None
    if writable and filling.typed is not None:
        typed = typed_rows(its, filling.typed)
    count = len(values) if typed is None else len(typed)
    if writable and count == 0:
        count = 1
    fields = rows_of(its).ordered

    def one(at: int | str, kept: Mapping[str, Any], given: Mapping[str, list[str]] | None) -> Any:
        prefix = f"{its.key}.{at}."
        inner = replace(
            filling,
            rights={
                each.key: "write" if writable and each.by_people else "read" for each in fields
            },
            values=kept,
            typed=None if given is None else MultiDict(given),
            fixed=(),
            problems={
                key.removeprefix(prefix): words
                for key, words in filling.problems.items()
                if key.startswith(prefix)
            },
        )
        drawn = (draw(each, inner) for each in fields)
        return [replace(each, key=prefix + each.key) for each in drawn if each is not None]

    rows = [
        one(
            at,
            values[at] if at < len(values) else {},
            typed[at] if typed and at < len(typed) else None,
        )
        for at in range(count)
    ]
    return rows, one("ROW", {}, None) if writable else ()
