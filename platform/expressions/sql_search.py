"""LOOKUP's condition as SQL over the form that is searched, for one record that asks."""

from dataclasses import replace

from sqlalchemy import ColumnElement

from .columns import Columns
from .environment import Env, Inner, Search
from .sql import Lowering
from .tree import Const, Field, Hop, Op, Resolved, is_constant, parts
from .walk import walk


def search_to_sql(search: Search, columns: Columns, dialect: str, env: Env) -> ColumnElement[bool]:
    """LOOKUP's condition over the columns of the form that is searched; what it asks of the record
    it stands in (`parent.x`) is worked out and bound. Raises E_NOT_SQL."""
    around = Inner({}, env, search.outer)
    return Lowering(dialect, env, columns).condition(_bound(search.where, around), True)


def _bound(node: Resolved, around: Inner) -> Resolved:
    """The parts that read nothing of the row searched, as the values they have."""
    if isinstance(node, Op) and not is_constant(node) and not _is_outside(node):
        return replace(node, args=tuple(_bound(arg, around) for arg in node.args))
    if _is_outside(node):
        return Const(walk(node, around), node.type, node.place)
    return node


def _is_outside(node: Resolved) -> bool:
    """Whether it reads the record around, and nothing of the row itself."""
    if isinstance(node, Field):
        return node.up > 0
    inside = [_is_outside(part) for part in parts(node) if not is_constant(part)]
    return isinstance(node, Op | Hop) and bool(inside) and all(inside)
