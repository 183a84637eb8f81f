"""Who saw what is dropped after three years, a month at a time, and never before it is anchored."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from careloom.platform.events import old_views
from careloom.platform.events.model import Event, View, Viewed
from careloom.platform.events.seal import broken, seal
from careloom.platform.events.view_log import looked, views, write_views
from careloom.platform.store import jobs
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def look(database: Database, at: datetime, ids: range) -> None:
    assert isinstance(database.clock, TurnedClock)
    database.clock.set(at)
    rows = looked([("lead", "export", tuple(ids))], at, 7, "::1")
    database.write(lambda session: write_views(session, rows))


@pytest.fixture
def seen(database: Database, clock: TurnedClock) -> Database:
    """Views of three months: the last moment of February, all of March, the first of April."""
    look(database, datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC), range(1, 4))
    look(database, datetime(2026, 3, 1, tzinfo=UTC), range(1, 2_501))
    look(database, datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC), range(1, 4))
    look(database, datetime(2026, 4, 1, tzinfo=UTC), range(1, 4))
    return database


def counted(database: Database) -> tuple[int, int]:
    with database.read() as session:
        rows = (select(func.count()).select_from(table) for table in (View, Viewed))
        views_, ways = (session.scalar(one) or 0 for one in rows)
        return views_, ways


def told(database: Database) -> list[dict[str, object]]:
    with database.read() as session:
        query = select(Event.data).where(Event.name == "views:dropped").order_by(Event.id)
        return list(session.scalars(query))


def drop_all(database: Database) -> None:
    """As the worker does, until nothing is left to drop."""
    while old_views.ask_to_drop(database):
        jobs.run(database)


def test_nothing_is_dropped_before_three_years(seen: Database, clock: TurnedClock) -> None:
    before = counted(seen)
    clock.set(datetime(2029, 2, 28, 23, tzinfo=UTC))
    drop_all(seen)
    assert (counted(seen), told(seen)) == (before, [])


def test_whole_months_are_dropped_and_what_is_younger_stays(
    seen: Database, clock: TurnedClock
) -> None:
    with seen.read() as session:
        march = old_views.total(session, MARCH)
    clock.set(datetime(2029, 4, 1, tzinfo=UTC))
    drop_all(seen)
    assert counted(seen) == (1, 3)
    with seen.read() as session:
        assert [view.at.month for view in views(session, "lead", 2)[0]] == [4]
        assert list(broken(session)) == []
    february, of_march = told(seen)
    assert (february["month"], february["rows"]) == ("2026-02", 1)
    assert (of_march["month"], of_march["rows"], of_march["hash"]) == ("2026-03", *march)
    assert march[0] == 2_500 // 200 + 2


def test_rows_are_removed_only_once_their_sum_is_sealed(seen: Database, clock: TurnedClock) -> None:
    clock.set(datetime(2029, 3, 1, tzinfo=UTC))
    assert old_views.ask_to_drop(seen)
    before = counted(seen)
    jobs.run(seen, most=1)
    assert (counted(seen), len(told(seen))) == (before, 1)
    seen.write(lambda session: seal(session))
    jobs.run(seen, most=1)
    assert counted(seen) == (before[0] - 1, before[1] - 3)


def test_a_month_that_is_dropped_in_part_goes_on_and_is_told_once(
    seen: Database, clock: TurnedClock
) -> None:
    clock.set(datetime(2029, 4, 1, tzinfo=UTC))
    while old_views.ask_to_drop(seen):
        for _ in range(4):
            jobs.run(seen, most=1)
        old_views._looked.clear()  # as another process would
    jobs.run(seen)
    drop_all(seen)
    assert [one["month"] for one in told(seen)] == ["2026-02", "2026-03"]
    assert counted(seen) == (1, 3)


def test_the_sum_tells_a_row_that_was_changed(seen: Database) -> None:
    with seen.read() as session:
        before = old_views.total(session, MARCH)

    def change(session: Session) -> None:
        last = select(func.max(View.id)).where(View.at < datetime(2026, 4, 1, tzinfo=UTC))
        session.execute(update(View).where(View.id == last.scalar_subquery()).values(person_id=8))

    seen.write(change)
    with seen.read() as session:
        after = old_views.total(session, MARCH)
    assert (before[0], before[1] == after[1]) == (after[0], False)
