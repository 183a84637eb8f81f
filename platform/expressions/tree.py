"""Two trees: what the author wrote (parse) and what it means (check).

The written tree keeps names and calls as they stand in the text. The checker turns it into the
resolved tree, whose nodes carry a type and name operations of `operations.OPERATIONS`; the
evaluators, the SQL lowering and the browser all read only the resolved tree.
Every node knows its place: start and end are offsets in code points, line and column count from 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .scope import Type


@dataclass(slots=True, eq=False)
class Place:
    """Where something stands in the text."""

    start: int
    end: int
    line: int
    column: int


# What the author wrote. Treated as immutable once parsed; trees are shared by the parse cache.


@dataclass(slots=True, eq=False)
class Literal:
    """A number (Decimal), text (str, NFC), TRUE, FALSE or NULL (None)."""

    value: Any
    place: Place
    depth: int = 1


@dataclass(slots=True, eq=False)
class Name:
    """A field by key, or by label when it stood in braces."""

    text: str
    labelled: bool
    place: Place
    depth: int = 1


@dataclass(slots=True, eq=False)
class Member:
    """`base.text`: a hop over a link, or a column of a sub-form."""

    base: Node
    text: str
    labelled: bool
    place: Place
    depth: int = 1


@dataclass(slots=True, eq=False)
class Call:
    """A function or an operator; `name` is as written for functions, the sign for operators."""

    name: str
    args: tuple[Node, ...]
    place: Place
    head: Place
    depth: int = 1


@dataclass(slots=True, eq=False)
class Listing:
    """`("a", "b")`, the right side of IN."""

    items: tuple[Node, ...]
    place: Place
    depth: int = 1


Node = Literal | Name | Member | Call | Listing


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below one node."""
    if isinstance(node, Call):
        return node.args
    if isinstance(node, Listing):
        return node.items
    if isinstance(node, Member):
        return (node.base,)
    return ()


# What it means.


@dataclass(slots=True, eq=False)
class Const:
    """A value known when the text was written."""

    value: Any
    type: Type
    place: Place


@dataclass(slots=True, eq=False)
class Field:
    """A field of the row at hand (`up` 0) or of the row `up` levels out; RELATED's rows are a
    sub-form that no record keeps, see `linking`."""

    key: str
    type: Type
    up: int
    place: Place


@dataclass(slots=True, eq=False)
class Hop:
    """A field of the record that a link, found by `base`, points to."""

    base: Resolved
    key: str
    type: Type
    place: Place


@dataclass(slots=True, eq=False)
class Op:
    """An operation of the table over evaluated arguments."""

    op: str
    args: tuple[Resolved, ...]
    type: Type
    place: Place


@dataclass(slots=True, eq=False)
class Each:
    """The list of `body` over rows, blanks left out."""

    rows: Resolved
    body: Resolved
    type: Type
    place: Place


@dataclass(slots=True, eq=False)
class Keep:
    """Those rows for which `where` holds."""

    rows: Resolved
    where: Resolved
    type: Type
    place: Place


@dataclass(slots=True, eq=False)
class Group:
    """In a measure: the rows of the group that is being summed up."""

    type: Type
    place: Place


@dataclass(slots=True, eq=False)
class Find:
    """LOOKUP: `body` of the first row of another form for which `where` holds."""

    form: str
    where: Resolved
    body: Resolved
    type: Type
    place: Place


Resolved = Const | Field | Hop | Op | Each | Keep | Group | Find


def linking(key: str) -> tuple[str, str] | None:
    """The form and its link of RELATED's rows, which stand under `form.link`; None of a field."""
    form, dot, link = key.partition(".")
    return (form, link) if dot else None


def parts(node: Resolved) -> tuple[Resolved, ...]:
    """The resolved nodes right below one node."""
    if isinstance(node, Op):
        return node.args
    if isinstance(node, Each):
        return (node.rows, node.body)
    if isinstance(node, Keep):
        return (node.rows, node.where)
    if isinstance(node, Find):
        return (node.where, node.body)
    if isinstance(node, Hop):
        return (node.base,)
    return ()


def walk(node: Resolved) -> Iterator[Resolved]:
    """The node and everything below it, outermost first."""
    stack = [node]
    while stack:
        here = stack.pop()
        yield here
        stack.extend(reversed(parts(here)))


def size(node: Resolved) -> int:
    """How many steps one evaluation of the node is counted as."""
    return sum(1 for _ in walk(node))


def is_constant(node: Resolved, level: int = 0) -> bool:
    """Whether a node reads no column: nothing of the record, nothing of rows outside itself."""
    if isinstance(node, Field):
        return node.up < level
    if isinstance(node, Group):
        return False
    if isinstance(node, Each | Keep):
        body = node.body if isinstance(node, Each) else node.where
        return is_constant(node.rows, level) and is_constant(body, level + 1)
    if isinstance(node, Find):
        return is_constant(node.where, level + 1) and is_constant(node.body, level + 1)
    return all(is_constant(part, level) for part in parts(node))
