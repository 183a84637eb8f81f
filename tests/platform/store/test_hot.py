"""Statements sent through the driver, and parts of a deed undone alone."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.orm import Session

from careloom.platform.events.model import Event, Handoff
from careloom.platform.store.database import Database
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
    database.write(lambda session: ADD(session, [event(1), event(2, unit_id=7)]).rowcount)
    with database.read() as session:
        found = list(session.scalars(select(Event).where(Event.id < 3).order_by(Event.id)))
    assert [(one.at, one.unit_id) for one in found] == [(AT, None), (AT, 7)]
    assert found[0].data == {"words": "中文", "none": None}


def test_a_change_tells_how_many_and_a_question_which(database: Database) -> None:
    row = {"consumer": "nobody", "subject_kind": "x", "subject_id": 1, "due_at": AT, "tries": 0}
    database.write(lambda session: HAND(session, [{"event_id": 1, **row}]).rowcount)
    tried = {"consumer": "nobody", "tries": 3}
    assert database.write(lambda session: TRY(session, {"at": 1, **tried}).rowcount) == 1
    assert database.write(lambda session: TRY(session, {"at": 5, **tried}).rowcount) == 0
    given = {"tries": 3, "most": 5}
    assert database.write(lambda session: list(TRIED(session, given))) == [(1,)]


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
