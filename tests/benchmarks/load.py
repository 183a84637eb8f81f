"""A light HTTP client in a process of its own: so many connections, each asking one after another.

Reads what to ask as JSON from standard input, writes what came of it to standard output. `{n}` in
the request's head or body becomes a number of twelve digits that differs for each request, so that
keys and names differ and the length does not.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

PLACE = b"{n}"


@dataclass
class Round:
    """What is asked and what came of it. request: the bytes between the numbers."""

    request: list[bytes]
    numbers: Any
    expected: bytes
    over: bool = False
    waits: list[float] = field(default_factory=list)

    def next(self) -> bytes:
        """The bytes of one request."""
        return (b"%012d" % next(self.numbers)).join(self.request)


class Connection(asyncio.Protocol):
    """One kept-alive connection: a request, its answer, the next request."""

    def __init__(self, round: Round) -> None:
        self.round = round
        self.ended = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        """Send the next request, unless the round is over."""
        if self.round.over:
            self.transport.close()
            return
        self.since = time.perf_counter()
        self.transport.write(self.round.next())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found or len(body) < length_of(head):
            return
        if not head.startswith(b"HTTP/1.1 " + self.round.expected):
            self.ended.set_exception(RuntimeError(self.buffer[:2000].decode(errors="replace")))
            self.transport.close()
            return
        self.round.waits.append(time.perf_counter() - self.since)
        self.buffer = b""
        self.ask()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.ended.done():
            if self.round.over:
                self.ended.set_result(None)
            else:
                self.ended.set_exception(ConnectionError("the server closed the connection"))


def length_of(head: bytes) -> int:
    """How long the body of an answer is."""
    at = head.lower().index(b"content-length:")
    return int(head[at + 15 :].partition(b"\r\n")[0])


async def ask(given: dict[str, Any]) -> dict[str, float]:
    """One round: how many were answered in how many seconds, and the usual wait."""
    request = given["request"].encode().split(PLACE)
    round = Round(request, count(given["first"]), str(given["expected"]).encode())
    loop = asyncio.get_running_loop()
    since = time.perf_counter()
    made = [
        await loop.create_connection(lambda: Connection(round), "127.0.0.1", given["port"])
        for _ in range(given["connections"])
    ]
    ends = asyncio.gather(*(connection.ended for _, connection in made))
    await asyncio.wait([ends], timeout=given["seconds"])
    while not round.waits and not ends.done():  # a server that has just begun may take longer
        await asyncio.sleep(0.05)
    round.over = True
    answered, seconds = len(round.waits), time.perf_counter() - since
    await ends
    usual = sorted(round.waits)[len(round.waits) // 2]
    return {"answered": answered, "seconds": seconds, "wait": usual}


if __name__ == "__main__":
    json.dump(asyncio.run(ask(json.load(sys.stdin))), sys.stdout)
