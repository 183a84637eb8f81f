"""Resolved tree to one SQLAlchemy expression, with the answers of the Python evaluator.

Three tiers: native SQL where the databases agree (comparison, logic, IF), the functions of
`sqlite.py` and `postgresql.py` where they do not, and E_NOT_SQL where neither can. What depends on
no column is evaluated in Python and bound, so TODAY(), ME() and LOOKUP of constants are parameters.

E_NOT_SQL are, besides fields that have no column: answers that are lists, LOOKUP whose condition
reads the record (`parent.x`), and LAST of UNIQUE; in measures FIRST and LAST.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    Text,
    cast,
    false,
    func,
    literal,
    null,
    true,
    type_coerce,
)
from sqlalchemy import and_ as sql_and
from sqlalchemy import case as sql_case
from sqlalchemy import not_ as sql_not
from sqlalchemy import or_ as sql_or
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.types import NullType

from . import sql_lists as lists
from .check import NEVER_BLANK, Typed
from .columns import Columns, ExactNumber, Joined, Link, Rows, not_sql, sql_type
from .environment import Env, Inner
from .evaluate import once
from .operations import BOUND, OPERATIONS
from .scope import BOOL, TEXT, Type
from .sql_compare import binary, compare
from .tree import Const, Field, Hop, Op, Place, Resolved, is_constant
from .workdays import FIRST, LAST, days_off, days_on

MOST_NODES = 4_000  # of the lowered expression: SWITCH repeats its subject for every case
NOT_SQL_OPS = frozenset({"text_of_any"})
NOT_SQL_FUNCTIONS = frozenset({"LOOKUP", "UNIQUE"})  # the only ones that may be E_NOT_SQL
DATES = ARRAY(Date())


def to_sql(
    typed: Typed, columns: Columns, dialect: str, env: Env, where: bool = False
) -> ColumnElement[Any]:
    """The expression over a row's columns; raises ExpressionError E_NOT_SQL where there is none.

    columns: key -> the column, a `Link` or a `Rows`; number columns are scaled whole numbers whose
    scale the scope's types carry. dialect: "sqlite" (whose connections `sqlite.register` has seen)
    or "postgresql" (with the schema of `postgresql.STATEMENTS`). `where`: the expression stands
    alone as a WHERE condition, so NULL may stand for FALSE and indexes serve.
    """
    lowering = Lowering(dialect, env, columns)
    if typed.type.kind == "bool" and where:
        return lowering.condition(typed.node, True)
    return type_coerce(lowering.value(typed.node), sql_type(typed.type))


def whole(number: ColumnElement[Any], most: int, dialect: str) -> ColumnElement[Any]:
    """A whole number as one of 64 bits, blank beyond `most` either way (which is below 2**63 - 1).

    It is written once, as a sum over many rows is worked out at each mention. On SQLite one of
    more than 64 bits is text, which comes behind every number.
    """
    least, greatest = (func.min, func.max) if dialect == "sqlite" else (func.least, func.greatest)
    above, below = (literal(Decimal(each), ExactNumber()) for each in (most + 1, -most - 1))
    held = greatest(least(number, above), below)
    return cast(func.nullif(func.nullif(held, above), below), BigInteger)


class Lowering:
    """Lowers one tree. `frames` are the columns from the record inwards."""

    def __init__(self, dialect: str, env: Env, columns: Columns) -> None:
        self.dialect = dialect
        self.env = env
        self.frames: list[Columns] = [columns]
        self.nodes = 0
        self.constants = Inner({}, env)

    @property
    def sqlite(self) -> bool:
        return self.dialect == "sqlite"

    def value(self, node: Resolved, kind: Type | None = None) -> ColumnElement[Any]:
        """One value, NULL for blank, of the type of the node (of `kind` when the node is NULL)."""
        self.count(node)
        if is_constant(node):
            return self.bound(
                self.evaluated(node), kind if node.type.kind == "blank" else None, node
            )
        if isinstance(node, Field):
            return self.field(node)
        if isinstance(node, Hop):
            return self.hop(node)
        if isinstance(node, Op):
            return self.operation(node)
        raise not_sql(node.place)

    def condition(self, node: Resolved, positive: bool = False) -> ColumnElement[bool]:
        """TRUE or FALSE; with `positive`, NULL may stand for FALSE."""
        self.count(node)
        if is_constant(node):
            return true() if self.evaluated(node) else false()
        if isinstance(node, Op):
            lowered = self.logic(node, positive)
            if lowered is not None:
                return lowered
        found = self.value(node)
        sure = isinstance(node, Op) and node.op in NEVER_BLANK
        return found if positive or sure else func.coalesce(found, false())

    def logic(self, node: Op, positive: bool) -> ColumnElement[bool] | None:
        """The operations whose result is a condition, None for all others."""
        if node.op in ("and", "or"):
            join = sql_and if node.op == "and" else sql_or
            return join(*(self.condition(arg, positive) for arg in node.args))
        if node.op == "not":
            return sql_not(self.condition(node.args[0]))
        if node.op == "truth":
            return self.condition(node.args[0], positive)
        if node.op == "isblank":
            return self.blank(node.args[0])
        if node.op in ("eq", "ne", "lt", "le", "gt", "ge", "in_values"):
            return compare(self, node, positive)
        if node.op in ("in_list", "list_any", "list_all"):
            return lists.condition(self, node)
        if node.op == "has_role":
            role = self.value(node.args[0])
            return func.coalesce(role.in_(sorted(self.env.me.roles)), false())
        return None

    def blank(self, node: Resolved) -> ColumnElement[bool]:
        """ISBLANK."""
        if node.type.kind == "list":
            return sql_not(lists.exists(self, lists.many(self, node)))
        if isinstance(node, Op) and node.op in NEVER_BLANK:
            return false()
        return self.value(node).is_(None)

    def operation(self, node: Op) -> ColumnElement[Any]:
        """Any operation as a value."""
        condition = self.logic(node, False)
        if condition is not None:
            # NOT is turned into `= 0` late, where a database has no truth values of its own, and
            # IS (NOT) DISTINCT FROM takes no bare NOT: brackets say what belongs together.
            return Grouping(condition)
        special = _SPECIAL.get(node.op)
        if special is not None:
            return special(self, node)
        if node.op.startswith("list_"):
            return lists.value(self, node)
        if node.op in NOT_SQL_OPS or node.op in BOUND or node.op not in OPERATIONS:
            raise not_sql(node.place, node.op)
        return self.called(node)

    def called(self, node: Op) -> ColumnElement[Any]:
        """A function of the database."""
        operation = OPERATIONS[node.op]
        args: list[Any] = []
        for arg in node.args:
            if operation.strict and is_constant(arg) and self.evaluated(arg) is None:
                return self.typed_null(node.type) if operation.otherwise is None else false()
            args.append(self.value(arg, TEXT))
        if operation.zone:
            args.append(self.text(zone_name(self.env.zone, node.place)))
        if node.op in ("workday", "networkdays") and not self.sqlite:
            args.extend(_calendar())
        result = self.call(f"x_{node.op}", *args, kind=node.type)
        return func.coalesce(result, false()) if operation.otherwise is False else result

    def call(self, name: str, *args: Any, kind: Type) -> ColumnElement[Any]:
        """A registered function (SQLite) or one of the schema (PostgreSQL)."""
        space: Any = func if self.sqlite else func.formula
        made: ColumnElement[Any] = getattr(space, name)(*args, type_=sql_type(kind))
        return made

    def field(self, node: Field) -> ColumnElement[Any]:
        """A column's value; a scaled whole number becomes the number it stands for."""
        column = self.column(node)
        if isinstance(column, Link):
            return column.key
        if isinstance(column, Rows) or node.type.kind in ("list", "any"):
            raise not_sql(node.place, node.key)
        return self.plain(column, node.type)

    def plain(self, column: ColumnElement[Any], kind: Type) -> ColumnElement[Any]:
        """A raw column as a value of its type."""
        if kind.kind == "number":
            return self.unscaled(column, kind.scale)
        if kind.form == "time" and kind.kind == "text":
            return func.substr(cast(column, Text), 1, 5, type_=Text())
        return column

    def unscaled(self, column: ColumnElement[Any], scale: int) -> ColumnElement[Any]:
        """A scaled whole number as a number."""
        number = sql_type(Type("number"))
        if self.sqlite:
            if scale == 0:
                return type_coerce(column, number)  # the same number, typed as one
            return func.x_scaled(column, scale, type_=number)
        if scale == 0:
            return cast(column, number)
        return cast(column, number) * self.parameter(Decimal(1).scaleb(-scale), Type("number"))

    def column(self, node: Field) -> ColumnElement[Any] | Link | Rows:
        """What the caller gave for a field. Raises E_NOT_SQL for a name without a column."""
        at = len(self.frames) - 1 - node.up
        found = self.frames[at].get(node.key) if at >= 0 else None
        if found is None:
            raise not_sql(node.place, node.key)
        return found

    def hop(self, node: Hop) -> ColumnElement[Any]:
        """A field of the linked record, as a subquery of one value."""
        opened, inner = self.opened(node)
        return lists.select_one(opened, inner)

    def opened(self, node: Hop) -> tuple[list[Joined], ColumnElement[Any]]:
        """The tables a hop goes through, and the value at its end."""
        path: list[Hop] = []
        base: Resolved = node
        while isinstance(base, Hop):
            path.insert(0, base)
            base = base.base
        if not isinstance(base, Field):
            raise not_sql(node.place)
        target: Any = self.column(base)
        opened: list[Joined] = []
        for step in path:
            if not isinstance(target, Link):
                raise not_sql(step.place, step.key)
            joined = target.open()
            opened.append(joined)
            target = joined.columns.get(step.key)
        if isinstance(target, Link):
            return opened, target.key
        if target is None or isinstance(target, Rows) or node.type.kind in ("list", "any"):
            raise not_sql(node.place, node.key)
        return opened, self.plain(target, node.type)

    def evaluated(self, node: Resolved) -> Any:
        """What a node without columns is, by the Python evaluator."""
        if isinstance(node, Const):
            return None if node.value == "" else node.value
        return once(node, self.constants)

    def bound(self, value: Any, kind: Type | None, node: Resolved) -> ColumnElement[Any]:
        """A Python value as a parameter of its type."""
        wanted = kind or node.type
        if value is None:
            return self.typed_null(wanted)
        if isinstance(sql_type(wanted), NullType):
            raise not_sql(node.place)
        if wanted.kind == "bool":
            return true() if value else false()
        return self.parameter(value, wanted)

    def parameter(self, value: Any, kind: Type) -> ColumnElement[Any]:
        """A value that is not blank, as a typed parameter."""
        if hasattr(value, "get"):
            value = value.get("_id")
        made = literal(value, sql_type(kind))
        return made if self.sqlite else cast(made, sql_type(kind))

    def typed_null(self, kind: Type) -> ColumnElement[Any]:
        """NULL of a type: PostgreSQL must know it where branches meet."""
        return cast(null(), sql_type(kind))

    def text(self, value: str) -> ColumnElement[Any]:
        return self.parameter(value, TEXT)

    def count(self, node: Resolved) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise not_sql(node.place)


