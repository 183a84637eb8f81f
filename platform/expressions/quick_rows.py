"""Sums over rows: what quantity times price comes to, most of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, DecimalException, Inexact

from .arithmetic import ZERO, own_context, quick_total
from .counting import charge, is_group
from .environment import Frame, Inner, Row
from .quick import Build, Closure, failed, own_number
from .tree import Each, Op, Resolved, size

Total = Callable[[Sequence[Row]], Decimal | None]


def summed(each: Each, build: Build) -> Closure:
    """SUM over rows. Right only under arithmetic.own_context()."""
    rows, body, products = build(each.rows), build(each.body), _products(each.body)
    cost, grouped, place = size(each.body), is_group(each.rows), each.place

    def total(frame: Frame) -> Decimal | None:
        found = rows(frame)
        if found is None:
            return ZERO
        charge(frame.env, found, cost, grouped, place)
        quickly = products(found) if products is not None else None
        if quickly is not None:
            return quickly
        inner, values = Inner({}, frame.env, frame), []
        for inner.values in found:
            value = body(inner)
            if value is not None:
                values.append(value)
        try:
            return quick_total(values)
        except DecimalException as error:
            failed(frame, error)
            return None

    return total


def _products(body: Resolved) -> Total | None:
    """The sum of one field times another, without a call for each row; None for another body.

    It answers None where it is not that simple: a blank among the fields, a result that was
    rounded or is out of range. Then it is summed value by value, with the warnings.
    """
    if not (isinstance(body, Op) and body.op == "mul"):
        return None
    left, right = (own_number(arg) for arg in body.args)
    if left is None or right is None:
        return None

    def products(rows: Sequence[Row]) -> Decimal | None:
        context, total = own_context(), ZERO
        context.clear_flags()
        try:
            for row in rows:
                a, b = row[left], row[right]
                if type(a) is not Decimal or type(b) is not Decimal:
                    return None
                total += a * b
        except (DecimalException, KeyError):
            return None
        return None if context.flags[Inexact] else total

    return products
