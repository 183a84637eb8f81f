"""The record that formula cases are about: fields of every type, links, a sub-form, its tables."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, MetaData, Table, Text
from sqlalchemy.types import JSON

from careloom.platform.expressions import (
    BOOL,
    DATE,
    DATETIME,
    MONEY,
    PERSON,
    TEXT,
    TIME,
    Columns,
    Env,
    Joined,
    Link,
    Me,
    Rows,
    Scope,
    Search,
    Type,
    list_of,
    number,
    row,
)

NAMES: dict[str, dict[str, Type]] = {
    "record": {
        "a": number(6), "b": number(6), "i": number(0), "j": number(0), "m": MONEY, "t": TEXT,
        "u": TEXT, "v": TEXT, "opens": TIME, "p": BOOL, "q": BOOL, "d": DATE, "e": DATE,
        "at": DATETIME, "until": DATETIME, "owner": PERSON, "other": PERSON,
        "clinic": row("unit"), "customer": row("customer"), "referrer": row("customer"),
        "tags": list_of(TEXT), "items": list_of(row("item")), "visit.record": list_of(row("visit")),
    },
    "customer": {
        "name": TEXT, "level": TEXT, "score": number(2), "born": DATE, "since": DATETIME,
        "vip": BOOL, "clinic": row("unit"), "adviser": PERSON,
    },
    "unit": {"title": TEXT, "beds": number(0)},
    "product": {"name": TEXT, "cost": MONEY},
    "visit": {"record": row("record"), "kind": TEXT, "fee": MONEY, "product": row("product")},
    "item": {
        "kind": TEXT, "qty": number(0), "price": MONEY, "rate": number(4), "flag": BOOL,
        "done": DATE, "seen": DATETIME, "note": TEXT, "product": row("product"),
    },
}  # fmt: skip
LABELS = {"record": {"会员等级": "t", "年龄": "i", "明细": "items"}, "item": {"单价": "price"}}
NOW = "2026-03-03T02:00:00Z"  # Tuesday, 10:00 in Shanghai
ME = Me(person_id=11, unit_id=5, roles=frozenset({"consultant"}))


def _scope(form: str) -> Scope | None:
    if form not in NAMES:
        return None
    return Scope(names=NAMES[form], labels=LABELS.get(form, {}), links=_scope)


def scope(measure: bool = False) -> Scope:
    """The names a case may use."""
    labels = LABELS["record"]
    return Scope(NAMES["record"], labels, _scope, measure, form=None if measure else "record")


# JSON of a case to Python values.


def value_of(kind: Type, given: Any) -> Any:
    """A field's JSON as the records room would hold it."""
    if given is None or given == "":
        return None
    if kind.name == "list":
        assert kind.of is not None
        return [value_of(kind.of, item) for item in given]
    if kind.name == "row":
        assert kind.form is not None
        return given if isinstance(given, int) else row_of(kind.form, given)
    if kind.kind == "number":
        return given if isinstance(given, int) else Decimal(given)
    if kind == TIME:
        return time.fromisoformat(given)
    if kind.name == "date":
        return date.fromisoformat(given)
    return datetime.fromisoformat(given) if kind.name == "datetime" else given


