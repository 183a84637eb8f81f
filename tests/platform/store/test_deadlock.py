"""PostgreSQL breaks a deadlock by giving up one transaction; the door runs that deed again.

SQLite's deeds take turns and cannot deadlock.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from careloom.platform.store.database import open_database


def test_deadlocked_deeds_are_run_again(postgresql_url: str, tmp_path: Path) -> None:
    database = open_database(postgresql_url, tmp_path)
    database.write(
        lambda s: [
            s.execute(text("CREATE TABLE note (word TEXT PRIMARY KEY, n INTEGER)")),
            s.execute(text("INSERT INTO note VALUES ('a', 0), ('b', 0)")),
        ]
    )
    both_hold = threading.Barrier(2, timeout=5)

    def cross(first: str, second: str) -> None:
        tries = 0

        def deed(session: Session) -> None:
            nonlocal tries
            tries += 1
            up = text("UPDATE note SET n = n + 1 WHERE word = :word")
            session.execute(up, {"word": first})
            if tries == 1:
                both_hold.wait()
            session.execute(up, {"word": second})

        database.write(deed)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda pair: cross(*pair), [("a", "b"), ("b", "a")]))
    with database.read() as session:
        assert session.execute(text("SELECT sum(n) FROM note")).scalar() == 4
    database.close()
