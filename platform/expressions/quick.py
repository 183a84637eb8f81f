"""Short closures for what most expressions consist of: arithmetic and comparison of two sides.

They answer what the general closures answer, only sooner; the tests run both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, DecimalException, DivisionByZero, InvalidOperation
from operator import add, ge, gt, le, lt, mul, sub, truediv
from typing import Any

from .arithmetic import ZERO, decimal_of, quick_total, round_half, unit_of
from .counting import charge, is_group
from .environment import Frame, Inner, Row
from .reading import reader
from .tree import Const, Each, Field, Op, Resolved, size

Closure = Callable[[Frame], Any]
Column = Callable[[Frame, Sequence[Row]], list[Decimal]]
# Python's own signs: right only under arithmetic.own_context(), which the entries set.
_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "add": add,
    "sub": sub,
    "mul": mul,
    "div": truediv,
}


def quick(node: Op, build: Callable[[Resolved], Closure]) -> Closure | None:
    """The short closure of a node that has one."""
    if node.op == "list_sum" and isinstance(node.args[0], Each):
        return _summed(node.args[0], build)
    if node.op == "round":
        return _rounded(node, build)
    if node.op in _SIGNS:
        return _arithmetic(_SIGNS[node.op], node, build)
    if node.op in _ORDERS and isinstance(node.args[1], Const):
        own = _own_number(node.args[0]) if _plain(node) else None
        if own is not None and isinstance(node.args[1].value, Decimal):
            return _field_order(_TESTS[node.op], own, node.args[1].value)
        return _fixed_order(node.op, build(node.args[0]), node.args[1].value)
    if node.op in _ORDERS:
        return _ORDERS[node.op](build(node.args[0]), build(node.args[1]))
    if node.op in ("eq", "ne") and _plain(node):
        if isinstance(node.args[1], Const):
            same = _field_is(node)
            if same is not None:
                return same
            return _fixed_equal(node.op, build(node.args[0]), node.args[1].value)
        left, right = (build(arg) for arg in node.args)
        if node.op == "eq":
            return lambda frame: left(frame) == right(frame)
        return lambda frame: left(frame) != right(frame)
    if node.op == "not":
        only = build(node.args[0])
        return lambda frame: not only(frame)
    if node.op == "truth":
        only = build(node.args[0])
        return lambda frame: only(frame) is True
    if node.op == "isblank":
        only = build(node.args[0])
        return lambda frame: only(frame) is None
    if node.op == "in_values" and _plain(node):
        return _among(node, build)
    return None


def _plain(node: Op) -> bool:
    """Values of one known scalar kind, whose own == is meant."""
    kinds = {arg.type.kind for arg in node.args} - {"blank"}
    return len(kinds) == 1 and kinds <= {"number", "text", "bool", "date", "datetime", "duration"}


def _among(node: Op, build: Callable[[Resolved], Closure]) -> Closure | None:
    choices = node.args[1:]
    if not all(isinstance(choice, Const) for choice in choices):
        return None
    known = frozenset(
        None if choice.value == "" else choice.value
        for choice in choices
        if isinstance(choice, Const)
    )
    subject = build(node.args[0])
    return lambda frame: subject(frame) in known


def _arithmetic(
    sign: Callable[[Any, Any], Any], node: Op, build: Callable[[Resolved], Closure]
) -> Closure:
    left, right = node.args
    if isinstance(right, Const) and right.value is not None:
        own = _own_number(left)
        if own is not None:
            return _field_and_fixed(sign, own, right.value)
        return _with_fixed(sign, build(left), right.value)
    one, other = _own_number(left), _own_number(right)
    if one is not None and other is not None:
        return _two_fields(sign, one, other)
    if other is not None:
        return _with_field(sign, build(left), other)
    return _two_sides(sign, build(left), build(right))


def _own_number(node: Resolved) -> str | None:
    """The key of a number that is a field of the row at hand."""
    own = isinstance(node, Field) and node.up == 0 and node.type.kind == "number"
    return node.key if own and isinstance(node, Field) else None


def _with_fixed(sign: Callable[[Any, Any], Any], left: Closure, fixed: Any) -> Closure:
    def with_fixed(frame: Frame) -> Any:
        a = left(frame)
        if a is None:
            return None
        try:
            return sign(a, fixed)
        except DecimalException as error:
            return _failed(frame, error)

    return with_fixed


def _field_and_fixed(sign: Callable[[Any, Any], Any], key: str, fixed: Any) -> Closure:
    def field_and_fixed(frame: Frame) -> Any:
        a = frame.values.get(key)
        if type(a) is not Decimal:
            a = decimal_of(a)
            if a is None:
                return None
        try:
            return sign(a, fixed)
        except DecimalException as error:
            return _failed(frame, error)

    return field_and_fixed


def _with_field(sign: Callable[[Any, Any], Any], left: Closure, key: str) -> Closure:
    def with_field(frame: Frame) -> Any:
        a = left(frame)
        b = frame.values.get(key)
        if type(b) is not Decimal:
            b = decimal_of(b)
        if a is None or b is None:
            return None
        try:
            return sign(a, b)
        except DecimalException as error:
            return _failed(frame, error)

    return with_field


def _two_fields(sign: Callable[[Any, Any], Any], one: str, other: str) -> Closure:
    def two_fields(frame: Frame) -> Any:
        values = frame.values
        a, b = values.get(one), values.get(other)
        if type(a) is not Decimal:
            a = decimal_of(a)
        if type(b) is not Decimal:
            b = decimal_of(b)
        if a is None or b is None:
            return None
        try:
            return sign(a, b)
        except DecimalException as error:
            return _failed(frame, error)

    return two_fields


def _two_sides(sign: Callable[[Any, Any], Any], left: Closure, right: Closure) -> Closure:
    def two_sides(frame: Frame) -> Any:
        a, b = left(frame), right(frame)  # both, for their warnings
        if a is None or b is None:
            return None
        try:
            return sign(a, b)
        except DecimalException as error:
            return _failed(frame, error)

    return two_sides


def _summed(each: Each, build: Callable[[Resolved], Closure]) -> Closure:
    """SUM over rows."""
    rows, column = build(each.rows), _column(each.body, build)
    cost, grouped, place = size(each.body), is_group(each.rows), each.place

    def summed(frame: Frame) -> Any:
        found = rows(frame)
        if found is None:
            return ZERO
        charge(frame.env, found, cost, grouped, place)
        try:
            return quick_total(column(frame, found))
        except DecimalException as error:
            return _failed(frame, error)

    return summed


def _column(body: Resolved, build: Callable[[Resolved], Closure]) -> Column:
    """A body's values over rows, without the blank ones."""
    one = build(body)

    def column(frame: Frame, rows: Sequence[Row]) -> list[Decimal]:
        inner, values = Inner({}, frame.env, frame), []
        for inner.values in rows:
            value = one(inner)
            if value is not None:
                values.append(value)
        return values

    if not (isinstance(body, Op) and body.op == "mul"):
        return column
    left, right = (_own_number(arg) for arg in body.args)
    if left is None or right is None:
        return column

    def products(frame: Frame, rows: Sequence[Row]) -> list[Decimal]:
        """Quantity times price, which most rows are summed by, without a call for each row."""
        try:
            values = []
            for row in rows:
                a, b = row.get(left), row.get(right)
                if type(a) is not Decimal or type(b) is not Decimal:
                    return column(frame, rows)
                values.append(a * b)
            return values
        except DecimalException:  # said row by row, with its warning
            return column(frame, rows)

    return products


