"""Short closures for what most expressions consist of: arithmetic and comparison of two sides.

They answer what the general closures answer, only sooner; the tests run both.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import DecimalException, DivisionByZero
from typing import Any

from .arithmetic import CONTEXT
from .environment import Frame
from .tree import Const, Op, Resolved

Closure = Callable[[Frame], Any]
_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "add": CONTEXT.add,
    "sub": CONTEXT.subtract,
    "mul": CONTEXT.multiply,
    "div": CONTEXT.divide,
}


def quick(node: Op, build: Callable[[Resolved], Closure]) -> Closure | None:
    """The short closure of a node that has one."""
    if node.op in _SIGNS:
        return _arithmetic(_SIGNS[node.op], node, build)
    if node.op in _ORDERS:
        return _ORDERS[node.op](build(node.args[0]), build(node.args[1]))
    if node.op in ("eq", "ne") and _plain(node):
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
    left, right = build(node.args[0]), build(node.args[1])

    if isinstance(node.args[1], Const) and node.args[1].value is not None:
        fixed = node.args[1].value

        def with_fixed(frame: Frame) -> Any:
            a = left(frame)
            if a is None:
                return None
            try:
                return sign(a, fixed)
            except DecimalException as error:
                return _failed(frame, error)

        return with_fixed

    def both(frame: Frame) -> Any:
        a = left(frame)
        if a is None:
            right(frame)  # for its warnings, which do not depend on the left side
            return None
        b = right(frame)
        if b is None:
            return None
        try:
            return sign(a, b)
        except DecimalException as error:
            return _failed(frame, error)

    return both


def _failed(frame: Frame, error: DecimalException) -> None:
    # 0 / 0 is an InvalidOperation to Decimal, and a division by zero to everybody else.
    zero = isinstance(error, DivisionByZero) or type(error).__name__ != "Overflow"
    code = "E_DIV0" if zero else "E_RANGE"
    if code not in frame.env.warnings:
        frame.env.warnings.append(code)


def _lt(left: Closure, right: Closure) -> Closure:
    def lt(frame: Frame) -> bool:
        a, b = left(frame), right(frame)
        return a is not None and b is not None and bool(a < b)

    return lt


def _le(left: Closure, right: Closure) -> Closure:
    def le(frame: Frame) -> bool:
        a, b = left(frame), right(frame)
        return a is not None and b is not None and bool(a <= b)

    return le


def _gt(left: Closure, right: Closure) -> Closure:
    return _lt(right, left)


def _ge(left: Closure, right: Closure) -> Closure:
    return _le(right, left)


_ORDERS = {"lt": _lt, "le": _le, "gt": _gt, "ge": _ge}
