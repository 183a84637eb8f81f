"""The lock between processes that write to one SQLite database."""

import os
import threading
import time
from pathlib import Path

import pytest

from careloom.platform.store import writer_lock
from careloom.platform.store.errors import Unavailable
from careloom.platform.store.writer_lock import WriterLock


def test_whoever_comes_second_waits_until_the_first_lets_go(tmp_path: Path) -> None:
    """Two locks are two open files, so they keep each other out as two processes' do."""
    first, second = (WriterLock(tmp_path / "db.writer.lock") for _ in range(2))
    order: list[str] = []

    def wait() -> None:
        second.acquire()
        order.append("second")
        second.release()

    first.acquire()
    waiting = threading.Thread(target=wait)
    waiting.start()
    waiting.join(0.3)
    order.append("first")
    first.release()
    waiting.join(10)
    assert order == ["first", "second"]
    first.close()
    second.close()


def test_who_waits_for_too_long_gives_up_and_the_log_says_for_whom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer_lock, "PATIENCE_SECONDS", 0.5)
    first, second = (WriterLock(tmp_path / "db.writer.lock") for _ in range(2))
    first.acquire()
    waits = [_waited(second) for _ in range(3)]
    assert 0.4 < waits[0] < 5
    assert max(waits[1:]) < 0.4, "those behind are told sooner"
    assert f"process {os.getpid()} has kept the writer's lock" in caplog.text
    first.release()
    second.acquire()
    with pytest.raises(Unavailable):
        first.acquire()
    second.release()
    first.acquire()
    first.close()
    second.close()


def test_what_comes_after_everybody_has_given_up_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_lock, "PATIENCE_SECONDS", 0.1)
    first, second, third = (WriterLock(tmp_path / "db.writer.lock") for _ in range(3))
    first.acquire()
    _waited(second)
    first.release()
    monkeypatch.setattr(writer_lock, "PATIENCE_SECONDS", 30)
    third.acquire()
    third.close()


def _waited(lock: WriterLock) -> float:
    since = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        lock.acquire()
    assert refused.value.code == "E_WRITER_HELD"
    return time.monotonic() - since
