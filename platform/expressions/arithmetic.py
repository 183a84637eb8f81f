"""Numbers: decimals of 28 digits in all, at most 28 of them behind the point, half-up.

The context does it in one step: below 0.1 a number is subnormal there, which cuts it at 28
decimals, and 10**28 overflows. So no second rounding ever happens, in any of the evaluators.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from decimal import (
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import Any

from . import limits
from .errors import Blank

CONTEXT = Context(
    prec=limits.DIGITS,
    rounding=ROUND_HALF_UP,
    Emin=-1,
    Emax=limits.DIGITS - 1,
    clamp=0,
    traps=[Overflow, DivisionByZero, InvalidOperation],
)
WIDE = Context(prec=100, rounding=ROUND_HALF_UP, Emin=-1000, Emax=1000)
ZERO, ONE = Decimal(0), Decimal(1)
_OWN = threading.local()
_VALUE = re.compile(r"[+-]?[0-9]{1,28}(?:\.[0-9]{1,28})?")


def decimal_of(value: Any) -> Decimal | None:
    """A field's number, whatever Python type it came in; blank for what is no number."""
    kind = type(value)
    if kind is Decimal:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return Decimal(value)
    if kind is float:
        return Decimal(repr(value))
    return None


def failure(error: DecimalException) -> str:
    """The warning for a number that cannot be."""
    return "E_DIV0" if isinstance(error, DivisionByZero) else "E_RANGE"


def add(a: Decimal, b: Decimal) -> Decimal:
    return CONTEXT.add(a, b)


def sub(a: Decimal, b: Decimal) -> Decimal:
    return CONTEXT.subtract(a, b)


def mul(a: Decimal, b: Decimal) -> Decimal:
    return CONTEXT.multiply(a, b)


def div(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise Blank("E_DIV0")
    return CONTEXT.divide(a, b)


def neg(a: Decimal) -> Decimal:
    return CONTEXT.minus(a)


def absolute(a: Decimal) -> Decimal:
    return CONTEXT.abs(a)


def mod(a: Decimal, b: Decimal) -> Decimal:
    """a - b * floor(a / b): the sign is that of b, as in Excel."""
    if not b:
        raise Blank("E_DIV0")
    rest = WIDE.remainder(a, b)
    if rest and (rest < 0) != (b < 0):
        rest = WIDE.add(rest, b)
    return CONTEXT.plus(rest)


def power(a: Decimal, n: Decimal) -> Decimal:
    """a multiplied with itself, one rounding each time; n whole and at most 64 either way."""
    if n != n.to_integral_value() or abs(n) > limits.POWER:
        raise Blank("E_POWER")
    result = ONE
    for _ in range(abs(int(n))):
        result = CONTEXT.multiply(result, a)
    return div(ONE, result) if n < 0 else result


def whole(n: Decimal) -> int:
    """A count given as a number: decimals are cut off."""
    return int(n)


UNITS = {places: Decimal(1).scaleb(-places) for places in range(-limits.DIGITS, limits.DIGITS + 1)}
_AWAY = Context(prec=100, rounding=ROUND_UP, Emin=-1000, Emax=1000)
_CUT = Context(prec=100, rounding=ROUND_DOWN, Emin=-1000, Emax=1000)


def unit_of(n: Decimal) -> Decimal:
    """One of the last decimal kept; more places than there are mean all of them."""
    return UNITS[max(-limits.DIGITS, min(limits.DIGITS, whole(n)))]


def round_half(a: Decimal, n: Decimal) -> Decimal:
    return CONTEXT.plus(WIDE.quantize(a, unit_of(n)))


def round_up(a: Decimal, n: Decimal) -> Decimal:
    return CONTEXT.plus(_AWAY.quantize(a, unit_of(n)))


def round_down(a: Decimal, n: Decimal) -> Decimal:
    return CONTEXT.plus(_CUT.quantize(a, unit_of(n)))


def integer(a: Decimal) -> Decimal:
    """The next whole number below, as INT in Excel: INT(-7.5) is -8."""
    return a.to_integral_value(ROUND_FLOOR)


def value_of(text: str) -> Decimal:
    """A number written as text: sign, digits, point; nothing else."""
    if not _VALUE.fullmatch(text):
        raise Blank("E_VALUE")
    return CONTEXT.plus(Decimal(text))


def text_of(a: Decimal) -> str:
    """Plain digits, no exponent, no zeros behind the last that counts: 10, 1.1, 1000000."""
    if not a:
        return "0"
    text = format(a, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_number(a: Decimal, pattern: str) -> str:
    """`pattern` as formats.number_format stores it, e.g. "g2-"."""
    percent = pattern.endswith("%")
    shown = CONTEXT.multiply(a, Decimal(100)) if percent else a
    fixed = WIDE.quantize(shown, UNITS[int(pattern[1:-1])])
    if not fixed:
        fixed = abs(fixed)
    return format(fixed, ",f" if pattern[0] == "g" else "f") + ("%" if percent else "")


def total(values: Sequence[Decimal]) -> Decimal:
    """The exact sum, rounded once; 0 of nothing."""
    result = ZERO
    for value in values:
        result = WIDE.add(result, value)
    return CONTEXT.plus(result)


def own_context() -> Context:
    """This thread's context of 28 digits, for evaluators that work with Python's own signs.

    `a * b` under it is CONTEXT.multiply(a, b) at a quarter of the cost; it is the thread's own
    because `quick_total` reads its flags.
    """
    try:
        return _OWN.context  # type: ignore[no-any-return]
    except AttributeError:
        _OWN.context = CONTEXT.copy()
        return _OWN.context  # type: ignore[no-any-return]


def quick_total(values: Sequence[Decimal]) -> Decimal:
    """`total` under own_context(): summed as it comes, and again exactly if that rounded."""
    context = own_context()
    context.clear_flags()
    try:
        result = sum(values, ZERO)
    except Overflow:
        return total(values)
    return total(values) if context.flags[Inexact] else result


def average(values: Sequence[Decimal]) -> Decimal | None:
    """The exact sum divided by the count; blank of nothing."""
    if not values:
        return None
    result = ZERO
    for value in values:
        result = WIDE.add(result, value)
    return CONTEXT.divide(result, Decimal(len(values)))
