"""The parser is built once, however many threads need it at the same moment."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import pytest

THREADS = 4
parser: Any = import_module("careloom.platform.expressions.parse")


def test_the_parser_is_built_by_one_thread_while_the_others_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    building, most = [0], [0]
    real = parser.Lark

    def slow(*words: Any, **given: Any) -> Any:
        building[0] += 1
        most[0] = max(most[0], building[0])
        time.sleep(0.05)
        made = real(*words, **given)
        building[0] -= 1
        return made

    monkeypatch.setattr(parser, "Lark", slow)
    parser._built.cache_clear()
    together = threading.Barrier(THREADS)

    def first_need(number: int) -> Any:
        together.wait(10)
        return parser.parse(f"{number} + {number}.25")

    with ThreadPoolExecutor(THREADS) as threads:
        trees = list(threads.map(first_need, range(THREADS)))
    assert len(trees) == THREADS and most == [1]
