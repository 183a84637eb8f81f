"""Formulas that would do harm are refused soon, and nothing is ever run as code."""

import ast
import time
import tracemalloc
from pathlib import Path

import pytest
from formulas.world import env_of, scope

from careloom.platform import expressions
from careloom.platform.expressions import Env, ExpressionError, Scope, check, compile
from careloom.platform.expressions.parse import _parse
from careloom.platform.expressions.workdays import FIRST, LAST

ROOM = Path(expressions.__file__).parent
HARMFUL = [
    "''.__class__.__mro__[1].__subclasses__()",
    "t.__class__.__mro__",
    "__import__('os').system('id')",
    '__import__("os")',
    "ｅｖａｌ(1)",
    "eval/**/(1)",
    "constructor",
    "__proto__",
    "(" * 10_000,
    "NOT " * 900 + "p",
    "-" * 3_999 + "i",
    '"a"&' * 1_000_000 + '"a"',
    "2**(9**9)",
    "9^9^9",
    "POWER(9, POWER(9, 9))" + "+POWER(9, 65)",
    "1e999999999",
    "9" * 4_000,
    "[x for x in (1,)]",
    "lambda: 1",
    "i if p else j",
    "{{ 7*7 }}",
    "t = 'a' OR 1=1; DROP TABLE record --",
    '"\u202e"',
    "\ud800",
    "i\x00",
]


@pytest.mark.parametrize("text", HARMFUL, ids=lambda text: text[:24].encode("unicode_escape"))
def test_harmful_text_is_refused_soon_and_small(text: str) -> None:
    check("i+1", scope())  # the grammar is loaded once per process
    tracemalloc.start()
    began = time.thread_time()
    with pytest.raises(ExpressionError):
        check(text, scope())
    taken, (_, most) = time.thread_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 0.5  # traced memory slows it several times; 50 ms without
    assert most < 20_000_000


def test_doubling_a_text_ends_at_the_limit() -> None:
    text = "t"
    for _ in range(7):
        text = f"({text}&{text})"
    env = Env({"t": "牙" * 1000})
    assert compile(check(text, scope()))(env) is None
    assert env.warnings == ["E_TEXT_LENGTH"]


def test_rows_and_steps_are_counted_before_they_are_walked() -> None:
    typed = check("SUM(items, qty*qty+qty)", scope())
    for rows, code in ((1_001, "E_ROWS"), (1_000, None)):
        env = env_of({"items": [{"qty": 1}] * rows})
        if code is None:
            assert compile(typed)(env) == 2_000
        else:
            with pytest.raises(ExpressionError, match=code):
                compile(typed)(env)
    nested = check("SUM(items, " + "+".join(["qty"] * 30) + ")", scope())
    with pytest.raises(ExpressionError, match="E_STEPS"):
        compile(nested)(env_of({"items": [{"qty": 1}] * 400}))


def test_the_room_never_runs_text() -> None:
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "__import__"), path.name


def test_a_field_cannot_reach_past_the_record() -> None:
    for name in ("__class__", "_sa_instance_state", "values", "get"):
        with pytest.raises(ExpressionError):
            check(f"customer.{name}", scope())
        with pytest.raises(ExpressionError):
            check(name, Scope(names={"age": scope().names["i"]}))


def test_parsed_texts_are_kept_up_to_a_number() -> None:
    assert _parse.cache_info().maxsize == 4096


def test_the_calendar_reaches_into_this_year_and_says_where_it_ends() -> None:
    assert FIRST.year <= 2005 and LAST.year >= 2026 and (LAST.month, LAST.day) == (12, 31)
