"""Statements sent through the driver, and parts of a deed undone alone."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from careloom.platform.events.model import Event, Handoff
from careloom.platform.store.database import Database
from careloom.platform.store.errors import TransactionLost, Unavailable
from careloom.platform.store.hot import Hot
from careloom.platform.store.savepoints import savepoint

AT = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
ADD = Hot(insert(Event.__table__))  # type: ignore[arg-type]
HAND = Hot(insert(Handoff.__table__))  # type: ignore[arg-type]
TRY = Hot(
    update(Handoff)
    .where(Handoff.event_id == bindparam("at"), Handoff.consumer == bindparam("consumer"))
    .values(tries=bindparam("tries"))
)
TRIED = Hot(
    select(Handoff.event_id).where(Handoff.tries == bindparam("tries")).limit(bindparam("most"))
)


def event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number, "name": "test:hot", "subject_kind": "x", "subject_id": 1, "unit_id": None,
        "actor_id": None, "on_behalf_id": None, "cause_id": None, "depth": 0, "at": AT,
        "data": {"words": "中文", "none": None}, **more,
    }  # fmt: skip


def test_what_is_written_so_reads_back_as_any_other(database: Database) -> None:
    database.write(lambda session: ADD(session, [event(1), event(2, unit_id=7)]))
    with database.read() as session:
        found = list(session.scalars(select(Event).where(Event.id < 3).order_by(Event.id)))
    assert [(one.at, one.unit_id) for one in found] == [(AT, None), (AT, 7)]
    assert found[0].data == {"words": "中文", "none": None}


def test_a_change_tells_how_many_and_a_question_which(database: Database) -> None:
    row = {"consumer": "nobody", "subject_kind": "x", "subject_id": 1, "due_at": AT, "tries": 0}
    database.write(lambda session: HAND(session, [{"event_id": 1, **row}]))
    tried = {"consumer": "nobody", "tries": 3}
    assert database.write(lambda session: TRY(session, {"at": 1, **tried})) == 1
    assert database.write(lambda session: TRY(session, {"at": 5, **tried})) == 0
    given = {"tries": 3, "most": 5}
    assert database.write(lambda session: TRIED.all(session, given)) == [(1,)]


READ = Hot(select(Event.__table__).where(Event.id >= bindparam("since")).order_by(Event.id))  # type: ignore[arg-type]
GIVE = Hot(
    update(Handoff)
    .where(Handoff.event_id == bindparam("at"))
    .values(tries=Handoff.tries + 1)
    .returning(Handoff.tries, Handoff.due_at)
)


def test_rows_come_back_with_names_and_types(database: Database) -> None:
    database.write(lambda session: ADD(session, [event(1), event(2, unit_id=7)]))
    with database.read() as session:
        first, second = READ.all(session, {"since": 1})
        assert (first.at, first.unit_id, first.data["words"]) == (AT, None, "中文")
        assert (second.id, second.unit_id) == (2, 7)
        assert READ.first(session, {"since": 2}) == second
        found = READ.mapping(session, {"since": 2})
        assert found is not None and (found["id"], found["at"]) == (2, AT)
        assert READ.first(session, {"since": 3}) is None
        assert READ.mapping(session, {"since": 3}) is None
    row = {"consumer": "nobody", "subject_kind": "x", "subject_id": 1, "due_at": AT, "tries": 3}
    database.write(lambda session: HAND(session, {"event_id": 1, **row}))
    assert database.write(lambda session: GIVE.first(session, {"at": 1})) == (4, AT)


def test_what_the_driver_refuses_is_told_as_elsewhere(database: Database) -> None:
    database.write(lambda session: ADD(session, event(1)))
    with pytest.raises(IntegrityError) as refused:
        database.write(lambda session: ADD(session, event(1)))
    assert "中文" not in str(refused.value)  # what was to be written is not for the log
    with pytest.raises(IntegrityError):
        database.write(lambda session: ADD(session, [event(2), event(1)]))
    with database.read() as session:
        assert [row.id for row in READ.all(session, {"since": 0})] == [1]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_lost_connection_is_told_and_left(database: Database) -> None:
    with pytest.raises(DBAPIError) as lost, database.read() as session:
        number = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (number,))
        READ.all(session, {"since": 0})
    assert lost.value.connection_invalidated
    with database.read() as session:
        assert READ.all(session, {"since": 0}) == []


def test_nothing_is_sent_outside_a_transaction(sqlite: Database) -> None:
    def deed(session: Session) -> None:
        driver = session.connection().connection.dbapi_connection
        assert driver is not None
        driver.rollback()  # as SQLite itself does when the disk is full
        with pytest.raises(TransactionLost):
            ADD(session, event(1))

    with pytest.raises(Unavailable):
        sqlite.write(deed)
    with sqlite.read() as session:
        assert READ.all(session, {"since": 0}) == []


def test_a_part_is_undone_alone(database: Database) -> None:
    def deed(session: Session) -> None:
        kept = savepoint(session)
        ADD(session, event(1))
        kept.commit()
        undone = savepoint(session)
        ADD(session, event(2))
        undone.rollback()
        try:
            with savepoint(session):
                ADD(session, event(3))
                raise KeyError
        except KeyError:
            ADD(session, event(4))

    database.write(deed)
    with database.read() as session:
        ids = session.execute(text("SELECT id FROM event WHERE id < 5 ORDER BY id")).scalars()
        assert list(ids) == [1, 4]


def ids(session: Session) -> list[int]:
    return list(session.execute(text("SELECT id FROM event WHERE id < 9 ORDER BY id")).scalars())


def test_what_waits_is_there_for_whoever_asks(database: Database) -> None:
    def deed(session: Session) -> list[Any]:
        ADD.later(session, event(1))
        seen = [ids(session)]
        ADD.later(session, event(2))
        seen.append([row.id for row in READ.all(session, {"since": 0})])
        ADD.later(session, event(3))
        assert ADD(session, event(4)) == 1
        ADD.later(session, event(5))
        return seen

    assert database.write(deed) == [[1], [1, 2]]
    with database.read() as session:
        assert ids(session) == [1, 2, 3, 4, 5]
        assert READ.all(session, {"since": 5})[0].data == {"words": "中文", "none": None}


def test_what_waits_is_undone_with_its_part_and_with_its_deed(database: Database) -> None:
    def deed(session: Session) -> None:
        ADD.later(session, event(1))
        undone = savepoint(session)
        ADD.later(session, event(2))
        undone.rollback()
        ADD.later(session, event(3))

    def failing(session: Session) -> None:
        ADD.later(session, event(4))
        raise KeyError

    database.write(deed)
    with pytest.raises(KeyError):
        database.write(failing)
    database.write(lambda session: ADD(session, event(5)))
    with database.read() as session:
        assert ids(session) == [1, 3, 5]


def test_what_waits_and_is_refused_refuses_the_deed(database: Database) -> None:
    database.write(lambda session: ADD(session, event(1)))

    def deed(session: Session) -> None:
        ADD.later(session, event(2))
        ADD.later(session, event(1))

    with pytest.raises(IntegrityError):
        database.write(deed)
    with database.read() as session:
        assert ids(session) == [1]
