"""Random well-typed formulas agree in all four evaluators.

By default a few of the same each time; CARELOOM_FORMULAS=2000 asks that many, chosen anew.
"""

import os
from collections.abc import Iterator

import pytest
from formulas.evaluators import Browser, Sql, python
from formulas.generate import RECORDS, formulas
from formulas.world import Loader, scope
from hypothesis import HealthCheck, given, settings

from careloom.platform.expressions import ExpressionError, check

EXAMPLES = int(os.environ.get("CARELOOM_FORMULAS", "60"))
IDS = range(1, len(RECORDS) + 1)
asked: list[str] = []
refused: list[str] = []


@pytest.fixture
def loaded(databases: list[Sql]) -> Iterator[list[Sql]]:
    loader = Loader()
    for at, record in zip(IDS, RECORDS, strict=True):
        loader.record(at, record)
    for database in databases:
        database.load(loader)
    yield databases


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="CARELOOM_FORMULAS" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(text=formulas())
def agree(text: str, node: Browser, loaded: list[Sql]) -> None:
    try:
        typed = check(text, scope())
    except ExpressionError as error:
        # The only way a well-typed text is refused: it grew past a limit.
        assert error.code in ("E_LENGTH", "E_NODES", "E_DEPTH"), text
        refused.append(text)
        return
    asked.append(text)
    mine = [python(typed, record) for record in RECORDS]
    theirs = [node.answer(typed, record) for record in RECORDS]
    for ours, other in zip(mine, theirs, strict=True):
        assert (ours[0], sorted(ours[1])) == (other[0], sorted(other[1])), text
    answers = [value for value, _ in mine]
    for database in loaded:
        assert database.answers(typed, IDS) == answers, f"{database.dialect}: {text}"
        if typed.type.name == "bool":
            holds = [at for at, answer in zip(IDS, answers, strict=True) if answer is True]
            assert database.chosen(typed) == holds, f"{database.dialect} WHERE: {text}"


def test_random_formulas_agree_everywhere(
    node: Browser, loaded: list[Sql], capsys: pytest.CaptureFixture[str]
) -> None:
    agree(node=node, loaded=loaded)
    with capsys.disabled():
        print(
            f"\nrandom formulas: {len(asked)} agreed on {len(RECORDS)} records each in Python, "
            f"browser, SQLite and PostgreSQL, {len(refused)} beyond a limit"
        )
    assert len(asked) >= EXAMPLES * 0.8
