"""The door: what is answered is written, what is refused leaves nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.model import Epoch
from careloom.platform.store.session import after_commit, bump_epoch, epoch, moment, new_id


@pytest.fixture(autouse=True)
def notes(database: Database) -> None:
    database.write(
        lambda s: s.execute(text("CREATE TABLE note (word TEXT PRIMARY KEY, n INTEGER)"))
    )


def put(session: Session, word: str) -> str:
    session.execute(text("INSERT INTO note VALUES (:word, 0)"), {"word": word})
    return word


def words(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.execute(text("SELECT word FROM note")).scalars())


def test_a_deed_that_returns_is_written(database: Database) -> None:
    assert database.write(lambda s: put(s, "a")) == "a"
    assert words(database) == {"a"}


def test_a_deed_that_raises_leaves_nothing(database: Database) -> None:
    def half_done(session: Session) -> None:
        put(session, "a")
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        database.write(half_done)
    assert words(database) == set()


def test_one_refused_deed_takes_none_of_its_neighbours_with_it(database: Database) -> None:
    def deed(number: int) -> bool:
        def do(session: Session) -> None:
            put(session, str(number))
            if number % 3 == 0:
                raise ValueError

        try:
            database.write(do)
        except ValueError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        answered = list(threads.map(deed, range(200)))
    assert words(database) == {str(n) for n, done in enumerate(answered) if done}
    assert answered.count(True) == 133


def test_objects_that_cannot_be_written_are_refused_and_the_next_deed_goes_on(
    database: Database,
) -> None:
    """The first deed of a transaction has no savepoint: the session itself rolls it back."""
    given: list[int] = []

    def twice(session: Session) -> None:
        put(session, "a")
        given.append(new_id(session))
        session.add_all([Epoch(id=1, number=1), Epoch(id=1, number=2)])

    with pytest.raises(IntegrityError):
        database.write(twice)
    assert words(database) == set()
    given.append(database.write(new_id))
    assert database.write(lambda s: put(s, "b")) == "b"
    assert given[0] < given[1]
    assert words(database) == {"b"}


def test_a_deed_within_a_deed_is_a_mistake_and_says_so(database: Database) -> None:
    with pytest.raises(RuntimeError, match="already under way"):
        database.write(lambda _: database.write(lambda s: put(s, "a")))
    assert words(database) == set()


def test_reading_cannot_write_on_sqlite(sqlite: Database) -> None:
    with pytest.raises(OperationalError, match="readonly"), sqlite.read() as session:
        session.execute(text("CREATE TABLE oops (x INTEGER)"))


def test_what_follows_a_commit_is_called_once_and_only_after_it(database: Database) -> None:
    seen: list[set[str]] = []

    def deed(session: Session) -> None:
        put(session, "a")
        after_commit(session, lambda: seen.append(words(database)))

    database.write(deed)
    assert seen == [{"a"}]


def test_what_follows_a_commit_is_not_called_without_one(database: Database) -> None:
    called: list[int] = []

    def deed(session: Session) -> None:
        after_commit(session, lambda: called.append(1))
        raise ValueError

    with pytest.raises(ValueError):
        database.write(deed)
    assert called == []


def test_a_transaction_has_one_moment(database: Database, clock: TurnedClock) -> None:
    def deed(session: Session) -> bool:
        first = moment(session)
        clock.turn(timedelta(minutes=5))
        return moment(session) == first

    assert database.write(deed)


def test_a_rolled_back_bump_leaves_the_epoch(database: Database) -> None:
    def deed(session: Session) -> None:
        bump_epoch(session)
        raise ValueError

    with database.read() as session:
        before = epoch(session)
    with pytest.raises(ValueError):
        database.write(deed)
    database.write(bump_epoch)
    with database.read() as session:
        assert epoch(session) == before + 1


def test_counting_up_by_many_threads_loses_nothing(database: Database) -> None:
    database.write(lambda s: put(s, "n"))

    def up(_: int) -> None:
        database.write(lambda s: s.execute(text("UPDATE note SET n = n + 1 WHERE word = 'n'")))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(up, range(400)))
    with database.read() as session:
        assert session.execute(text("SELECT n FROM note")).scalar() == 400


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_was_cut_while_it_was_idle_is_opened_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("careloom.platform.store.database.IDLE_SECONDS", -1)
    assert words(database) == set()
    address = database.url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert words(database) == set()
    assert database.write(lambda s: put(s, "a")) == "a"


def test_a_glance_sees_what_was_written_before_it(database: Database) -> None:
    database.write(lambda s: put(s, "a"))
    with database.glance() as session:
        assert session.execute(text("SELECT word FROM note")).scalars().all() == ["a"]
        with pytest.raises(RuntimeError):
            new_id(session)
