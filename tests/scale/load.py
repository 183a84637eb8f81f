"""People at work over HTTP, through what a proxy in front of two web processes does.

A request goes to one server; when nobody listens there (the connection is refused) it goes to the
other. Only a request that is the same when sent twice, one under an Idempotency-Key or a GET, is
sent again when its connection was cut after it had been sent. PRODUCTION.md has nginx do the same.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from random import Random
from typing import Any
from uuid import uuid4

from kills.acknowledged import Acknowledged
from kills.filled import lead, result

PATIENCE = 300  # seconds, for a machine that has much else to do
LOOKS_AGAIN = 0.05  # seconds


class Failed(Exception):
    """No server answered, or one answered what it should not."""


@dataclass
class Answer:
    """What came back: the status and the JSON."""

    status: int
    body: Any


@dataclass
class Front:
    """The proxy: which ports there are, and what was seen of them (`refused`, `cut`, `5xx`)."""

    ports: list[int]
    token: str
    seen: Counter[str] = field(default_factory=Counter)
    turn: Any = field(default_factory=count)

    def get(self, path: str) -> Answer:
        """Raises Failed."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        """Under a key of its own. Raises Failed."""
        return self._ask("POST", path, json.dumps(body), {"Idempotency-Key": uuid4().hex})

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        headers = headers | {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
        }
        until, start = time.monotonic() + PATIENCE, next(self.turn)
        for attempt in count(start):
            port = self.ports[attempt % len(self.ports)]
            try:
                return self._once(port, method, path, body, headers)
            except ConnectionRefusedError:
                self.seen["refused"] += 1
            except (OSError, HTTPException) as error:
                self.seen[f"cut: {type(error).__name__}"] += 1
            if time.monotonic() > until:
                break
            if (attempt - start) % len(self.ports) == len(self.ports) - 1:
                time.sleep(LOOKS_AGAIN)
        raise Failed(f"{method} {path}: nobody answers")

    def _once(
        self, port: int, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        self.seen[str(response.status)] += 1
        if response.status >= 500:
            raise Failed(f"{method} {path}: {response.status} {text[:300]!r}")
        return Answer(response.status, json.loads(text) if text else None)


class People:
    """Some people who submit leads and complete their tasks until told to stop.

    leads: how many in all, then they stop by themselves. pause: seconds between two of one person.
    What was acknowledged to them:
    `acknowledged` (the leads), and `completed` (task -> its outcome).
    """

    def __init__(
        self,
        front: Front,
        seed: int,
        hands: int = 4,
        leads: int | None = None,
        pause: float = 0,
    ) -> None:
        self.front = front
        self.acknowledged = Acknowledged()
        self.completed: dict[int, str | None] = {}
        self._left = leads
        self._pause = pause
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(
                target=self._guarded, args=(f"{seed}-{hand}", Random(f"{seed} {hand}"))
            )
            for hand in range(hands)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    @property
    def at_work(self) -> bool:
        """Whether anybody still is."""
        return any(thread.is_alive() for thread in self._threads)

    def wait(self) -> None:
        """Until all leads are submitted. Raises what a thread raised."""
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def stop(self) -> None:
        """Finish the request at hand. Raises what a thread raised."""
        self._over.set()
        self.wait()

    def _guarded(self, name: str, chance: Random) -> None:
        try:
            self._work(name, chance)
        except BaseException as error:
            self._errors.append(error)
            self._over.set()

    def _work(self, name: str, chance: Random) -> None:
        for number in count():
            with self._lock:
                if self._over.is_set() or self._left == 0:
                    return
                self._left = None if self._left is None else self._left - 1
            made = self._expect(
                201, self.front.post, "/api/records/lead_intake", lead(f"{name}-{number}", chance)
            )
            with self._lock:
                self.acknowledged.leads.add(int(made["id"]))
            if number % 2:
                self._complete_one(chance)
            self._over.wait(self._pause)

    def _expect(self, status: int, ask: Callable[..., Answer], *given: Any) -> Any:
        answer = ask(*given)
        if answer.status != status:
            raise Failed(f"{given[0]}: {answer.status} {answer.body}")
        return answer.body

    def _complete_one(self, chance: Random) -> None:
        """One of one's tasks, if there is any; another may be faster (409)."""
        found = self._expect(200, self.front.get, "/api/tasks?limit=30")["items"]
        if not found:
            return
        task = chance.choice(found)
        answer = self.front.post(f"/api/tasks/{task['id']}/complete", result(task["step"], chance))
        if answer.status in (404, 409):
            return
        if answer.status != 200:
            raise Failed(f"task {task['step']}: {answer.status} {answer.body}")
        with self._lock:
            self.completed[int(task["id"])] = answer.body["outcome"]
