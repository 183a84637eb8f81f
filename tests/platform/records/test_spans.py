"""Days as people name them."""

from datetime import date

import pytest

from careloom.platform.records.spans import SPANS, span_of


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("today", "2026-03-03", "2026-03-03"),
        ("tomorrow", "2026-03-04", "2026-03-04"),
        ("this_week", "2026-03-02", "2026-03-08"),
        ("last_week", "2026-02-23", "2026-03-01"),
        ("this_month", "2026-03-01", "2026-03-31"),
        ("last_month", "2026-02-01", "2026-02-28"),
        ("next_month", "2026-04-01", "2026-04-30"),
        ("last_7", "2026-02-25", "2026-03-03"),
        ("this_quarter", "2026-01-01", "2026-03-31"),
        ("last_year", "2025-01-01", "2025-12-31"),
    ],
)
def test_a_name_stands_for_these_days(name: str, first: str, last: str) -> None:
    assert span_of(name, date(2026, 3, 3)) == (date.fromisoformat(first), date.fromisoformat(last))


def test_a_span_over_the_turn_of_the_year_is_whole() -> None:
    assert span_of("last_month", date(2026, 1, 31)) == (date(2025, 12, 1), date(2025, 12, 31))
    assert span_of("this_quarter", date(2025, 12, 31)) == (date(2025, 10, 1), date(2025, 12, 31))
    assert all(
        first <= last for first, last in (span(date(2024, 2, 29)) for span in SPANS.values())
    )
