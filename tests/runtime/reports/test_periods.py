"""Periods as people say them."""

from datetime import date

import pytest

from careloom.platform.store.errors import Malformed
from careloom.platform.web.words import LANGUAGES, knows
from careloom.runtime.reports.periods import PERIODS, days_before, days_of
from careloom.runtime.reports.question import CUSTOM, Question, question_of

TODAY = date(2026, 3, 18)  # a Wednesday


@pytest.mark.parametrize(
    ("period", "since", "until", "before"),
    [
        ("today", "2026-03-18", "2026-03-18", ("2026-03-17", "2026-03-17")),
        ("yesterday", "2026-03-17", "2026-03-17", ("2026-03-16", "2026-03-16")),
        ("this_week", "2026-03-16", "2026-03-22", ("2026-03-09", "2026-03-11")),
        ("last_week", "2026-03-09", "2026-03-15", ("2026-03-02", "2026-03-08")),
        ("this_month", "2026-03-01", "2026-03-31", ("2026-02-01", "2026-02-18")),
        ("last_month", "2026-02-01", "2026-02-28", ("2026-01-01", "2026-01-31")),
        ("last_30_days", "2026-02-17", "2026-03-18", ("2026-01-18", "2026-02-16")),
        ("this_year", "2026-01-01", "2026-12-31", ("2025-01-01", "2025-03-18")),
        (CUSTOM, "2026-03-05", "2026-03-07", ("2026-03-02", "2026-03-04")),
    ],
)
def test_a_period_has_its_days_and_a_stretch_to_compare_with(
    period: str, since: str, until: str, before: tuple[str, str]
) -> None:
    days = (date.fromisoformat(since), date.fromisoformat(until))
    if period != CUSTOM:
        assert days_of(period, TODAY) == days
    first, last = before
    expected = (date.fromisoformat(first), date.fromisoformat(last))
    assert days_before(period, *days, TODAY) == expected


def test_a_longer_month_is_compared_with_all_of_a_shorter_one() -> None:
    days = days_of("this_month", date(2026, 3, 31))
    assert days_before("this_month", *days, date(2026, 3, 31)) == (
        date(2026, 2, 1),
        date(2026, 2, 28),
    )
    assert days_before("all", None, None, TODAY) is None


def test_an_address_says_the_question_and_back() -> None:
    asked = Question("last_month", filters={"channel": "douyin"}, by="agent")
    assert question_of(asked.arguments()) == asked
    days = Question(CUSTOM, date(2026, 3, 1), None)
    assert question_of(days.arguments()) == days
    assert question_of({"from": "2026-03-01"}) == days, "days alone are a period of their own"
    kept = {"period": "this_week", "from": "2026-01-01"}
    assert question_of(kept) == Question("this_week"), "a period that was chosen wins"


@pytest.mark.parametrize(
    "arguments",
    [
        {"period": "ever"},
        {"from": "yesterday"},
        {"until": "9999-12-31"},
        {"from": "2026-03-02", "until": "2026-03-01"},
    ],
)
def test_what_is_no_period_is_refused(arguments: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        question_of(arguments)


def test_there_are_words_for_every_period() -> None:
    for period in (*PERIODS, CUSTOM):
        assert all(knows(language, f"report.period.{period}") for language in LANGUAGES)
