"""How fast formulas are: `PYTHONPATH=tests python -m formulas.bench`, interleaved, medians.

Evaluation against the same sum written in Python with Decimal and the blanks and the zero it must
look out for; reading a text against Lark alone, building its own plain tree from the same grammar.
"""

import time
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from statistics import median
from typing import Any

from lark import Lark

from careloom.platform.expressions import Env, check, compile
from careloom.platform.expressions.parse import GRAMMAR, _parse

from .world import scope

ROUNDS, TIMES = 15, 4_000
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


def _took(call: Callable[[], Any], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - began) / times * 1e6


def _pair(one: Callable[[], Any], other: Callable[[], Any], times: int) -> tuple[float, float]:
    """Medians of both in microseconds, measured in turns."""
    found = [(_took(one, times), _took(other, times)) for _ in range(ROUNDS)]
    return median(a for a, _ in found), median(b for _, b in found)


def main() -> None:
    """Print a line for each measure."""
    for text, by_hand in PAIRS:
        run, env = compile(check(text, scope())), Env(RECORD)
        assert run(env) == by_hand(RECORD)
        ours, plain = _pair(lambda r=run, e=env: r(e), lambda h=by_hand: h(RECORD), TIMES)
        print(f"{text:40} {ours:7.2f} µs, by hand {plain:7.2f} µs: {plain / ours:.2f} of its speed")
    lark = Lark(GRAMMAR.read_text("utf-8"), parser="lalr")
    for text, _ in PAIRS:
        ours, alone = _pair(lambda t=text: _parse.__wrapped__(t), lambda t=text: lark.parse(t), 300)
        print(f"parse {text:34} {ours:7.1f} µs, Lark alone {alone:7.1f} µs: {alone / ours:.2f}")


if __name__ == "__main__":
    main()
