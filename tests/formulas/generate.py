"""Random formulas that are well typed, over the world's names, and a few records to ask them of."""

import re
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
NUMBERS = ["0", "1", "-1", "2.5", "-7", "0.1", "100", "1.005", "1000000007"]
TEXTS = ["a", "B", "阿", "宝", "ab", "", " x ", "😀牙", "é", "10", "9", "138 0000"]
UNITS = ["day", "week", "month", "year"]

FIELDS: dict[str, dict[str, list[str]]] = {
    "record": {
        "number": ["a", "b", "i", "j", "m", "customer.score", "customer.clinic.beds"],
        "text": ["t", "u", "v", "customer.name", "customer.level", "opens"],
        "bool": ["p", "q", "customer.vip"],
        "date": ["d", "e", "customer.born"],
        "datetime": ["at", "until", "customer.since"],
    },
    "item": {
        "number": ["qty", "price", "rate", "product.cost", "parent.i", "parent.m"],
        "text": ["kind", "note", "product.name", "parent.t"],
        "bool": ["flag", "parent.p"],
        "date": ["done", "parent.d"],
        "datetime": ["seen", "parent.at"],
    },
}


@st.composite
def formulas(draw: Draw, kind: str | None = None, depth: int = 4) -> str:
    """A formula whose answer is of this kind (of any kind when none is said)."""
    made = kind or draw(st.sampled_from(["number", "text", "bool", "date", "datetime", "duration"]))
    return _Writer(draw).write(made, depth, "record")


class _Writer:
    def __init__(self, draw: Draw) -> None:
        self.draw = draw

    def pick(self, among: list[Any]) -> Any:
        return self.draw(st.sampled_from(among))

    def write(self, kind: str, depth: int, row: str) -> str:
        """A formula of a kind, at most so deep, for the record or inside a row of its sub-form."""
        if depth <= 0 or self.draw(st.integers(0, 9)) < 2:
            return self._leaf(kind, row)
        forms = _FORMS[kind] + ([] if row == "item" else _LISTS.get(kind, []))
        form: str = self.pick(forms)
        return self._fill(form, depth - 1, row)

    def _fill(self, form: str, depth: int, row: str) -> str:
        """A form with each <kind> replaced by a formula of it; <item.kind> stands inside a row."""
        return re.sub("<([a-z][a-z.]*)>", lambda slot: self._slot(slot[1], depth, row), form)

    def _slot(self, slot: str, depth: int, row: str) -> str:
        if slot in ("unit", "days", "format", "small", "literal"):
            return str(self.pick(_WORDS[slot]))
        if slot.startswith("item."):
            return self.write(slot[5:], min(depth, 2), "item")
        return self.write(slot, depth, row)

    def _leaf(self, kind: str, row: str) -> str:
        field = self.draw(st.integers(0, 9)) < 7
        if field and kind in FIELDS[row]:
            return str(self.pick(FIELDS[row][kind]))
        return str(self.pick(_LITERALS[kind]))