def zone_name(zone: tzinfo, place: Place) -> str:
    """The zone's name, which both databases know; a bare offset has none."""
    name = getattr(zone, "key", None)
    if name is None:
        name = "UTC" if zone.utcoffset(None) == zone.dst(None) else None
    if name is None:
        raise not_sql(place)
    return str(name)


def _calendar() -> tuple[Any, ...]:
    """The calendar for the functions of PostgreSQL, as arrays of dates."""
    off = "{" + ",".join(day.isoformat() for day in days_off()) + "}"
    worked = "{" + ",".join(day.isoformat() for day in days_on()) + "}"
    day = sql_type(Type("date"))
    return (
        cast(literal(off, Text()), DATES),
        cast(literal(worked, Text()), DATES),
        cast(literal(FIRST, day), day),
        cast(literal(LAST, day), day),
    )


def _if(lowering: Lowering, node: Op) -> ColumnElement[Any]:
    args = node.args
    cases = [
        (lowering.condition(args[at]), lowering.value(args[at + 1], node.type))
        for at in range(0, len(args) - 1, 2)
    ]
    return sql_case(*cases, else_=lowering.value(args[-1], node.type))


def _switch(lowering: Lowering, node: Op) -> ColumnElement[Any]:
    subject, args = node.args[0], node.args[1:]
    cases = [
        (
            compare(lowering, Op("eq", (subject, args[at]), BOOL, node.place), False),
            lowering.value(args[at + 1], node.type),
        )
        for at in range(0, len(args) - 1, 2)
    ]
    return sql_case(*cases, else_=lowering.value(args[-1], node.type))


