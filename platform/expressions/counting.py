"""Steps are counted before rows are walked, so that every evaluator stops at the same place."""

from __future__ import annotations

from collections.abc import Sequence

from . import limits
from .environment import Env, Row
from .errors import ExpressionError
from .tree import Group, Keep, Place, Resolved


def charge(env: Env, rows: Sequence[Row], cost: int, grouped: bool, place: Place) -> None:
    """Count the steps of running a body over rows, before the first of them."""
    if grouped:
        return
    if len(rows) > limits.ROWS:
        raise ExpressionError("E_ROWS", place, limit=limits.ROWS)
    _spend(env, len(rows) * cost, place)


def charge_search(env: Env, place: Place) -> None:
    """Count one LOOKUP, before the database is asked."""
    _spend(env, limits.SEARCH, place)


def _spend(env: Env, steps: int, place: Place) -> None:
    env.steps += steps
    if env.steps > limits.STEPS:
        raise ExpressionError("E_STEPS", place, limit=limits.STEPS)


def is_group(rows: Resolved) -> bool:
    """Whether rows are a measure's group, which has no limit."""
    while isinstance(rows, Keep):
        rows = rows.rows
    return isinstance(rows, Group)
