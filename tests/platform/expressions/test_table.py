"""tests/expressions.json against Python, the browser, SQLite and PostgreSQL."""

import pytest
from formulas.evaluators import Browser, Sql
from formulas.table import Run, cases

from careloom.platform.expressions import ExpressionError, Scope, check
from careloom.platform.expressions.functions import FUNCTIONS
from careloom.platform.expressions.sql import NOT_SQL_FUNCTIONS


def test_every_case_agrees_everywhere(
    node: Browser, databases: list[Sql], capsys: pytest.CaptureFixture[str]
) -> None:
    tally = Run(node, databases).run()
    with capsys.disabled():
        print(
            f"\nformulas: {tally.cases} cases, {tally.agreed} agreed in Python, browser, SQLite "
            f"and PostgreSQL ({tally.not_sql} of them E_NOT_SQL), {tally.refused} refused alike"
        )
    assert tally.wrong == []
    assert tally.agreed + tally.refused == tally.cases
    assert tally.cases >= 400
    assert tally.not_sql_functions <= NOT_SQL_FUNCTIONS


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_has_an_ordinary_a_blank_and_a_refused_case(name: str) -> None:
    calls = [case for case in cases() if f"{name}(" in case["text"]]
    answers = [case.get("answer") for case in calls if "error" not in case]
    assert any(answer is not None for answer in answers), "no ordinary case"
    assert any(answer in (None, False, True, "0", "2") for answer in answers), "no blank case"
    # AND and OR are also signs, so that their brackets are refused by the grammar.
    assert [case for case in calls if "error" in case] or name in ("TODAY", "NOW", "AND", "OR")


def test_functions_without_arguments_take_none() -> None:
    for name in ("TODAY", "NOW", "ME", "MYORG"):
        with pytest.raises(ExpressionError, match="E_ARGUMENTS"):
            check(f"{name}(1)", Scope())