def _rounded(node: Op, build: Callable[[Resolved], Closure]) -> Closure | None:
    places = node.args[1]
    if not isinstance(places, Const) or places.value is None:
        return None
    value, unit = build(node.args[0]), unit_of(places.value)
    fixed = places.value

    def exact(a: Decimal) -> Decimal:
        return round_half(a, fixed)

    def rounded(frame: Frame) -> Any:
        a = value(frame)
        if a is None:
            return None
        try:
            return a.quantize(unit)
        except InvalidOperation:  # more than 28 digits with the zeros: none are written
            return exact(a)

    return rounded


def _failed(frame: Frame, error: DecimalException) -> None:
    # 0 / 0 is an InvalidOperation to Decimal, and a division by zero to everybody else.
    zero = isinstance(error, DivisionByZero) or type(error).__name__ != "Overflow"
    code = "E_DIV0" if zero else "E_RANGE"
    if code not in frame.env.warnings:
        frame.env.warnings.append(code)


def _fixed_equal(op: str, left: Closure, fixed: Any) -> Closure:
    wanted = None if fixed == "" else fixed
    if op == "eq":
        return lambda frame: left(frame) == wanted
    return lambda frame: left(frame) != wanted


def _field_is(node: Op) -> Closure | None:
    """Whether a text field of the row at hand is a fixed text."""
    field, fixed = node.args
    if not (isinstance(field, Field) and field.up == 0 and field.type.kind == "text"):
        return None
    if node.op != "eq" or not isinstance(fixed, Const) or not fixed.value:
        return None
    key, wanted, read = field.key, fixed.value, reader(field.type)

    def field_is(frame: Frame) -> bool:
        return bool(read(frame.values.get(key)) == wanted)

    return field_is


def _fixed_order(op: str, left: Closure, fixed: Any) -> Closure:
    if fixed is None or fixed == "":
        return _lt(left, lambda frame: None)
    test = _TESTS[op]

    def order(frame: Frame) -> bool:
        a = left(frame)
        return a is not None and bool(test(a, fixed))

    return order


def _field_order(test: Callable[[Any, Any], Any], key: str, fixed: Decimal) -> Closure:
    def field_order(frame: Frame) -> bool:
        a = frame.values.get(key)
        if type(a) is not Decimal:
            a = decimal_of(a)
            if a is None:
                return False
        return bool(test(a, fixed))

    return field_order


def _lt(left: Closure, right: Closure) -> Closure:
    def less(frame: Frame) -> bool:
        a, b = left(frame), right(frame)
        return a is not None and b is not None and bool(a < b)

    return less


def _le(left: Closure, right: Closure) -> Closure:
    def at_most(frame: Frame) -> bool:
        a, b = left(frame), right(frame)
        return a is not None and b is not None and bool(a <= b)

    return at_most


def _gt(left: Closure, right: Closure) -> Closure:
    return _lt(right, left)


def _ge(left: Closure, right: Closure) -> Closure:
    return _le(right, left)


_TESTS = {"lt": lt, "le": le, "gt": gt, "ge": ge}
_ORDERS = {"lt": _lt, "le": _le, "gt": _gt, "ge": _ge}
