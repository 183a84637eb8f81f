"""The chain's end, written down outside the database: a rewritten chain is found by it."""

import json
from datetime import timedelta

import make
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session
from unguarded import unguard

from careloom.platform.events.anchor import anchors, anchors_hold, drop_anchor
from careloom.platform.events.model import ChainEnd, Event
from careloom.platform.events.seal import FIRST, broken, digest, seal
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database


@pytest.fixture(autouse=True)
def happened(database: Database) -> None:
    assert not drop_anchor(database)  # nothing is sealed yet
    make.organisation(database)
    database.write(seal)


def told(database: Database) -> list[str]:
    with database.read() as session:
        return list(anchors_hold(session))


def test_a_day_has_one_line_and_another_day_another(database: Database, clock: TurnedClock) -> None:
    assert [drop_anchor(database) for _ in range(3)] == [True, False, False]
    clock.turn(timedelta(days=1))
    assert drop_anchor(database)
    (file,) = (database.home / "anchors").iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["day"] for line in lines] == ["2026-03-03", "2026-03-04"]
    assert file.stat().st_mode & 0o077 == 0
    assert told(database) == []


def test_a_clock_moved_back_adds_no_line(database: Database, clock: TurnedClock) -> None:
    assert drop_anchor(database)
    clock.turn(timedelta(days=-3))
    assert not drop_anchor(database)
    assert len(list(anchors(database.home))) == 1


def test_a_chain_rewritten_as_a_whole_is_found_by_its_anchor(database: Database) -> None:
    assert drop_anchor(database)

    def rewrite(session: Session) -> None:
        unguard(session)
        before = FIRST
        rows = session.execute(select(Event.__table__).order_by(Event.seq)).all()
        first = rows[0]
        for row in rows:
            words = dict(row._mapping)
            if row is first:
                words["actor_id"] = 666
            changed = type("Row", (), words)
            before = digest(changed, row.seq, before)
            values = {"actor_id": words["actor_id"], "hash": before}
            session.execute(update(Event).where(Event.id == row.id).values(values))
        session.execute(update(ChainEnd).values(hash=before))

    database.write(rewrite)
    with database.read() as session:
        assert list(broken(session)) == []  # the chain itself holds again
        seq = session.scalar(text("SELECT max(seq) FROM event"))
    place = "2026.log line 1"
    assert told(database) == [
        f"anchor {place}: event seq {seq} is not the one that was sealed by 2026-03-03"
    ]


def test_an_anchor_nobody_can_read_is_told(database: Database) -> None:
    folder = database.home / "anchors"
    folder.mkdir()
    (folder / "2025.log").write_text("{}\nscribble\n")
    assert told(database) == [
        "anchor 2025.log line 1: cannot be read",
        "anchor 2025.log line 2: cannot be read",
    ]
