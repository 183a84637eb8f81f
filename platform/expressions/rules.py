"""Where the checker's own rules register: function or operator name -> rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .errors import ExpressionError
from .functions import Function
from .scope import ANY, BLANK, Type
from .tree import Call, Resolved

if TYPE_CHECKING:
    from .check import Checker

Rule = Callable[["Checker", Call, Function], Resolved]
RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule under these names: an operator's sign, or `rule` of an entry of the table."""

    def register(function: Rule) -> Rule:
        for name in names:
            RULES[name] = function
        return function

    return register


def arguments(node: Call, least: int, most: int | None) -> None:
    """Refuse a call with too few or too many arguments."""
    found = len(node.args)
    if found < least or (most is not None and found > most):
        wanted = str(least) if most == least else f"{least}–{most}" if most else f"{least}+"
        raise ExpressionError(
            "E_ARGUMENTS", node.place, name=node.name, wanted=wanted, found=str(found)
        )


def is_any(kind: Type) -> bool:
    """Types that are known only when the value is."""
    return kind in (ANY, BLANK)
