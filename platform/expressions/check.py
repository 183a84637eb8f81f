"""Written tree and names in scope to a resolved, typed tree, or the first error with its place.

`check` is what publishing calls. It answers a `Typed`: the canonical text to store (English
function names, keys instead of labels), the resolved tree, its type and every field it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from . import forms, limits, lists
from .canonical import canonical
from .choose import choose
from .errors import ExpressionError, nearest
from .functions import FUNCTIONS, OPERATORS, Function, all_names, function_named
from .parse import parse
from .rules import RULES
from .scope import BLANK, BOOL, DATE, DATETIME, NUMBER, TEXT, Scope, Type, list_of
from .tree import (
    Call,
    Const,
    Each,
    Field,
    Find,
    Group,
    Hop,
    Keep,
    Listing,
    Literal,
    Member,
    Name,
    Node,
    Op,
    Place,
    Resolved,
    linking,
    parts,
)

NEVER_BLANK = frozenset(
    {
        "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "isblank", "truth", "in_values",
        "in_list", "list_any", "list_all", "contains", "starts_with", "ends_with", "has_role",
    }
)  # fmt: skip

RULE_FILES = (forms, lists)  # they fill RULES as they are imported


@dataclass(frozen=True, slots=True, eq=False)
class Typed:
    """A checked expression. `names`: the record's own fields it reads; `reads`: their paths,
    with hops and sub-form columns, e.g. ("customer", "level"), and RELATED's rows (see `linking`);
    `functions`: what it calls."""

    text: str
    node: Resolved
    type: Type
    names: frozenset[str]
    reads: frozenset[tuple[str, ...]]
    functions: frozenset[str]


def check(text: str, scope: Scope, expect: Type | None = None) -> Typed:
    """Parse and type an expression; ExpressionError on the first thing that is wrong.

    `expect` is the type the place needs: bool takes bool only, number and money take each
    other, a list takes a list of the same; blank (NULL) is always taken.
    """
    written = parse(text)
    checker = Checker(scope)
    node = checker.resolve(written)
    if expect is not None and not _fits(node.type, expect):
        raise ExpressionError("E_EXPECT", written.place, wanted=str(expect), found=str(node.type))
    reads = frozenset(_reads(node, 0))
    return Typed(
        text=canonical(text, checker.keys_at),
        node=node,
        type=node.type,
        names=frozenset(path[0] for path in reads if linking(path[0]) is None),
        reads=reads,
        functions=frozenset(checker.called),
    )


def _fits(found: Type, wanted: Type) -> bool:
    if wanted.name == "any" or found.name in ("blank", "any"):
        return True
    if found.kind != wanted.kind:
        return False
    if wanted.name == "list" and wanted.of is not None and found.of is not None:
        return _fits(found.of, wanted.of)
    return not (wanted.name == "row" and wanted.form and wanted.form != found.form)


def _reads(node: Resolved, level: int) -> Iterator[tuple[str, ...]]:
    """Paths of the record's own fields, found at any depth of rows."""
    if isinstance(node, Field | Hop):
        path = _path(node, level)
        if path is not None:
            yield path
            return
    if isinstance(node, Each | Keep):
        yield from _reads(node.rows, level)
        body = node.body if isinstance(node, Each) else node.where
        yield from _reads(body, level if isinstance(node.rows, Group) else level + 1)
        path = _source(node.rows, level)
        if path is not None:
            yield from (path + inner for inner in _inner(body))
    elif isinstance(node, Find):
        yield from _reads(node.where, level + 1)
        yield from _reads(node.body, level + 1)
    else:
        for part in parts(node):
            yield from _reads(part, level)


def _source(rows: Resolved, level: int) -> tuple[str, ...] | None:
    """The path of the list that rows come from, whatever was kept of it."""
    while isinstance(rows, Keep):
        rows = rows.rows
    return _path(rows, level)


def _inner(node: Resolved) -> Iterator[tuple[str, ...]]:
    """Fields of the innermost row that a body reads."""
    if isinstance(node, Field | Hop):
        path = _path(node, 0)
        if path is not None:
            yield path
    else:
        for part in parts(node):
            yield from _inner(part)


def _path(node: Resolved, level: int) -> tuple[str, ...] | None:
    if isinstance(node, Field):
        return (node.key,) if node.up == level else None
    if isinstance(node, Hop):
        base = _path(node.base, level)
        return None if base is None else (*base, node.key)
    return None


