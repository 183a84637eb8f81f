"""Who looked at which records."""

from datetime import timedelta

from sqlalchemy import select, text

from careloom.platform.events.model import View
from careloom.platform.events.view_log import MOST_IDS, looked, note, views, watching, write_views
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database


def test_what_one_answer_shows_is_one_row_for_each_form_and_purpose(database: Database) -> None:
    with watching() as notes:
        note("lead", [3])
        note("lead", [1, 2, 3], "list")
        note("lead", [2], "list")
        note("visit", [], "list")
    rows = looked(notes, database.clock.now(), 7, "10.0.0.1")
    assert [(row.form, row.purpose, row.ids) for row in rows] == [
        ("lead", "read", (3,)),
        ("lead", "list", (1, 2)),
    ]


def test_nobody_hears_what_is_noted_while_nobody_watches() -> None:
    note("lead", [1])
    with watching() as outer:
        with watching() as inner:
            note("lead", [2])
        note("lead", [3])
    assert (inner, outer) == ([("lead", "read", (2,))], [("lead", "read", (3,))])


def test_a_record_finds_everyone_who_saw_or_exported_it_since(
    database: Database, clock: TurnedClock
) -> None:
    def look(person_id: int, ids: range, purpose: str) -> None:
        rows = looked([("lead", purpose, tuple(ids))], clock.now(), person_id, "::1")
        database.write(lambda session: write_views(session, rows))
        clock.turn(timedelta(minutes=1))

    look(1, range(5, 6), "read")
    since = clock.now()
    look(2, range(2 * MOST_IDS + 1), "export")
    look(3, range(10), "list")
    look(4, range(50, 60), "list")
    with database.read() as session:
        assert len(session.scalars(select(View).where(View.person_id == 2)).all()) == 3
        seen, _ = views(session, "lead", 5)
        assert [view.person_id for view in seen] == [3, 2, 1]
        seen, _ = views(session, "lead", 5, since=since)
        assert [(view.person_id, view.purpose) for view in seen] == [(3, "list"), (2, "export")]
        assert views(session, "visit", 5) == ([], None)
        seen, mark = views(session, "lead", 5, limit=2)
        assert [view.person_id for view in seen] == [3, 2]
        seen, _ = views(session, "lead", 5, limit=2, mark=mark)
        assert [view.person_id for view in seen] == [1]
        pages, mark = [], None
        while True:
            seen, mark = views(session, "lead", None, limit=2, mark=mark)
            pages.append([view.person_id for view in seen])
            if mark is None:
                break
        assert pages == [[4, 3], [2, 2], [2, 1]]


def test_asking_who_saw_a_record_does_not_walk_through_the_log(database: Database) -> None:
    row = looked([("lead", "read", (5,))], database.clock.now(), 1, "::1")
    database.write(lambda session: write_views(session, row))
    question = "SELECT view_id FROM viewed WHERE form = 'lead' AND record_id = 5 ORDER BY at DESC"
    explain = "EXPLAIN QUERY PLAN " if database.dialect == "sqlite" else "EXPLAIN "
    with database.read() as session:
        if database.dialect == "postgresql":  # a table of a few rows is quicker read whole
            session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = str(session.execute(text(explain + question)).all())
    assert "PRIMARY KEY" in plan or "pk_viewed" in plan