_WORDS = {
    "unit": [f'"{unit}"' for unit in UNITS],
    "days": ['"day"', '"hour"', '"minute"'],
    "format": ['"0"', '"0.00"', '"#,##0.0"', '"0.0%"'],
    "small": ["0", "1", "2", "-1", "3"],
    "literal": ['"a"', '"阿"', '"x"'],
}
_LITERALS = {
    "number": NUMBERS,
    "text": [f'"{text}"' for text in TEXTS],
    "bool": ["TRUE", "FALSE"],
    "date": ["TODAY()", "DATE(2026, 2, 28)", "DATE(2024, 2, 29)", "DATE(1999, 12, 31)"],
    "datetime": ["NOW()"],
    "duration": ['DURATION(90, "minute")', 'DURATION(2, "day")'],
}
_FORMS: dict[str, list[str]] = {
    "number": [
        "(<number>+<number>)", "(<number>-<number>)", "(<number>*<number>)", "(<number>/<number>)",
        "-(<number>)", "ROUND(<number>, <small>)", "ROUNDUP(<number>, <small>)", "INT(<number>)",
        "ROUNDDOWN(<number>, <small>)", "ABS(<number>)", "MOD(<number>, <number>)",
        "POWER(<number>, <small>)", "MIN(<number>, <number>)", "MAX(<number>, 1, <number>)",
        "SUM(<number>, <number>)", "AVG(<number>, <number>)", "COUNT(<number>, <text>)",
        "LEN(<text>)", "YEAR(<date>)", "MONTH(<date>)", "DAY(<datetime>)", "WEEKDAY(<date>, 2)",
        "HOUR(<datetime>)", "DATEDIF(<date>, <date>, <unit>)", "(<date>-<date>)", "AGE(<date>)",
        "DATEDIF(<datetime>, <datetime>, <days>)", "IF(<bool>, <number>, <number>)",
        "IFBLANK(<number>, <number>)", "SWITCH(<text>, <text>, <number>, <number>)",
        "VALUE(<text>)", "NETWORKDAYS(<date>, <date>)",
        "IFS(<bool>, <number>, <bool>, <number>)",
    ],
    "text": [
        "(<text> & <text>)", "(<text> & <number>)", "CONCAT(<text>, <date>)", "TEXT(<number>)",
        "LEFT(<text>, <small>)", "RIGHT(<text>, <small>)", "MID(<text>, <small>, 2)",
        "UPPER(<text>)", "LOWER(<text>)", "TRIM(<text>)", "REPLACE(<text>, <text>, <text>)",
        "TEXT(<number>, <format>)", 'TEXT(<datetime>, "yyyy-mm-dd hh:mm")', "PHONE_MASK(<text>)",
        "IF(<bool>, <text>, NULL)", "IFBLANK(<text>, <text>)", "MAX(<text>, <text>)",
        "MIN(<text>, <text>)", 'TEXT(<date>, "yyyy年m月d日")',
    ],
    "bool": [
        "(<number>=<number>)", "(<number><><number>)", "(<number> < <number>)",
        "(<number>>=<number>)", "(<text>=<text>)", "(<text> <= <text>)", "(<text><><text>)",
        "(<date>=<date>)", "(<date> > <date>)", "(<datetime>=<date>)", "(<datetime> >= <date>)",
        "(<datetime> < <datetime>)", "(<duration> <= <duration>)", "(<bool>=<bool>)",
        "(<bool> AND <bool>)", "(<bool> OR <bool>)", "NOT(<bool>)", "CONTAINS(<text>, <text>)",
        "STARTSWITH(<text>, <text>)", "ENDSWITH(<text>, <text>)", "ISBLANK(<number>)",
        "ISBLANK(<text>)", "ISBLANK(<date>)", "(<text> in (<literal>, <text>))",
        "(<number> in (1, 2.5, <number>))", "(<number> not in (0, 7, NULL))",
        "IF(<bool>, <bool>, <bool>)", "(<text>=NULL)", "(<bool><>NULL)"
    ],
    "date": [
        "(<date>+<number>)", "(<date>-<small>)", "DATEADD(<date>, <number>, <unit>)",
        "EDATE(<date>, <small>)", "EOMONTH(<date>, <small>)", "DATE(<datetime>)", "DATE(<text>)",
        "WORKDAY(<date>, <small>)", "MIN(<date>, <date>)", "MAX(<date>, <date>)",
        "IF(<bool>, <date>, <date>)", "IFBLANK(<date>, <date>)", "DATE(2026, <number>, <number>)",
    ],
    "datetime": [
        "DATEADD(<datetime>, <small>, <days>)", "DATEADD(<datetime>, <number>, <unit>)",
        "(<datetime>+<duration>)", "(<datetime>-<duration>)", "IF(<bool>, <datetime>, <datetime>)",
        "MAX(<datetime>, <datetime>)", "IFBLANK(<datetime>, <datetime>)",
    ],
    "duration": [
        "(<datetime>-<datetime>)", "DURATION(<number>, <days>)", "(<duration>+<duration>)",
        "(<duration>-<duration>)", "-(<duration>)", "IF(<bool>, <duration>, <duration>)",
    ],
}  # fmt: skip
_LISTS: dict[str, list[str]] = {
    "number": [
        "SUM(items, <item.number>)", "AVG(items, <item.number>)", "MIN(items, <item.number>)",
        "MAX(items, <item.number>)", "COUNT(items, <item.bool>)", "COUNT(items)", "COUNT(tags)",
        "SUMIF(items, <item.bool>, <item.number>)", "COUNT(UNIQUE(items.kind))",
        "FIRST(items, <item.number>)", "LAST(items, <item.number>)", "COUNTIF(tags, <text>)",
        "SUM(UNIQUE(items.qty))",
    ],
    "text": ["FIRST(tags)", "LAST(items.note)", "MAX(items.note)", "MIN(items, <item.text>)"],
    "bool": [
        "ANY(items, <item.bool>)", "ALL(items, <item.bool>)", "(<text> in tags)",
        "(<text> in items.kind)", "ISBLANK(items)", "(tags<>NULL)", "(owner=ME())",
    ],
    "date": ["MAX(items.done)", "FIRST(items, <item.date>)"],
    "datetime": ["MIN(items.seen)"],
}  # fmt: skip

_POST = {"_id": 21, "name": "Post", "cost": "1200.00"}
_CLINIC = {"_id": 41, "title": "徐汇", "beds": 12}
_WANG = {
    "_id": 31, "name": "王芳", "level": "gold", "score": "88.50", "born": "1990-05-06",
    "since": "2020-01-01T00:00:00Z", "vip": True, "clinic": _CLINIC,
}  # fmt: skip
RECORDS: list[dict[str, Any]] = [
    {},
    {"a": "0.1", "b": "0.2", "i": 7, "j": 2, "m": "100.00", "t": "a", "u": "B", "v": "ab"},
    {"a": "2.5", "b": "-2.5", "i": -7, "j": 3, "t": "阿", "u": "宝", "p": True, "q": False},
    {"i": 9223372036854775807, "j": -9223372036854775808, "a": "9000000000000.000001"},
    {"d": "2026-01-31", "e": "2024-02-29", "at": "2026-03-02T16:00:00Z", "p": False, "i": 1},
    {"d": "2026-03-03", "at": "2026-03-03T15:59:59.999999Z", "until": "2026-03-05T00:00:00Z"},
    {"customer": _WANG, "t": "gold", "opens": "09:30", "owner": 11, "tags": ["a", "x", "a"]},
    {
        "items": [
            {"kind": "a", "qty": 2, "price": "3000.00", "rate": "0.9", "flag": True,
             "done": "2026-01-05", "seen": "2026-01-05T08:00:00Z", "note": "b", "product": _POST},
            {"kind": "B", "qty": 1, "price": "2500.50", "rate": "1", "flag": False, "note": "B"},
            {"kind": "a", "price": "100.00", "note": "阿", "done": "2026-02-01"},
        ],
        "i": 3, "m": "0.05", "t": "a", "p": True, "d": "2000-02-29", "tags": ["阿"],
    },
    {"t": "13812345678", "u": "1", "v": "2026-02-28", "a": "12", "b": "0", "i": 0, "j": 0},
    {"t": " 😀牙 ", "u": "é", "v": "İß", "customer": {"_id": 32, "name": "x"}, "q": True},
]  # fmt: skip
