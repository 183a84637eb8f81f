"""The lock between processes that write to one SQLite database."""

import threading
from pathlib import Path

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
