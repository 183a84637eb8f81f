"""Named crash points: a process that kills or stops itself at a boundary of its writing, by its own
hand.

They are put in from outside, where SQLAlchemy and `store/driver` hand statements and commits to
the driver: the product has no switch for dying.

    write          before the N-th INSERT, UPDATE, DELETE or change of a table
    before_commit  when the N-th COMMIT is about to be sent
    after_commit   when the N-th COMMIT has come back and nobody has been told
    answered       when another system has answered the N-th call, and nothing of it is written
"""

import os
import signal
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

from careloom.platform.outbound.client import Client
from careloom.platform.store import driver

POINTS = ("write", "before_commit", "after_commit", "answered")
WRITES = ("INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP")


@dataclass
class Passed:
    """How many points this process has passed."""

    write: int = 0
    before_commit: int = 0
    after_commit: int = 0
    answered: int = 0


def arm(point: str = "", number: int = 0, by: int = signal.SIGKILL) -> Passed:
    """From here on, count this process's points; die at the number-th of one name, or stand still
    there (by: SIGSTOP)."""
    passed = Passed()

    def come_by(name: str) -> None:
        setattr(passed, name, getattr(passed, name) + 1)
        if name == point and getattr(passed, name) == number:
            os.kill(os.getpid(), by)

    @event.listens_for(Engine, "before_cursor_execute")
    def sent(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if writes(statement):
            come_by("write")

    told = driver._told

    def sent_past(connection: Any, cursor: Any, do: Any, sql: str, values: Any) -> Any:
        if writes(sql):
            come_by("write")
        return told(connection, cursor, do, sql, values)

    driver._told = sent_past

    commit = DefaultDialect.do_commit

    def committed(dialect: Any, connection: Any) -> None:
        come_by("before_commit")
        commit(dialect, connection)
        come_by("after_commit")

    DefaultDialect.do_commit = committed  # type: ignore[method-assign]
    post = Client.post

    def posted(client: Client, *sent: Any) -> Any:
        answer = post(client, *sent)
        come_by("answered")
        return answer

    Client.post = posted  # type: ignore[method-assign]
    return passed


def writes(statement: str) -> bool:
    """Whether it changes anything; inserts that travel together begin with WITH."""
    words = statement.lstrip()[:4096].upper()
    return words.startswith(WRITES) or (words.startswith("WITH ") and "INSERT INTO" in words)
