"""How fast formulas are.

Evaluation against the same sum written in Python with Decimal and the blanks and the zero it must
look out for; reading a text against Lark alone, building its own plain tree from the same grammar.
"""

from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from formulas.world import scope
from lark import Lark

from careloom.platform.expressions import Env, check, compile
from careloom.platform.expressions.parse import GRAMMAR, _parse

from .measure import Result, in_turns

TIMES = 3_000
ITEMS = [{"qty": Decimal(n % 5 + 1), "price": Decimal("120.50")} for n in range(10)]
RECORD: dict[str, Any] = {
    "a": Decimal("12.5"), "b": Decimal("3.25"), "i": Decimal(20), "j": Decimal(4),
    "m": Decimal("1800.00"), "t": "implant", "items": ITEMS,
}  # fmt: skip
CONTEXT = Context(prec=28, rounding=ROUND_HALF_UP)
CENT = Decimal("0.01")


def price(record: dict[str, Any]) -> Decimal | None:
    """ROUND(m*a/j+b*i-a, 2) by hand."""
    m, a, j, b, i = (record.get(key) for key in "majbi")
    if m is None or a is None or j is None or b is None or i is None or not j:
        return None
    return (m * a / j + b * i - a).quantize(CENT, ROUND_HALF_UP)  # type: ignore[no-any-return]


def adult(record: dict[str, Any]) -> Decimal | None:
    """IF(i>=18 AND t="implant", m*0.9, m) by hand."""
    i, m = record.get("i"), record.get("m")
    if m is None:
        return None
    if i is not None and i >= 18 and record.get("t") == "implant":
        return m * Decimal("0.9")  # type: ignore[no-any-return]
    return m  # type: ignore[no-any-return]


def rows(record: dict[str, Any]) -> Decimal:
    """SUM(items, qty*price) by hand."""
    total = Decimal(0)
    for item in record.get("items") or ():
        qty, each = item.get("qty"), item.get("price")
        if qty is not None and each is not None:
            total += qty * each
    return total


PAIRS: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("ROUND(m*a/j+b*i-a, 2)", price),
    ('IF(i>=18 AND t="implant", m*0.9, m)', adult),
    ("SUM(items, qty*price)", rows),
]


def results() -> Iterator[Result]:
    """Evaluation, then reading."""
    for text, by_hand in PAIRS:
        run, env = compile(check(text, scope())), Env(RECORD)
        assert run(env) == by_hand(RECORD)
        costs = in_turns(lambda r=run, e=env: r(e), lambda h=by_hand: h(RECORD), TIMES)
        yield Result(f"evaluate `{text}`", costs[0], "Decimal by hand", costs[1], "≤ 2")
    lark = Lark(GRAMMAR.read_text("utf-8"), parser="lalr")
    for text, _ in PAIRS:
        costs = in_turns(lambda t=text: _parse.__wrapped__(t), lambda t=text: lark.parse(t), 200)
        yield Result(f"parse `{text}`", costs[0], "Lark alone", costs[1])
