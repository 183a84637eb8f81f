"""What a clinic sees: writes beside readers, an import, the instances it starts.

Writing is measured with a reader beside it: alone it would look better than it ever is.
"""

import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from careloom_command import Command
from sqlalchemy import text
from sqlalchemy.orm import Session

from careloom.platform.store.database import Database, open_database

from .measure import KINDS, address

DATA = Path(__file__).parents[1] / "data"
THREADS = 8
SECONDS = 5.0


def main() -> None:
    """Print one line for each measure and database."""
    for kind in KINDS:
        with tempfile.TemporaryDirectory(prefix="careloom-bench-") as home:
            measure(kind, Path(home))


def measure(kind: str, home: Path) -> None:
    """All measures on one fresh demo clinic."""
    demo = Command(home, address(kind, home))
    told(kind, "setup --demo", took(lambda: demo.run("setup", "--demo")), 1, "times")
    file = str(DATA / "leads_1000.csv")
    seconds = took(lambda: demo.run("import", "lead_intake", file, "--accept-good"))
    told(kind, "import of 1,000 rows, start included", seconds, 943, "records")
    told(kind, "work --burst", took(lambda: demo.run("work", "--burst")), 943, "instances")
    database = open_database(demo.url, demo.home)
    crowd(kind, database)
    database.close()


def took(call: Callable[[], object]) -> float:
    since = time.monotonic()
    call()
    return time.monotonic() - since


def told(kind: str, what: str, seconds: float, count: int, unit: str) -> None:
    print(f"{kind:11} {what:38} {seconds:7.2f} s {count / seconds:9.0f} {unit}/s", flush=True)


def crowd(kind: str, database: Database) -> None:
    """Single-row deeds from eight threads, one thread reading beside them."""
    database.write(lambda session: session.execute(text("CREATE TABLE bench (name TEXT)")))
    over = threading.Event()
    with ThreadPoolExecutor(THREADS + 1) as threads:
        reading = threads.submit(read_until, database, over)
        writing = [threads.submit(write_until, database, over) for _ in range(THREADS)]
        time.sleep(SECONDS)
        over.set()
        waits = sorted(wait for result in writing for wait in result.result())
        told(kind, f"single-row deeds, {THREADS} threads", SECONDS, len(waits), "deeds")
        told(kind, "reads beside them, 1 thread", SECONDS, reading.result(), "reads")
    last = waits[int(len(waits) * 0.99)] * 1000
    print(f"{kind:11} a deed's wait: median {median(waits) * 1000:.1f} ms, 99 % {last:.1f} ms")


def write_until(database: Database, over: threading.Event) -> list[float]:
    """The seconds each deed took until it was acknowledged."""
    waits: list[float] = []

    def deed(session: Session) -> None:
        session.execute(text("INSERT INTO bench VALUES ('x')"))

    while not over.is_set():
        since = time.monotonic()
        database.write(deed)
        waits.append(time.monotonic() - since)
    return waits


def read_until(database: Database, over: threading.Event) -> int:
    """How many times a page of leads was read."""
    count = 0
    query = text("SELECT * FROM form_lead_intake ORDER BY received_at DESC LIMIT 50")
    while not over.is_set():
        with database.read() as session:
            session.execute(query).all()
        count += 1
        time.sleep(0.005)
    return count
