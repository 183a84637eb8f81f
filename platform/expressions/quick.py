"""Short closures for what most expressions consist of: arithmetic and comparison of two sides.

They answer what the general closures answer, only sooner; the tests run both.

Python's own signs are right only under arithmetic.own_context(). Putting it in place and taking it
away again costs as much as several signs, so a formula with few of them (`is_light`) asks the
context itself for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, DecimalException, DivisionByZero, InvalidOperation
from operator import add, ge, gt, le, lt, mul, sub, truediv
from typing import Any

from .arithmetic import CONTEXT, decimal_of, round_half, unit_of
from .environment import Frame
from .reading import reader
from .tree import Const, Each, Field, Find, Keep, Op, Resolved, walk

Closure = Callable[[Frame], Any]
Build = Callable[[Resolved], Closure]
Signs = Mapping[str, Callable[[Any, Any], Any]]

OPERATORS: Signs = {"add": add, "sub": sub, "mul": mul, "div": truediv}
METHODS: Signs = {
    "add": CONTEXT.add,
    "sub": CONTEXT.subtract,
    "mul": CONTEXT.multiply,
    "div": CONTEXT.divide,
}
MOST_LIGHT = 3  # signs, beyond which the thread's own context is worth putting in place


def is_light(node: Resolved) -> bool:
    """Whether a formula is sooner done by METHODS than by OPERATORS under own_context()."""
    nodes = list(walk(node))
    ops = [one.op for one in nodes if isinstance(one, Op)]
    if "list_sum" in ops or "round" in ops:
        return False
    signs = sum(op in OPERATORS for op in ops)
    over_rows = any(isinstance(one, Each | Keep | Find) for one in nodes)
    return not signs or (signs <= MOST_LIGHT and not over_rows)


def quick(node: Op, build: Build, signs: Signs) -> Closure | None:
    """The short closure of a node that has one."""
    if node.op == "round":
        return _rounded(node, build)
    if node.op in signs:
        return _arithmetic(signs[node.op], node, build)
    if node.op == "if":
        return _if_both(node, build)
    return _test(node, build)


def _if_both(node: Op, build: Build) -> Closure | None:
    """IF(a AND b, value, otherwise), the condition without a call of its own."""
    condition = node.args[0]
    if len(node.args) != 3 or not isinstance(condition, Op) or condition.op != "and":
        return None
    if len(condition.args) != 2:
        return None
    one, other = (build(arg) for arg in condition.args)
    value, otherwise = (build(arg) for arg in node.args[1:])
    return lambda frame: value(frame) if one(frame) and other(frame) else otherwise(frame)


def _test(node: Op, build: Build) -> Closure | None:
    if node.op in _ORDERS and isinstance(node.args[1], Const):
        own = own_number(node.args[0]) if _plain(node) else None
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


def _among(node: Op, build: Build) -> Closure | None:
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


def _arithmetic(sign: Callable[[Any, Any], Any], node: Op, build: Build) -> Closure:
    left, right = node.args
    if isinstance(right, Const) and right.value is not None:
        own = own_number(left)
        if own is not None:
            return _field_and_fixed(sign, own, right.value)
        return _with_fixed(sign, build(left), right.value)
    one, other = own_number(left), own_number(right)
    if one is not None and other is not None:
        return _two_fields(sign, one, other)
    if other is not None:
        return _with_field(sign, build(left), other)
    return _two_sides(sign, build(left), build(right))


def own_number(node: Resolved) -> str | None:
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
            return failed(frame, error)

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
            return failed(frame, error)

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
            return failed(frame, error)

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
            return failed(frame, error)

    return two_fields


def _two_sides(sign: Callable[[Any, Any], Any], left: Closure, right: Closure) -> Closure:
    def two_sides(frame: Frame) -> Any:
        a, b = left(frame), right(frame)  # both, for their warnings
        if a is None or b is None:
            return None
        try:
            return sign(a, b)
        except DecimalException as error:
            return failed(frame, error)

    return two_sides


def _rounded(node: Op, build: Build) -> Closure | None:
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


def failed(frame: Frame, error: DecimalException) -> None:
    """The result is blank; the warning says why."""
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
        value = frame.values.get(key)
        if value == wanted or (type(value) is str and value.isascii()):
            return bool(value == wanted)
        return bool(read(value) == wanted)

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
