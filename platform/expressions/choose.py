"""Plain functions and operators: pick the signature that fits the arguments."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from . import limits
from .errors import ExpressionError, nearest
from .formats import date_format, needs_clock, number_format
from .functions import CHOICES, MISSING, OPERATORS, Param, Signature
from .scope import BLANK, DATE, MONEY, NUMBER, SIMPLE, TEXT, Type, row
from .tree import Call, Const, Literal, Node, Op, Place, Resolved

if TYPE_CHECKING:
    from .check import Checker

FORMATS = ("number_format", "date_format", "moment_format")


def choose(checker: Checker, node: Call, name: str, signatures: tuple[Signature, ...]) -> Resolved:
    """The operation of the first signature whose arguments fit; dates written as text and the
    day of a moment are tried only when nothing fits as it stands."""
    count = len(node.args)
    fitting = [s for s in signatures if s.least <= count <= len(s.params)]
    if not fitting:
        least = min(s.least for s in signatures)
        most = max(len(s.params) for s in signatures)
        wanted = str(least) if least == most else f"{least}–{most}"
        raise ExpressionError("E_ARGUMENTS", node.place, name=name, wanted=wanted, found=str(count))
    resolved = [
        None if _worded(fitting[0].params[i]) else checker.resolve(arg)
        for i, arg in enumerate(node.args)
    ]
    for eager in (False, True):
        for signature in fitting:
            taken = _take(resolved, signature, eager, name not in OPERATORS)
            if taken is not None:
                return _operation(checker, node, signature, taken)
    raise _misfit(node, name, fitting, resolved)


def _worded(param: Param) -> bool:
    return param.type in CHOICES or param.type in FORMATS


def _take(
    resolved: list[Resolved | None], signature: Signature, eager: bool, written: bool
) -> list[Resolved | None] | None:
    taken: list[Resolved | None] = []
    for found, param in zip(resolved, signature.params, strict=False):
        fitted = None if found is None else fit(found, param.type, eager, written)
        if found is not None and fitted is None:
            return None
        taken.append(fitted)
    return taken


def fit(found: Resolved, wanted: str, eager: bool, written: bool = True) -> Resolved | None:
    """The node as an argument of this type, or None. `eager`: the day of a moment, and (when
    `written`) a date written as text, count as dates."""
    kind = found.type
    if kind.name == "blank" or kind.kind == wanted:
        return found
    if not eager:
        return None
    if wanted == "date" and kind.name == "datetime":
        return Op("day_of_moment", (found,), DATE, found.place)
    if wanted == "date" and written and kind.name == "text" and isinstance(found, Const):
        return as_date(found)
    return None


def as_date(found: Const) -> Const:
    """A date written as "2026-01-31"."""
    try:
        if len(found.value) != 10:
            raise ValueError
        return Const(date.fromisoformat(found.value), DATE, found.place)
    except ValueError:
        raise ExpressionError("E_DATE_TEXT", found.place, found=found.value[:40]) from None


def _operation(
    checker: Checker, node: Call, signature: Signature, taken: list[Resolved | None]
) -> Resolved:
    args: list[Resolved] = []
    for at, param in enumerate(signature.params):
        given = taken[at] if at < len(taken) else None
        if given is not None:
            args.append(given)
        elif at < len(node.args):
            args.append(_word(checker, node.args[at], param, taken))
        elif param.default == "today":
            args.append(Op("today", (), DATE, node.place))
        elif param.default is not MISSING:
            args.append(Const(param.default, NUMBER, node.place))
    if signature.op == "same":
        return args[0]
    if signature.op == "power":
        _limit_power(args[1])
    return Op(signature.op, tuple(args), _result(signature.result, args), node.place)


def _word(checker: Checker, node: Node, param: Param, taken: list[Resolved | None]) -> Const:
    """A unit or a format: must be written out, since it is checked now."""
    if not isinstance(node, Literal) or not isinstance(node.value, str):
        raise ExpressionError("E_LITERAL", node.place)
    if param.type in FORMATS:
        return format_of(node, param.type)
    words = CHOICES[param.type]
    unit = words.get(node.value.lower())
    if unit is None:
        near = nearest(node.value, list(words)) or "day"
        allowed = " ".join(sorted(set(words.values())))
        raise ExpressionError(
            "E_CHOICE", node.place, found=node.value[:40], allowed=allowed, near=near
        )
    return Const(unit, TEXT, node.place)


def format_of(node: Literal, kind: str) -> Const:
    """The stored spelling of a format written as text."""
    read = number_format if kind == "number_format" else date_format
    pattern = read(node.value)
    if pattern is None or (kind == "date_format" and needs_clock(pattern)):
        raise ExpressionError("E_FORMAT", node.place, found=node.value[:40])
    return Const(pattern, TEXT, node.place)


def _limit_power(exponent: Resolved) -> None:
    if not isinstance(exponent, Const) or exponent.value is None:
        return
    whole = exponent.value == exponent.value.to_integral_value()
    if not whole or abs(exponent.value) > limits.POWER:
        raise ExpressionError("E_POWER_LITERAL", exponent.place, limit=limits.POWER)


def _result(name: str, args: list[Resolved]) -> Type:
    if name == "unit":
        return row("unit")
    if name == "same":
        kind = args[0].type
        return NUMBER if kind == BLANK else Type(kind.name)
    if name in ("wider", "ratio"):
        kinds = [arg.type.name for arg in args]
        if name == "ratio":
            return MONEY if kinds[0] == "money" and kinds[1] != "money" else NUMBER
        return MONEY if "money" in kinds else NUMBER
    return SIMPLE[name]


def _misfit(
    node: Call, name: str, fitting: list[Signature], resolved: list[Resolved | None]
) -> ExpressionError:
    """Name the first argument that no signature takes, and what would be taken there."""
    places: Place = node.place
    if len(fitting) > 1 and node.args and name in "+-*/":
        found = [str(item.type) for item in resolved if item is not None]
        return ExpressionError("E_OPERANDS", places, name=name, left=found[0], right=found[-1])
    for at, found_item in enumerate(resolved):
        if found_item is None:
            continue
        wanted = list(dict.fromkeys(s.params[at].type for s in fitting))
        if all(fit(found_item, kind, True) is None for kind in wanted):
            return ExpressionError(
                "E_TYPE",
                found_item.place,
                wanted=" / ".join(wanted),
                found=str(found_item.type),
                name=name,
            )
    kinds = [str(item.type) for item in resolved if item is not None]
    return ExpressionError("E_OPERANDS", places, name=name, left=kinds[0], right=kinds[-1])