def row_of(form: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """A whole row; `_id` stays."""
    found = {key: value_of(kind, given[key]) for key, kind in NAMES[form].items() if key in given}
    return {**found, "_id": given["_id"]} if "_id" in given else found


def env_of(
    given: Mapping[str, Any], now: str = NOW, rows: list[Any] | None = None, tables: Any = None
) -> Env:
    """Surroundings for the Python evaluator; links are ids, followed through a table of rows."""
    linked: dict[tuple[str, Any], Any] = {}

    def flat(form: str, values: Mapping[str, Any]) -> dict[str, Any]:
        made = dict(values)
        for key, kind in NAMES[form].items():
            here = made.get(key)
            if kind.name == "row" and isinstance(here, dict):
                linked[kind.form or "", here["_id"]] = flat(kind.form or "", here)
                made[key] = here["_id"]
        return made

    def lookup(form: str, search: Search) -> Any:
        rows = [row_of(form, one) for one in (tables or {}).get(form, [])]
        return next((one for one in rows if search.matches(one)), None)

    return Env(
        values=flat("record", row_of("record", given)),
        now=datetime.fromisoformat(now),
        me=ME,
        follow=lambda form, key: linked.get((form, key)),
        lookup=lookup,
        rows=[flat("record", row_of("record", one)) for one in rows or []],
    )


# The same in tables.

METADATA = MetaData()
_SQL = {"text": Text, "bool": Boolean, "date": Date, "person": BigInteger, "row": BigInteger}


def _column(dialect_free: Type, key: str) -> Column[Any]:
    if dialect_free.kind == "number":
        return Column(key, BigInteger)
    if dialect_free.name == "datetime":
        return Column(key, DateTime(timezone=True))
    if dialect_free.name == "list":
        return Column(key, JSON(none_as_null=True))
    return Column(key, _SQL[dialect_free.name])


def _table(form: str) -> Table:
    columns = [
        _column(kind, key)
        for key, kind in NAMES[form].items()
        if not (kind.name == "list" and kind.of is not None and kind.of.name == "row")
    ]
    place = [Column("_record", BigInteger), Column("_position", BigInteger)]
    extra = [Column("_group", BigInteger)] if form == "record" else []
    own = Column("_id", BigInteger, primary_key=True, autoincrement=False)
    return Table(form, METADATA, own, *columns, *(place if form == "item" else extra))


TABLES = {form: _table(form) for form in NAMES}


def columns_of(form: str, table: Any) -> Columns:
    """What the lowering is given for a table or an alias of one."""
    found: dict[str, Any] = {}
    for key, kind in NAMES[form].items():
        if kind.name == "row":
            found[key] = Link(table.c[key], lambda f=kind.form, c=table.c[key]: _linked(f, c))
        elif kind.name == "list" and key == "items":
            found[key] = Rows(lambda: _items(table))
        elif key == "visit.record":
            found[key] = Rows(lambda: _visits(table))
        else:
            found[key] = table.c[key]
    return found


def _linked(form: str, key: Any) -> Joined:
    table = TABLES[form].alias()
    return Joined(table, table.c._id == key, columns_of(form, table))


def _items(record: Any) -> Joined:
    table = TABLES["item"].alias()
    order = [table.c._position]
    return Joined(table, table.c._record == record.c._id, columns_of("item", table), order)


def _visits(record: Any) -> Joined:
    """What links to a record: RELATED("visit", "record")."""
    table = TABLES["visit"].alias()
    columns = columns_of("visit", table)
    return Joined(table, table.c.record == record.c._id, columns, [table.c._id])


class Loader:
    """Collects the rows of many records, to insert them at once."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, dict[str, Any]]] = {form: {} for form in NAMES}
        self._next = 1_000_000

    def record(self, record_id: int, given: Mapping[str, Any], group: int | None = None) -> None:
        """One record under this id, with its links and sub-form."""
        self._put("record", record_id, row_of("record", given), {"_group": group})

    def _put(self, form: str, key: int, values: dict[str, Any], extra: dict[str, Any]) -> None:
        made: dict[str, Any] = {"_id": key, **extra}
        for name, kind in NAMES[form].items():
            here = values.get(name)
            if kind.name == "row" and isinstance(here, dict):
                self._put(kind.form or "", here["_id"], here, {})
                here = here["_id"]
            elif name == "items":
                self._items(key, here or [])
                continue
            elif name == "visit.record":
                for visit in here or []:
                    self._next += 1
                    self._put("visit", self._next, visit, {"record": key})
                continue
            made[name] = made.get(name, _kept(kind, here))
        self.rows[form][key] = made

    def _items(self, record_id: int, items: list[dict[str, Any]]) -> None:
        for position, item in enumerate(items):
            self._next += 1
            self._put("item", self._next, item, {"_record": record_id, "_position": position})


def _kept(kind: Type, value: Any) -> Any:
    """As the store keeps it: numbers scaled, times of day as text, moments in UTC."""
    if value is None or value == []:
        return None
    if kind.kind == "number":
        return int(Decimal(value).scaleb(kind.scale))
    if kind == TIME:
        return value.isoformat("seconds")
    return value.astimezone(UTC) if isinstance(value, datetime) else value
