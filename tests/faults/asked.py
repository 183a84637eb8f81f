"""What people ask of the small clinic's application while something breaks under it."""

import random
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from kills.longer import times
from sqlalchemy import text

from careloom.platform.identity import access_tokens
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from
from careloom.runtime.work.worker import work_once

from ..runtime.clinic import Clinic, listed

BEGUN = "SELECT count(DISTINCT subject_id) FROM instance"
AGAIN = {"E_IDEMPOTENCY_BUSY"}  # its first transaction may still be there for a moment
Answer = tuple[int, str]
Question = tuple[str, dict[str, Any]]


@dataclass
class Asked:
    """The clinic's application over some database, asked as its supervisor. clinic: the same,
    reached past whatever breaks."""

    clinic: Clinic
    clock: TurnedClock
    database: Database
    app: Any = field(init=False)
    token: str = field(init=False)
    made: int = 0

    def __post_init__(self) -> None:
        sue = self.clinic.people["sue"]
        self.token = self.clinic.database.write(
            lambda session: access_tokens.issue(session, SYSTEM, sue, "test")[1]
        )
        home = {"CARELOOM_HOME": str(self.database.home)}
        self.app = create_app(self.database, settings_from(home))

    @property
    def over(self) -> Clinic:
        """The clinic in the database that the application has."""
        return replace(self.clinic, database=self.database)

    def lead(self) -> Question:
        """What to ask for: a lead more."""
        self.made += 1
        return "/api/records/lead", {"name": f"客户{self.made}", "mobile": "13800000000"}

    def call(self) -> Question:
        """What to ask for: the end of a first call, by the supervisor it was escalated to."""
        self.made += 1
        self.clinic.started(f"客户{self.made}")
        while not (open_tasks := listed(self.clinic, "sue")):
            self.clock.turn(timedelta(minutes=16))  # and it may be night
            work_once(self.clinic.database)
        return f"/api/tasks/{open_tasks[-1].id}/complete", {"values": {"result": "answered"}}

    def new_leads(self) -> None:
        """Two whose flows a worker is to begin."""
        for _ in range(2):
            self.made += 1
            self.clinic.lead(f"客户{self.made}")

    def ask(self, path: str, body: Any, key: str) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        answer = self.app.test_client().post(path, json=body, headers=headers)
        return answer.status_code, (answer.json or {}).get("code", "")

    def done(self, path: str, body: Any, key: str) -> Answer:
        """Ask until it is done."""
        until = time.monotonic() + 30
        while (answer := self.ask(path, body, key))[0] == 503 or answer[1] in AGAIN:
            assert time.monotonic() < until, answer
            time.sleep(0.01)
        return answer

    def count(self, query: str) -> int:
        with self.clinic.database.read() as session:
            return int(session.execute(text(query)).scalar_one())


def some(places: int, chance: int) -> list[int]:
    """Of so many places at which it may break: drawn by the seed, the last among them."""
    numbers = range(1, places)
    drawn = random.Random(chance).sample(numbers, min(len(numbers), times("POINTS") - 1))
    return [*drawn, places]
