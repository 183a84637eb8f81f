"""The table of cases in tests/expressions.json, read and run.

A case: text; given (the record's fields, links and sub-form rows nested); then either `answer`
(plain JSON, and `warning`) or `error` with its column, or `limit` (refused while evaluating).
`measure` with `rows`: the text sums up a group. `visit.record` in `given`: the visits that link
to the record. `tables`: what LOOKUP finds. `now`: the clock.
`sql: false`: the databases must say E_NOT_SQL; without it they must answer.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from careloom.platform.expressions import ExpressionError, Typed, check
from careloom.platform.expressions.sql import NOT_SQL_FUNCTIONS

from .evaluators import NOT_SQL, Browser, Sql, python
from .world import Loader, scope

FILE = Path(__file__).resolve().parents[1] / "expressions.json"


@dataclass
class Tally:
    """How the cases came out."""

    cases: int = 0
    refused: int = 0
    agreed: int = 0
    not_sql: int = 0
    not_sql_functions: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


def cases() -> list[dict[str, Any]]:
    """Every case with its group's name."""
    groups = json.loads(FILE.read_text("utf-8"))["groups"]
    return [{"group": group["name"], **case} for group in groups for case in group["cases"]]


def refusal(case: dict[str, Any]) -> str | None:
    """What is wrong with how a case that must be refused is refused, None when nothing is."""
    try:
        check(case["text"], scope(case.get("measure", False)))
    except ExpressionError as error:
        found: tuple[str, Any] = (error.code, error.column)
    else:
        found = ("no error", None)
    wanted = (case["error"], case.get("column", found[1]))
    return None if found == wanted else f"{case['text'][:80]!r}: {found}, wanted {wanted}"


class Run:
    """All cases against Python, the browser and any databases, their rows loaded at once."""

    def __init__(self, browser: Browser | None, databases: list[Sql]) -> None:
        self.browser, self.databases = browser, databases
        self.cases = cases()
        loader = Loader()
        for at, case in enumerate(self.cases):
            if "error" in case or "limit" in case:
                continue
            for nth, row in enumerate(case.get("rows", [])):
                loader.record(10_000 + at * 10 + nth, row, group=at)
            if not case.get("measure"):
                loader.record(at, case.get("given", {}))
        for database in databases:
            database.load(loader)

    def run(self) -> Tally:
        """Run them all."""
        tally = Tally()
        for at, case in enumerate(self.cases):
            tally.cases += 1
            if "error" in case:
                fault = refusal(case)
                tally.refused += fault is None
                tally.wrong += [] if fault is None else [fault]
            else:
                self._one(at, case, tally)
        return tally

    def _one(self, at: int, case: dict[str, Any], tally: Tally) -> None:
        try:
            typed = check(case["text"], scope(case.get("measure", False)))
        except ExpressionError as error:
            tally.wrong.append(f"{case['text'][:80]!r}: {error}")
            return
        answers = self._evaluators(case, typed)
        wanted = case.get("limit", case.get("answer"))
        warnings = [case["warning"]] if "warning" in case else []
        for name, found in answers.items():
            if found != (wanted, warnings):
                tally.wrong.append(
                    f"{case['text'][:80]!r} {name}: {found}, wanted {wanted!r} {warnings}"
                )
        if "limit" not in case:
            self._databases(at, case, typed, wanted, tally)
        tally.agreed += not any(repr(case["text"][:80]) in line for line in tally.wrong)

    def _evaluators(self, case: dict[str, Any], typed: Typed) -> dict[str, Any]:
        around = {key: case[key] for key in ("now", "rows", "tables") if key in case}
        given = case.get("given", {})
        answers = {"python": python(typed, given, **around)}
        if self.browser is not None:
            answers["browser"] = self.browser.answer(typed, given, **around)
        return answers

    def _databases(
        self, at: int, case: dict[str, Any], typed: Typed, wanted: Any, tally: Tally
    ) -> None:
        around = {key: case[key] for key in ("now", "tables") if key in case}
        expected = NOT_SQL if case.get("sql") is False else wanted
        for database in self.databases:
            if case.get("measure"):
                value = database.measure(typed, at)
            else:
                value = database.answers(typed, [at], **around)[0]
            if value != expected:
                tally.wrong.append(
                    f"{case['text'][:80]!r} {database.dialect}: {value!r}, wanted {expected!r}"
                )
        if expected == NOT_SQL:
            tally.not_sql += 1
            if typed.type.name != "list":
                tally.not_sql_functions |= typed.functions & NOT_SQL_FUNCTIONS or {case["text"]}
