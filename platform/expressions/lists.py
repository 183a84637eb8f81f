"""The checker's own rules for lists, row forms, measures, LOOKUP and RELATED."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .errors import ExpressionError, nearest
from .forms import unify
from .functions import Function
from .rules import arguments, is_any, rule
from .scope import ANY, BLANK, BOOL, NUMBER, Scope, Type, list_of, row
from .tree import Call, Each, Field, Find, Group, Keep, Literal, Node, Op, Place, Resolved

if TYPE_CHECKING:
    from .check import Checker

ORDERED = ("number", "text", "date", "datetime", "duration")


def _rows(checker: Checker, found: Resolved) -> Scope | None:
    """The scope of the rows of a sub-form, None when the node is not a list of rows."""
    item = found.type.of if found.type.name == "list" else None
    if item is None or item.name != "row" or isinstance(found, Each):
        return None
    return checker.links(item, found.place)


def _body(
    checker: Checker, found: Resolved, node: Node, how: Callable[[Node], Resolved]
) -> Resolved:
    scope = _rows(checker, found)
    if scope is None:
        raise ExpressionError("E_TYPE", found.place, wanted="rows", found=str(found.type))
    return checker.inside(scope, node, how)


def _each(rows: Resolved, body: Resolved, place: Place) -> Each:
    return Each(rows, body, list_of(Type(body.type.name, form=body.type.form)), place)


def _group(place: Place) -> Group:
    return Group(list_of(row("")), place)


def _values(checker: Checker, node: Call) -> Resolved | None:
    """The list an aggregate runs over, or None when its arguments are single values."""
    if checker.measuring:
        arguments(node, 1, 1)
        body = checker.over_group(node.args[0], checker.resolve)
        if body.type.name == "list":
            return body
        return _each(_group(node.place), body, node.place)
    first = checker.resolve(node.args[0])
    if first.type.name != "list":
        return None
    if len(node.args) == 1:
        return first
    arguments(node, 1, 2)
    return _each(first, _body(checker, first, node.args[1], checker.resolve), node.place)


def _kind(values: Resolved, allowed: tuple[str, ...]) -> Type:
    item = values.type.of or ANY
    if item.kind not in allowed and item.name != "blank":
        raise ExpressionError("E_TYPE", values.place, wanted=" / ".join(allowed), found=str(item))
    return NUMBER if item.name == "blank" else Type(item.name)


@rule("sum", "avg")
def _sum(checker: Checker, node: Call, function: Function) -> Resolved:
    """SUM(1, 2), SUM(items.price), SUM(items, qty*price); AVG alike."""
    arguments(node, 1, None)
    op = function.name.lower()
    values = _values(checker, node)
    if values is not None:
        return Op(f"list_{op}", (values,), _kind(values, ("number",)), node.place)
    found = _single(checker, node, ("number",))
    kind = unify(found, node.place)
    return Op(f"{op}_of", tuple(found), NUMBER if kind == BLANK else kind, node.place)


@rule("min", "max")
def _min(checker: Checker, node: Call, function: Function) -> Resolved:
    arguments(node, 1, None)
    op = function.name.lower()
    values = _values(checker, node)
    if values is not None:
        return Op(f"list_{op}", (values,), _kind(values, ORDERED), node.place)
    found = _single(checker, node, ORDERED)
    return Op(f"{op}_of", tuple(found), unify(found, node.place), node.place)


def _single(checker: Checker, node: Call, allowed: tuple[str, ...]) -> list[Resolved]:
    found = [checker.resolve(arg) for arg in node.args]
    for item in found:
        if item.type.kind not in allowed and item.type.name != "blank":
            raise ExpressionError(
                "E_TYPE", item.place, wanted=" / ".join(allowed), found=str(item.type)
            )
    return found


@rule("count")
def _count(checker: Checker, node: Call, function: Function) -> Resolved:
    """COUNT(items), COUNT(items, condition), COUNT(list), COUNT(a, b): values that are not blank.

    In a measure COUNT() counts the group's rows, COUNT(condition) those for which it holds.
    """
    if checker.measuring:
        return _count_group(checker, node)
    arguments(node, 1, None)
    first = checker.resolve(node.args[0])
    if first.type.name != "list":
        found = [checker.resolve(arg) for arg in node.args]
        return Op("count_of", tuple(found), NUMBER, node.place)
    arguments(node, 1, 2)
    if len(node.args) == 1:
        return Op("list_count", (first,), NUMBER, node.place)
    return _countif(checker, node, function)


def _count_group(checker: Checker, node: Call) -> Resolved:
    arguments(node, 0, 1)
    group: Resolved = _group(node.place)
    if node.args:
        body = checker.over_group(node.args[0], checker.resolve)
        if body.type.name == "list":
            group = body
        elif body.type.name == "bool":
            group = Keep(group, checker.truth(body), group.type, node.place)
        else:
            group = _each(group, body, node.place)
    return Op("list_count", (group,), NUMBER, node.place)


@rule("any", "all")
def _any(checker: Checker, node: Call, function: Function) -> Resolved:
    """ANY(items, condition), ALL(items, condition); ANY(items.flag)."""
    op = f"list_{function.name.lower()}"
    if checker.measuring:
        arguments(node, 1, 1)
        body = checker.over_group(node.args[0], checker.condition)
        return Op(op, (_each(_group(node.place), body, node.place),), BOOL, node.place)
    arguments(node, 1, 2)
    first = checker.resolve(node.args[0])
    if len(node.args) == 2:
        body = _body(checker, first, node.args[1], checker.condition)
        return Op(op, (_each(first, body, node.place),), BOOL, node.place)
    if not isinstance(first, Each):
        raise ExpressionError("E_TYPE", first.place, wanted="list of bool", found=str(first.type))
    body = checker.truth(first.body)
    return Op(op, (_each(first.rows, body, node.place),), BOOL, node.place)


@rule("countif")
def _countif(checker: Checker, node: Call, function: Function) -> Resolved:
    """COUNTIF(items, condition) and COUNTIF(list, value)."""
    if checker.measuring:
        return _count_group(checker, node)
    arguments(node, 2, 2)
    first = checker.resolve(node.args[0])
    if _rows(checker, first) is not None:
        where = _body(checker, first, node.args[1], checker.condition)
        kept = Keep(first, where, first.type, node.place)
        return Op("list_count", (kept,), NUMBER, node.place)
    if first.type.name != "list":
        raise ExpressionError("E_TYPE", first.place, wanted="list", found=str(first.type))
    value = checker.resolve(node.args[1])
    item = first.type.of or ANY
    if value.type.kind != item.kind and not is_any(value.type) and not is_any(item):
        raise ExpressionError("E_COMPARE", node.place, left=str(item), right=str(value.type))
    return Op("list_count_equal", (first, value), NUMBER, node.place)


@rule("sumif")
def _sumif(checker: Checker, node: Call, function: Function) -> Resolved:
    """SUMIF(items, condition, expression); in a measure SUMIF(condition, expression)."""
    if checker.measuring:
        arguments(node, 2, 2)
        group: Resolved = _group(node.place)
        where = checker.over_group(node.args[0], checker.condition)
        body = checker.over_group(node.args[1], checker.resolve)
    else:
        arguments(node, 3, 3)
        group = checker.resolve(node.args[0])
        where = _body(checker, group, node.args[1], checker.condition)
        body = _body(checker, group, node.args[2], checker.resolve)
    values = _each(Keep(group, where, group.type, node.place), body, node.place)
    return Op("list_sum", (values,), _kind(values, ("number",)), node.place)


@rule("unique")
def _unique(checker: Checker, node: Call, function: Function) -> Resolved:
    arguments(node, 1, 2)
    if checker.scope.measure and len(checker.frames) == 1:
        arguments(node, 1, 1)
        body = checker.over_group(node.args[0], checker.resolve)
        values: Resolved = _each(_group(node.place), body, node.place)
    else:
        values = _listed(checker, node)
    if (values.type.of or ANY).name == "row" and not isinstance(values, Each):
        raise ExpressionError("E_TYPE", values.place, wanted="list", found="rows")
    return Op("list_unique", (values,), values.type, node.place)


@rule("first", "last")
def _first(checker: Checker, node: Call, function: Function) -> Resolved:
    """FIRST(list), FIRST(items, expression): in the order of the rows, blanks left out."""
    arguments(node, 1, 2)
    values = _listed(checker, node)
    item = values.type.of or ANY
    kind = item if item.name in ("row", "list") else Type(item.name)
    if item.name == "row" and not isinstance(values, Each):
        raise ExpressionError("E_TYPE", values.place, wanted="list", found="rows")
    return Op(f"list_{function.name.lower()}", (values,), kind, node.place)


def _listed(checker: Checker, node: Call) -> Resolved:
    values = _values(checker, node)
    if values is None:
        first = checker.resolve(node.args[0])
        raise ExpressionError("E_TYPE", first.place, wanted="list", found=str(first.type))
    return values


@rule("lookup")
def _lookup(checker: Checker, node: Call, function: Function) -> Resolved:
    """LOOKUP("form", condition, value): of the first record of the form that fits."""
    arguments(node, 3, 3)
    form = _written(node.args[0])
    scope = checker.scope.links(form)
    if scope is None:
        raise ExpressionError("E_LOOKUP_FORM", node.args[0].place, name=form[:40], near="")
    where = checker.inside(scope, node.args[1], checker.condition)
    body = checker.inside(scope, node.args[2], checker.resolve)
    if body.type.name == "list":
        raise ExpressionError("E_TYPE", body.place, wanted="number / text", found=str(body.type))
    return Find(form, where, body, Type(body.type.name, form=body.type.form), node.place)


@rule("related")
def _related(checker: Checker, node: Call, function: Function) -> Resolved:
    """RELATED("form", "link"): the records of a form whose link leads to this record, as rows."""
    arguments(node, 2, 2)
    own = checker.scope.form
    if own is None or len(checker.frames) > 1:
        raise ExpressionError("E_RELATED_PLACE", node.place)
    form, link = (_written(arg) for arg in node.args)
    scope = None if "." in form else checker.scope.links(form)
    if scope is None:
        raise ExpressionError("E_LOOKUP_FORM", node.args[0].place, name=form[:40], near="")
    if link not in scope.names:
        near = nearest(link, [*scope.names])
        code = "E_NO_NAME" if near is None else "E_NO_NAME_NEAR"
        raise ExpressionError(code, node.args[1].place, name=link[:40], near=near)
    if scope.names[link] != row(own):
        raise ExpressionError("E_RELATED", node.args[1].place, name=link, form=form)
    return Field(f"{form}.{link}", list_of(row(form)), 0, node.place)


def _written(node: Node) -> str:
    if not isinstance(node, Literal) or not isinstance(node.value, str):
        raise ExpressionError("E_LITERAL", node.place)
    return node.value
