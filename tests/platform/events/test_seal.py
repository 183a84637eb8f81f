"""The sealed log: nobody changes it, and whoever does all the same is found."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from unguarded import unguard

from careloom.platform.events.log import append
from careloom.platform.events.model import ChainEnd, Event
from careloom.platform.events.names import declare
from careloom.platform.events.seal import broken, digest, seal
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.check import violations
from careloom.platform.store.database import Database

EDITS = 1_000
EVENTS = Event.__table__

declare({"test:happened": ("n",)})


def happen(session: Session, count: int) -> None:
    for n in range(count):
        append(session, "test:happened", SYSTEM, ("test", n % 5), n or None, {"n": n})


def sealed(database: Database, count: int) -> None:
    database.write(lambda session: happen(session, count))
    database.write(seal)


def complaints(database: Database) -> list[str]:
    with database.read() as session:
        return list(broken(session))


def tamper(database: Database, statement: Any) -> None:
    def deed(session: Session) -> None:
        unguard(session)
        session.execute(statement)

    database.write(deed)


def test_the_sealed_log_is_gapless_and_whole(database: Database) -> None:
    database.write(lambda session: happen(session, 30))
    assert [database.write(lambda s: seal(s, most=12)) for _ in range(4)] == [12, 12, 6, 0]
    with database.read() as session:
        assert session.scalars(select(Event.seq).order_by(Event.seq)).all() == list(range(1, 31))
        assert list(broken(session)) == []
        assert list(broken(session, since=10)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET name = 'test:else' WHERE seq = 3",
        "UPDATE event SET data = NULL WHERE seq = 3",
        "UPDATE event SET seq = NULL, hash = NULL WHERE seq = 3",
        "UPDATE event SET seq = 900, hash = 'x' WHERE seq = 3",
        "UPDATE event SET seq = 900 WHERE seq IS NULL",
        "UPDATE event SET seq = 900, hash = 'x', depth = 5 WHERE seq IS NULL",
        "UPDATE event SET actor_id = 7 WHERE seq IS NULL",
        "DELETE FROM event WHERE seq = 3",
        "DELETE FROM event",
    ],
)
def test_the_database_lets_nobody_change_or_remove_an_event(
    database: Database, statement: str
) -> None:
    sealed(database, 5)
    database.write(lambda session: happen(session, 1))
    with pytest.raises(IntegrityError, match="events are never changed or removed"):
        database.write(lambda session: session.execute(text(statement)))
    assert complaints(database) == []


def _edit(dice: random.Random, row: Any) -> dict[str, Any]:
    """One random change of a sealed row that makes it say something else."""
    number = dice.randrange(1, 2**40)
    ways: list[dict[str, Any]] = [
        {"id": row.id + number},
        {"name": row.name + dice.choice("abc")},
        {"subject_kind": "form:" + dice.choice(["lead", "visit"])},
        {"subject_id": row.subject_id + number},
        {"unit_id": None if row.unit_id else number},
        {"actor_id": number},
        {"on_behalf_id": number},
        {"cause_id": number},
        {"depth": row.depth + dice.randrange(1, 9)},
        {"at": row.at + timedelta(microseconds=dice.choice([-1, 1]) * number)},
        {"data": {"n": row.data["n"] + number}},
        {"data": {}},
        {"data": {**row.data, "more": dice.choice([None, True, "", 0])}},
        {"seq": None},
        {"seq": None, "hash": None},
        {"seq": row.seq + 1_000_000},
        {"seq": -row.seq},
        {"hash": None},
        {"hash": f"{number:064x}"},
    ]
    return dice.choice(ways)


def test_a_thousand_random_edits_of_sealed_rows_are_all_found(database: Database) -> None:
    dice = random.Random(20260303)
    sealed(database, 16)
    found: Counter[str] = Counter()

    def deed(session: Session) -> None:
        unguard(session)
        rows = session.execute(select(EVENTS).order_by(Event.seq)).all()
        assert list(broken(session)) == []
        for _ in range(EDITS):
            row = dice.choice(rows)
            edit = _edit(dice, row)
            savepoint = session.begin_nested()
            session.execute(update(EVENTS).where(EVENTS.c.id == row.id).values(edit))
            words = next(broken(session), None)
            savepoint.rollback()
            assert words is not None, f"event seq {row.seq}, changed to {edit}, was not found"
            if "seq" not in edit and "hash" not in edit:
                assert words.startswith(f"event seq {row.seq}: was altered")
            found[", ".join(edit)] += 1
        assert list(broken(session)) == []

    database.write(deed)
    print(f"{found.total()} of {EDITS} random edits found on {database.dialect}: {dict(found)}")
    assert found.total() == EDITS


@pytest.mark.parametrize("words", ["data = 'no JSON'", "at = 'no time'", "seq = 'no number'"])
def test_a_row_that_cannot_be_read_any_more_is_named(sqlite: Database, words: str) -> None:
    sealed(sqlite, 5)
    tamper(sqlite, text(f"UPDATE event SET {words} WHERE seq = 3"))
    first, *_ = complaints(sqlite)
    assert first.startswith("event seq 3: ")


def test_an_event_rewritten_with_a_hash_of_its_own_is_found_by_the_next(database: Database) -> None:
    """Its own hash is right again; the next one's was made over the old one."""
    sealed(database, 5)

    def rewrite(session: Session) -> None:
        unguard(session)
        session.execute(update(EVENTS).where(EVENTS.c.seq == 3).values(data={"n": 99}))
        before, row = (
            session.execute(select(EVENTS).where(EVENTS.c.seq == seq)).one() for seq in (2, 3)
        )
        made = digest(row, 3, before.hash)
        session.execute(update(EVENTS).where(EVENTS.c.seq == 3).values(hash=made))

    database.write(rewrite)
    assert [words.split(":")[0] for words in complaints(database)] == ["event seq 4"]


def test_a_removed_event_is_missed(database: Database) -> None:
    sealed(database, 5)
    tamper(database, delete(Event).where(Event.seq == 3))
    assert complaints(database)[0] == "event seq 3: missing before 4"


def test_an_end_that_was_cut_off_is_missed_also_after_more_was_sealed(database: Database) -> None:
    sealed(database, 5)
    tamper(database, delete(Event).where(Event.seq >= 4))
    assert complaints(database) == ["event seq 4: the chain ends before it, and went to 5"]
    sealed(database, 2)
    assert complaints(database)[0] == "event seq 4: missing before 6"


def test_an_event_slipped_in_is_found(database: Database) -> None:
    sealed(database, 5)
    with database.read() as session:
        last = session.execute(select(EVENTS).where(Event.seq == 5)).one()
    forged = {**last._mapping, "id": last.id + 1, "seq": 6}
    database.write(lambda session: session.execute(insert(EVENTS), forged))
    assert complaints(database)[0].startswith("event seq 6: was altered")


def test_check_says_that_the_chain_is_broken(database: Database) -> None:
    sealed(database, 3)
    with database.read() as session:
        assert list(violations(session)) == []
    tamper(database, update(ChainEnd).values(hash="0" * 64))
    with database.read() as session:
        assert list(violations(session)) == ["event seq 4: the chain ends before it, and went to 3"]