def _ifblank(lowering: Lowering, node: Op) -> ColumnElement[Any]:
    values = [lowering.value(arg, node.type) for arg in node.args]
    return func.coalesce(*values, type_=sql_type(node.type))


def _several(lowering: Lowering, node: Op) -> ColumnElement[Any]:
    """SUM, AVG, MIN, MAX of single values."""
    values = [lowering.value(arg, node.type) for arg in node.args]
    kind = node.type
    if lowering.sqlite and kind.kind == "number":
        made: ColumnElement[Any] = getattr(func, f"x_{node.op}")(*values, type_=sql_type(kind))
        return made
    if node.op in ("min_of", "max_of"):
        return _extreme(lowering, node.op == "max_of", values, kind)
    total: ColumnElement[Any] = func.coalesce(values[0], 0)
    for value in values[1:]:
        total = total + func.coalesce(value, 0)
    if node.op == "sum_of":
        return lowering.call("fit", total, kind=kind)
    return lowering.call("x_div", total, func.num_nonnulls(*values), kind=kind)


def _extreme(
    lowering: Lowering, most: bool, values: list[ColumnElement[Any]], kind: Type
) -> ColumnElement[Any]:
    if kind.kind == "text":
        values = [value.collate(binary(lowering)) for value in values]
    if not lowering.sqlite:
        return (func.greatest if most else func.least)(*values, type_=sql_type(kind))
    best = values[0]
    for value in values[1:]:
        better = value > best if most else value < best
        best = sql_case((best.is_(None), value), (better, value), else_=best)
    return best


def _count_of(lowering: Lowering, node: Op) -> ColumnElement[Any]:
    total: ColumnElement[Any] | None = None
    for arg in node.args:
        one = sql_case((lowering.blank(arg), 0), else_=1)
        total = one if total is None else total + one
    assert total is not None
    return lowering.unscaled(cast(total, BigInteger), 0)


_SPECIAL: dict[str, Callable[[Lowering, Op], ColumnElement[Any]]] = {
    "if": _if,
    "switch": _switch,
    "ifblank": _ifblank,
    "sum_of": _several,
    "avg_of": _several,
    "min_of": _several,
    "max_of": _several,
    "count_of": _count_of,
}
