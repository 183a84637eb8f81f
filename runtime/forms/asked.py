"""What the address of a record table asks for, and the address of something else asked.

    q=WORDS  sort=FIELD or -FIELD  c=FIELD (a column, again for each)  cursor=MARK
    w.FIELD=VALUE (again for each value)   o.FIELD=OPERATOR (the usual one without it)
    filter=FORMULA   of=ROOM:KEY (the records behind a number)
    view=ID (a saved view, `all` for none)
    as=board or calendar, with by=FIELD and what else these take

`w.channel=meituan` · `o.received_at=this_month` · `w.age=20&w.age=30` (from, to) ·
`o.grade=blank`. Others link here by it, so it stays as it is; operators are those of
`platform/records/narrow.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from ...platform.definitions.fields import Field
from ...platform.definitions.form import Form
from ...platform.records.behind import arguments_of
from ...platform.records.narrow import TAKES, Condition, operators

VALUE, OPERATOR = "w.", "o."
LONGEST = 200
LONGEST_FORMULA = 4_000
MOST_VALUES = 50
MOST_COLUMNS = 30
NO_VIEW = "all"
TABLE, BOARD, CALENDAR = "table", "board", "calendar"
#: further arguments of a board and a calendar: fields, but for the last two
PLACES = ("by", "until", "rows", "span", "on")


@dataclass(frozen=True)
class Asked:
    """What is asked for. added: a field that is given an empty filter; view: a saved view;
    places: by argument, see `PLACES`; behind: which number of another room is meant."""

    search: str = ""
    sort: str = ""
    cursor: str = ""
    conditions: tuple[Condition, ...] = ()
    formula: str = ""
    columns: tuple[str, ...] = ()
    added: str = ""
    view: str = ""
    shown_as: str = TABLE
    places: Mapping[str, str] = field(default_factory=dict)
    behind: Mapping[str, str] = field(default_factory=dict)

    def condition(self, key: str) -> Condition | None:
        """The condition on a field, if there is one."""
        return next((each for each in self.conditions if each.field == key), None)

    def without(self, key: str) -> Asked:
        """The same without the condition on a field."""
        return replace(self, conditions=tuple(c for c in self.conditions if c.field != key))

    def url(self, base: str, **changed: Any) -> str:
        """The address of this, something changed; unless a mark is given, from the first page.

        When nothing is asked any more it says so, or a saved view would come back by itself.
        """
        pairs = list(replace(self, **{"cursor": "", "added": "", **changed}).pairs())
        if all(name == "view" for name, _ in pairs):
            pairs = [("view", NO_VIEW)] if pairs else []
        return f"{base}?{urlencode(pairs)}" if pairs else base

    def pairs(self, besides: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
        """Its arguments, but for some."""
        for name, value in self._all():
            if value and name not in besides:
                yield name, value

    def _all(self) -> Iterator[tuple[str, str]]:
        yield "view", self.view
        if self.shown_as != TABLE:
            yield "as", self.shown_as
            yield from self.places.items()
        yield "q", self.search
        for each in self.conditions:
            yield OPERATOR + each.field, each.operator
            for value in each.values:
                yield VALUE + each.field, value or " "  # an open end keeps its place
        yield "filter", self.formula
        yield from (("c", key) for key in self.columns)
        yield "sort", self.sort
        yield from self.behind.items()
        yield "add", self.added
        yield "cursor", self.cursor


def asked_of(form: Form, arguments: MultiDict[str, str]) -> Asked:
    """Read an address. What names a field that is not there is left out."""
    shown_as = arguments.get("as", TABLE)
    return Asked(
        search=arguments.get("q", "").strip()[:LONGEST],
        sort=arguments.get("sort", "").strip()[:60],
        cursor=arguments.get("cursor", ""),
        conditions=tuple(
            found
            for its in form.fields.values()
            if (found := _condition(its, arguments)) is not None
        ),
        formula=arguments.get("filter", "").strip()[:LONGEST_FORMULA],
        columns=tuple(dict.fromkeys(c for c in arguments.getlist("c") if c in form.fields)),
        added=added if (added := arguments.get("add", "")) in form.fields else "",
        view=arguments.get("view", "")[:60],
        shown_as=shown_as if shown_as in (BOARD, CALENDAR) else TABLE,
        places={name: arguments[name][:40] for name in PLACES if arguments.get(name)},
        behind=arguments_of(arguments),
    )


def _condition(its: Field, arguments: MultiDict[str, str]) -> Condition | None:
    """What is asked of a field; None when an operator has no values yet."""
    given = [text.strip()[:LONGEST] for text in arguments.getlist(VALUE + its.key)][:MOST_VALUES]
    known = operators(its)
    operator = arguments.get(OPERATOR + its.key, "")
    if operator not in known:
        if not any(given):
            return None
        # Two values are two ends; one alone is what the field is.
        operator = "is" if known[0] == "between" and len(given) == 1 else known[0]
    takes = TAKES.get(operator)
    if takes == 0:
        return Condition(its.key, operator)
    if not any(given):
        return None
    if takes == 2:
        return Condition(its.key, operator, (*given, "")[:2])
    return Condition(its.key, operator, tuple(dict.fromkeys(text for text in given if text)))


def stored(asked: Asked) -> dict[str, Any]:
    """What a saved view keeps of it; `restored` reads it back."""
    return {
        "search": asked.search,
        "sort": asked.sort,
        "conditions": [
            {"field": c.field, "operator": c.operator, "values": list(c.values)}
            for c in asked.conditions
        ],
        "filter": asked.formula,
        "columns": list(asked.columns),
        "as": asked.shown_as,
        **{name: value for name, value in asked.places.items() if name != "on"},
    }


def restored(form: Form, document: Mapping[str, Any], view: str) -> Asked:
    """What a saved view asks for, as far as the form still has its fields."""
    return Asked(
        search=document.get("search", ""),
        sort=document.get("sort", ""),
        conditions=tuple(
            Condition(c["field"], c["operator"], tuple(c.get("values", ())))
            for c in document.get("conditions", ())
            if c["field"] in form.fields
        ),
        formula=document.get("filter", ""),
        columns=tuple(key for key in document.get("columns", ()) if key in form.fields),
        view=view,
        shown_as=document.get("as", TABLE),
        places={name: document[name] for name in PLACES if document.get(name)},
    )