@dataclass(slots=True)
class Checker:
    """Resolves one text. `frames` are the scopes from the record inwards; in a measure the
    outermost one is open only inside an aggregate (`grouped`)."""

    scope: Scope
    frames: list[Scope] = field(default_factory=list)
    grouped: bool = False
    keys_at: dict[int, str] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.frames = [self.scope]

    @property
    def here(self) -> Scope:
        """The scope names are looked up in."""
        return self.frames[-1]

    @property
    def measuring(self) -> bool:
        """In a measure and not yet inside an aggregate."""
        return self.scope.measure and not self.grouped and len(self.frames) == 1

    def resolve(self, node: Node) -> Resolved:
        """The resolved tree of one written node."""
        if isinstance(node, Literal):
            return Const(node.value, _literal_type(node.value), node.place)
        if isinstance(node, Name):
            return self.name(node)
        if isinstance(node, Member):
            return self.member(node)
        if isinstance(node, Listing):
            raise ExpressionError("E_LISTING", node.place)
        return self.call(node)

    def name(self, node: Name) -> Resolved:
        """A field of the row at hand."""
        if node.text == "parent" and not node.labelled and "parent" not in self.here.names:
            raise ExpressionError("E_NO_PARENT", node.place)
        key = self.key(node.text, node.labelled, self.here, node.place)
        if self.measuring:
            raise ExpressionError("E_AGGREGATE", node.place, name=node.text)
        return Field(key, self.here.names[key], 0, node.place)

    def key(self, text: str, labelled: bool, scope: Scope, place: Place) -> str:
        """The key a name or label stands for; remembered for the canonical text."""
        key = scope.labels.get(text) if labelled else text
        if labelled and key is None and text in scope.names:
            key = text
        if key is not None and key in scope.names:
            if labelled:
                self.keys_at[place.end] = key
            return key
        if not labelled and text in scope.labels:
            raise ExpressionError("E_BARE_NAME", place, name=text)
        if not labelled and self.frames[0] is not scope and text in self.frames[0].names:
            raise ExpressionError("E_NO_NAME_NEAR", place, name=text, near=f"parent.{text}")
        near = nearest(text, [*scope.labels] if labelled else [*scope.names, *scope.labels])
        if near is None:
            raise ExpressionError("E_NO_NAME", place, name=text)
        raise ExpressionError("E_NO_NAME_NEAR", place, name=text, near=near)

    def member(self, node: Member) -> Resolved:
        """`parent.x`, a hop over a link, or a column of a sub-form."""
        base = node.base
        is_parent = isinstance(base, Name) and base.text == "parent" and not base.labelled
        if is_parent and "parent" not in self.here.names:
            if len(self.frames) < 2:
                raise ExpressionError("E_NO_PARENT", base.place)
            outer = self.frames[-2]
            key = self.key(node.text, node.labelled, outer, node.place)
            return Field(key, outer.names[key], 1, node.place)
        found = self.resolve(base)
        item = found.type.of if found.type.name == "list" else None
        if item is not None and item.name == "row":
            return self.column(node, found, item)
        if found.type.name != "row":
            raise ExpressionError("E_NOT_LINK", base.place, found=str(found.type))
        return self.hop(node, found, found.type)

    def hop(self, node: Member, base: Resolved, link: Type) -> Resolved:
        """One field of the record a link points to."""
        scope = self.links(link, node.place)
        depth, below = 1, base
        while isinstance(below, Hop):
            depth, below = depth + 1, below.base
        if depth > limits.HOPS:
            raise ExpressionError("E_HOPS", node.place, limit=limits.HOPS)
        key = self.key(node.text, node.labelled, scope, node.place)
        return Hop(base, key, scope.names[key], node.place)

    def column(self, node: Member, base: Resolved, item: Type) -> Resolved:
        """`items.price`: that field of every row."""
        scope = self.links(item, node.place)
        key = self.key(node.text, node.labelled, scope, node.place)
        kind = scope.names[key]
        if isinstance(base, Each):
            body: Resolved = Hop(base.body, key, kind, node.place)
            return Each(base.rows, body, list_of(kind), node.place)
        return Each(base, Field(key, kind, 0, node.place), list_of(kind), node.place)

    def links(self, link: Type, place: Place) -> Scope:
        """The scope behind a link or sub-form."""
        scope = self.here.links(link.form or "") or self.scope.links(link.form or "")
        if scope is None:
            raise ExpressionError("E_NOT_LINK", place, found=str(link))
        return scope

    def call(self, node: Call) -> Resolved:
        """A function of the table or an operator."""
        if node.name in RULES and node.name not in FUNCTIONS:
            return RULES[node.name](self, node, Function(node.name, "operator", ()))
        if node.name in OPERATORS:
            return choose(self, node, node.name, OPERATORS[node.name])
        function = function_named(node.name)
        if function is None:
            near = nearest(node.name, all_names())
            code = "E_UNKNOWN_FUNCTION" if near is None else "E_UNKNOWN_FUNCTION_NEAR"
            raise ExpressionError(code, node.head, name=node.name, near=near)
        self.called.add(function.name)
        if function.rule is not None:
            return RULES[function.rule](self, node, function)
        return choose(self, node, function.name, function.signatures)

    def condition(self, node: Node) -> Resolved:
        """A node in the place of a condition: bool, never blank."""
        return self.truth(self.resolve(node))

    def truth(self, found: Resolved) -> Resolved:
        """The same, of a resolved node."""
        if found.type.name not in ("bool", "blank", "any"):
            raise ExpressionError("E_TYPE", found.place, wanted="bool", found=str(found.type))
        if isinstance(found, Const):
            return Const(bool(found.value), BOOL, found.place)
        if isinstance(found, Op) and found.op in NEVER_BLANK:
            return found
        return Op("truth", (found,), BOOL, found.place)

    def inside(self, scope: Scope, node: Node, how: Callable[[Node], Resolved]) -> Resolved:
        """Resolve a body against the scope of the rows it runs over."""
        self.frames.append(scope)
        try:
            return how(node)
        finally:
            self.frames.pop()

    def over_group(self, node: Node, how: Callable[[Node], Resolved]) -> Resolved:
        """Resolve the body of a measure's aggregate."""
        self.grouped = True
        try:
            return how(node)
        finally:
            self.grouped = False


def _literal_type(value: Any) -> Type:
    if value is None:
        return BLANK
    if value is True or value is False:
        return BOOL
    if isinstance(value, str):
        return TEXT
    if isinstance(value, datetime):
        return DATETIME
    return DATE if isinstance(value, date) else NUMBER
