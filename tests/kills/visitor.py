"""People at a served clinic: they submit leads over HTTP and note down every answer.

They live in the harness, so no kill takes from them what they were told. One whose connection
breaks sends the same again under the same key until somebody answers.
"""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .filled import lead


@dataclass
class Visitors:
    """Some threads that submit. Every submission is one lead, however often it is sent.

    port: where to send to, changed when the server moves. form, values: what is submitted. rest:
    at most so many seconds between two of one thread. told: name of the lead -> id answered.
    refused: answers that are neither a success nor a 503 that says to come again; put_off: how
    many of those there were.
    """

    token: str
    seed: int
    threads: int = 2
    port: int = 0
    form: str = "lead_intake"
    values: Callable[[str, random.Random], dict[str, Any]] = lead
    rest: float = 0.02
    told: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    resent: int = 0
    put_off: int = 0
    _running: list[threading.Thread] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _asked: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        """Submit without an end, whenever a server is there."""
        self._over.clear()
        first = len(self.told) + len(self._running)
        for number in range(self.threads):
            name = f"W{self.seed}-{first}-{number}"
            thread = threading.Thread(target=self._live, args=(name,), daemon=True)
            self._running.append(thread)
            thread.start()

    def pause(self) -> None:
        """Send nothing; those that were cut off are sent again when `go_on` is called."""
        self._asked.clear()

    def go_on(self, port: int) -> None:
        """The server is there, at this port."""
        self.port = port
        self._asked.set()

    def end(self, seconds: float = 60) -> None:
        """Have every submission that was begun answered, then leave."""
        self._over.set()
        until = time.monotonic() + seconds
        for thread in self._running:
            thread.join(max(0.0, until - time.monotonic()))
            assert not thread.is_alive(), "a submission was never answered"
        self._running.clear()

    def _live(self, name: str) -> None:
        chance = random.Random(name)
        number = 0
        while not self._over.is_set():
            self._submit(f"{name}-{number}", chance)
            number += 1
            time.sleep(chance.uniform(0, self.rest))

    def _submit(self, name: str, chance: random.Random) -> None:
        """Send one lead until it is answered."""
        values = self.values(name, chance)
        times = 0
        while True:
            self._asked.wait()
            times += 1
            try:
                status, answer = self._post(name, values)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)  # cut off: whether it was written, the key will tell
                continue
            if status == 201:
                self.told[name] = int(answer["id"])
                self.resent += times > 1
                return
            if status != 503 and answer.get("code") != "E_IDEMPOTENCY_BUSY":
                self.refused.append(f"{name}: {status} {answer}")
                return
            self.put_off += 1
            time.sleep(0.1)

    def _post(self, name: str, values: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": name,
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", f"/api/records/{self.form}", json.dumps(values), headers)
            response = connection.getresponse()
            words = response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, json.loads(words) if is_json else {"not JSON": words}
        finally:
            connection.close()


def wait_for(port: int, seconds: float) -> float:
    """Until the server at a port says it can work; how long that took. Raises TimeoutError."""
    since = time.monotonic()
    while time.monotonic() - since < seconds:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return time.monotonic() - since
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.03)
    raise TimeoutError(f"nobody answers at {port}")
