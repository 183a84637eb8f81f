"""What a published version leaves to jobs: indexes beside the writers, values computed anew."""

from datetime import timedelta
from typing import Any

import make
import pytest
from sqlalchemy import text

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records import later
from careloom.platform.records.check import violations
from careloom.platform.records.lists import get
from careloom.platform.records.past import history
from careloom.platform.records.submit import retire
from careloom.platform.store import jobs
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Unavailable

PRICED = {
    "name": make.field(),
    "price": make.field("money"),
    "items": make.rows({"n": make.field("number"), "twice": make.field("number", x_value="n * 2")}),
    "total": make.field("money", x_value="price * 2"),
}


def form(**changed: Any) -> Any:
    return make.form("thing", PRICED | changed, ["name"])


@pytest.fixture(autouse=True)
def thing(database: Database) -> None:
    make.organisation(database)
    make.publish(database, "form", form())


def indexes(database: Database, table: str = "form_thing") -> set[str]:
    there = "SELECT name FROM sqlite_master WHERE tbl_name = :table"
    if database.dialect == "postgresql":
        there = "SELECT indexname FROM pg_indexes WHERE tablename = :table"
    with database.read() as session:
        return set(session.scalars(text(there), {"table": table}))


def left(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        return [(row.kind, row.about) for row in jobs.waiting(session)]


def test_an_index_is_left_to_a_job_and_built_by_it(database: Database) -> None:
    make.record(database, "thing", name="a")
    rows = make.rows({"n": make.field("number", x_column={"index": True})})
    asked = {"name": make.field(x_column={"index": True}), "items": rows}
    make.publish(database, "form", form(**asked, total=make.field("money")))
    assert left(database) == [("index", "items.n"), ("index", "name")]
    assert "ix_form_thing_name" not in indexes(database)
    assert jobs.run(database) == 2
    assert left(database) == []
    assert "ix_form_thing_name" in indexes(database)
    assert "ix_form_thing$items_n" in indexes(database, "form_thing$items")


def test_an_index_nobody_wants_any_more_is_not_built(database: Database) -> None:
    make.publish(database, "form", form(name=make.field(x_column={"index": True})))
    make.publish(database, "form", form())
    jobs.run(database)
    assert left(database) == []
    assert "ix_form_thing_name" not in indexes(database)


def test_a_half_built_index_is_dropped_and_built_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.publish(database, "form", form(name=make.field(x_column={"index": True})))
    if database.dialect == "postgresql":
        with database.reader.connect() as connection:
            connection.execute(text("CREATE INDEX ix_form_thing_name ON form_thing (name)"))
            invalid = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = "
            connection.execute(text(invalid + "'ix_form_thing_name'::regclass"))
            connection.commit()
    jobs.run(database)
    assert left(database) == []
    if database.dialect == "postgresql":
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_form_thing_name'::regclass"
        with database.read() as session:
            assert session.scalar(text(valid)) is True


def test_a_job_that_fails_is_told_and_tried_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_database: Database, _job: jobs.Job) -> bool:
        raise RuntimeError("no")

    monkeypatch.setitem(jobs.KINDS, "index", broken)
    make.publish(database, "form", form(name=make.field(x_column={"index": True})))
    jobs.run(database)
    with database.read() as session:
        (row,) = jobs.waiting(session)
        assert (row.tries, row.error) == (1, "RuntimeError")
        assert not jobs.anything_due(session)


def test_another_formula_is_computed_anew_where_it_makes_a_difference(
    database: Database, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between two steps it goes on where it stood; who is retired is left alone."""
    monkeypatch.setattr(later, "AT_ONCE", 2)
    made = [make.record(database, "thing", name=str(n), price=n) for n in range(5)]
    made.append(make.record(database, "thing", name="rows", items=[{"n": 3}]))
    database.write(lambda s: retire(s, SYSTEM, "thing", made[4].id))
    rows = make.rows({"n": make.field("number"), "twice": make.field("number", x_value="n * 3")})
    thrice = make.field("money", x_value="price * 3", x_scale=4)
    make.publish(database, "form", form(total=thrice, items=rows))
    assert left(database) == [("recompute", "")]
    with database.read() as session:
        (job,) = [jobs.Job(r.kind, r.form, r.about, r.data) for r in jobs.waiting(session)]
    assert later.recompute(database, job)
    monkeypatch.setattr(later, "recomputed", lambda *_: 1 / 0)
    jobs.run(database)  # broken off: what was done stays done
    monkeypatch.undo()
    monkeypatch.setattr(later, "AT_ONCE", 2)
    with database.read() as session:
        (row,) = jobs.waiting(session)
        assert (row.place, row.done) == (made[1].id, 1)  # of a price of 0 it makes no difference
    clock.turn(timedelta(minutes=1))
    jobs.run(database)
    assert left(database) == []
    with database.read() as session:
        found = [get(session, SYSTEM, "thing", each.id) for each in made]
        assert [r.json().get("total") for r in found] == [
            "0.0000",
            "3.0000",
            "6.0000",
            "9.0000",
            "8.0000",
            None,
        ]
        assert found[5].json()["items"] == [{"n": 3, "twice": 9}]
        assert [each.revision for each in found] == [1, 2, 2, 2, 2, 2]
        lines = history(session, SYSTEM, "thing", made[1].id)
        assert [(line.action, line.changed.get("total")) for line in lines] == [
            ("recompute", ("2.0000", "3.0000")),
            ("submit", (None, "2.0000")),
        ]
        retired = history(session, SYSTEM, "thing", made[4].id)[0]
        assert (retired.action, retired.changed) == ("retire", {})
        assert list(violations(session)) == []


def test_what_nobody_computes_otherwise_is_not_computed_anew(database: Database) -> None:
    make.publish(database, "form", form(note=make.field()))
    assert left(database) == []


def test_a_store_that_is_away_is_not_the_jobs_fault(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_database: Database, _job: jobs.Job) -> bool:
        raise Unavailable()

    monkeypatch.setitem(jobs.KINDS, "index", away)
    make.publish(database, "form", form(name=make.field(x_column={"index": True})))
    with pytest.raises(Unavailable):
        jobs.run(database)
    with database.read() as session:
        assert jobs.waiting(session)[0].tries == 0
