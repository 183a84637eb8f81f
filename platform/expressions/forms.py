"""The checker's own rules for logic, comparison and text joining."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .choose import as_date, fit, format_of
from .errors import ExpressionError
from .functions import Function
from .rules import arguments, is_any, rule
from .scope import ANY, BLANK, BOOL, DATE, TEXT, Type
from .tree import Call, Const, Listing, Literal, Node, Op, Place, Resolved

if TYPE_CHECKING:
    from .check import Checker

EQUALS = {"=": "eq", "<>": "ne"}
ORDERS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
ORDERED = ("number", "text", "date", "datetime", "duration")
TEXTS = {
    "number": "text_of_number", "date": "text_of_date", "datetime": "text_of_moment",
    "any": "text_of_any",
}  # fmt: skip


def unify(found: list[Resolved], place: Place) -> Type:
    """The one type of several branches; blank goes with everything."""
    types = [item.type for item in found if item.type != BLANK]
    if not types:
        return BLANK
    first = types[0]
    for item in found:
        kind = item.type
        if kind == BLANK:
            continue
        agree = kind.kind == first.kind and (kind.kind != "row" or kind.form == first.form)
        if kind.kind == "list" and first.kind == "list":
            agree = (kind.of or ANY).kind == (first.of or ANY).kind
        if not agree and ANY not in (kind, first):
            raise ExpressionError("E_BRANCHES", item.place, left=str(first), right=str(kind))
    if any(kind == ANY for kind in types):
        return ANY
    if any(kind.name == "money" for kind in types):
        return Type("money")
    return first if first.name in ("list", "row") else Type(first.name)


@rule("if", "ifs")
def _if(checker: Checker, node: Call, function: Function) -> Resolved:
    """IF(condition, value, otherwise) and IFS(condition, value, …, otherwise)."""
    arguments(node, 2, 3 if function.name == "IF" else None)
    args: list[Resolved] = []
    values: list[Resolved] = []
    for at, arg in enumerate(node.args):
        is_value = at % 2 == 1 or at == len(node.args) - 1
        resolved = checker.resolve(arg) if is_value else checker.condition(arg)
        args.append(resolved)
        if is_value:
            values.append(resolved)
    if len(args) % 2 == 0:
        args.append(Const(None, BLANK, node.place))
    return Op("if", tuple(args), unify(values, node.place), node.place)


@rule("switch")
def _switch(checker: Checker, node: Call, function: Function) -> Resolved:
    """SWITCH(value, case, result, …, otherwise)."""
    arguments(node, 3, None)
    subject = checker.resolve(node.args[0])
    args: list[Resolved] = [subject]
    values: list[Resolved] = []
    rest = node.args[1:]
    for at, arg in enumerate(rest):
        resolved = checker.resolve(arg)
        if at % 2 == 0 and at < len(rest) - 1:
            left, resolved = align(subject, resolved, resolved.place)
            if left is not subject:
                raise ExpressionError(
                    "E_COMPARE", arg.place, left=str(subject.type), right=str(resolved.type)
                )
        else:
            values.append(resolved)
        args.append(resolved)
    if len(rest) % 2 == 0:
        args.append(Const(None, BLANK, node.place))
    return Op("switch", tuple(args), unify(values, node.place), node.place)


@rule("and", "or", "AND", "OR")
def _and_or(checker: Checker, node: Call, function: Function) -> Resolved:
    arguments(node, 1, None)
    args = tuple(checker.condition(arg) for arg in node.args)
    return Op(function.name.lower(), args, BOOL, node.place)


@rule("not", "NOT")
def _not(checker: Checker, node: Call, function: Function) -> Resolved:
    arguments(node, 1, 1)
    return Op("not", (checker.condition(node.args[0]),), BOOL, node.place)


@rule("ifblank")
def _ifblank(checker: Checker, node: Call, function: Function) -> Resolved:
    arguments(node, 2, None)
    found = [checker.resolve(arg) for arg in node.args]
    return Op("ifblank", tuple(found), unify(found, node.place), node.place)


@rule("isblank")
def _isblank(checker: Checker, node: Call, function: Function) -> Resolved:
    arguments(node, 1, 1)
    return Op("isblank", (checker.resolve(node.args[0]),), BOOL, node.place)


@rule("=", "<>", "<", "<=", ">", ">=")
def _compare(checker: Checker, node: Call, function: Function) -> Resolved:
    left, right = (checker.resolve(arg) for arg in node.args)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Const) and one.value is None:
            if node.name in ORDERS:
                return Const(False, BOOL, node.place)
            blank = Op("isblank", (other,), BOOL, node.place)
            return blank if node.name == "=" else Op("not", (blank,), BOOL, node.place)
    left, right = align(left, right, node.place)
    kind = left.type.kind if left.type != ANY else right.type.kind
    if node.name in EQUALS:
        if kind == "list":
            raise ExpressionError(
                "E_COMPARE", node.place, left=str(left.type), right=str(right.type)
            )
        return Op(EQUALS[node.name], (left, right), BOOL, node.place)
    if kind not in ORDERED or ANY in (left.type, right.type):
        raise ExpressionError("E_COMPARE", node.place, left=str(left.type), right=str(right.type))
    return Op(ORDERS[node.name], (left, right), BOOL, node.place)


def align(left: Resolved, right: Resolved, place: Place) -> tuple[Resolved, Resolved]:
    """Both sides as one kind: a date written as text becomes a date, a moment beside a date
    becomes its day; anything else of two kinds is refused."""
    kinds = (left.type.kind, right.type.kind)
    if kinds[0] == kinds[1] or is_any(left.type) or is_any(right.type):
        if kinds == ("row", "row") and left.type.form != right.type.form:
            raise ExpressionError("E_COMPARE", place, left=str(left.type), right=str(right.type))
        return left, right
    if kinds in (("date", "datetime"), ("datetime", "date")):
        fitted = [fit(side, "date", True) or side for side in (left, right)]
        return fitted[0], fitted[1]
    for one, other, flip in ((left, right, False), (right, left, True)):
        is_dated = one.type.kind in ("date", "datetime")
        if is_dated and isinstance(other, Const) and other.type.kind == "text":
            day: Resolved = as_date(other)
            base = fit(one, "date", True) or one
            return (day, base) if flip else (base, day)
    raise ExpressionError("E_COMPARE", place, left=str(left.type), right=str(right.type))


@rule("in", "IN")
def _in(checker: Checker, node: Call, function: Function) -> Resolved:
    """`x in ("a", "b")`, `x in list`, IN(x, "a", "b"), IN(x, list)."""
    arguments(node, 2, None)
    subject = checker.resolve(node.args[0])
    items: tuple[Node, ...] = node.args[1:]
    if len(items) == 1 and isinstance(items[0], Listing):
        items = items[0].items
    found = [checker.resolve(item) for item in items]
    if len(found) == 1 and found[0].type.name == "list":
        return _member(subject, found[0], node.place)
    sides: list[Resolved] = []
    for item in found:
        left, right = align(subject, item, item.place)
        if left is not subject and len(found) > 1 and left.type != DATE:
            raise ExpressionError(
                "E_COMPARE", item.place, left=str(subject.type), right=str(item.type)
            )
        if right.type.name == "list":
            raise ExpressionError(
                "E_COMPARE", item.place, left=str(subject.type), right=str(item.type)
            )
        sides.append(right)
        first = left
    return Op("in_values", (first, *sides), BOOL, node.place)


def _member(subject: Resolved, items: Resolved, place: Place) -> Resolved:
    item = items.type.of or ANY
    if subject.type.kind != item.kind and not is_any(subject.type) and not is_any(item):
        raise ExpressionError("E_COMPARE", place, left=str(subject.type), right=str(items.type))
    return Op("in_list", (subject, items), BOOL, place)


@rule("contains")
def _contains(checker: Checker, node: Call, function: Function) -> Resolved:
    """CONTAINS(text, part) and CONTAINS(list, item)."""
    arguments(node, 2, 2)
    whole, part = (checker.resolve(arg) for arg in node.args)
    if whole.type.name == "list":
        return _member(part, whole, node.place)
    for found in (whole, part):
        if found.type.kind not in ("text", "blank"):
            raise ExpressionError("E_TYPE", found.place, wanted="text", found=str(found.type))
    return Op("contains", (whole, part), BOOL, node.place)


def as_text(found: Resolved) -> Resolved:
    """The node as text to be joined."""
    if found.type.kind in ("text", "blank"):
        return found
    op = TEXTS.get(found.type.kind)
    if op is None:
        raise ExpressionError("E_TYPE", found.place, wanted="text", found=str(found.type))
    return Op(op, (found,), TEXT, found.place)


@rule("concat", "&")
def _concat(checker: Checker, node: Call, function: Function) -> Resolved:
    arguments(node, 1, None)
    args: list[Resolved] = []
    for arg in node.args:
        found = as_text(checker.resolve(arg))
        flat = isinstance(found, Op) and found.op == "concat" and node.name == "&"
        args.extend(found.args if flat and isinstance(found, Op) else (found,))
    return Op("concat", tuple(args), TEXT, node.place)


@rule("text")
def _text(checker: Checker, node: Call, function: Function) -> Resolved:
    """TEXT(value) and TEXT(number or date, format)."""
    arguments(node, 1, 2)
    found = checker.resolve(node.args[0])
    if len(node.args) == 1:
        return as_text(found)
    pattern = node.args[1]
    if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
        raise ExpressionError("E_LITERAL", pattern.place)
    kinds = {
        "number": ("format_number", "number_format"),
        "date": ("format_date", "date_format"),
        "datetime": ("format_moment", "moment_format"),
        "blank": ("format_number", "number_format"),
    }
    if found.type.kind not in kinds:
        raise ExpressionError(
            "E_TYPE", found.place, wanted="number / date / datetime", found=str(found.type)
        )
    op, how = kinds[found.type.kind]
    return Op(op, (found, format_of(pattern, how)), TEXT, node.place)
