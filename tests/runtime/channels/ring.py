"""A clinic that calls a receiver on this machine."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from receiver import Asked, Receiver, says
from sqlalchemy import select

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.outbound.addresses import read_allowed
from careloom.platform.outbound.client import Client, Limits
from careloom.platform.store.clock import TurnedClock
from careloom.runtime.channels.connections import Wanted, set_connection
from careloom.runtime.channels.model import calls
from careloom.runtime.flows.model import Incident, Instance
from careloom.runtime.work.calling import send_due
from careloom.runtime.work.dispatch import drain

from ..clinic import Clinic, Document, flow_of, rows

TELL: Document = {
    "key": "tell",
    "kind": "call",
    "title": "Tell finance",
    "connection": "finance",
    "body": {
        "name": "name",
        "mobile": "mobile",
        "who": {"record": "this", "urgent": "urgent", "at": "assigned_at"},
    },
    "save": {
        "number": {"from": "data.id", "type": "text"},
        "amount": {"from": "data.amount", "type": "number"},
        "paid": {"from": "data.paid", "type": "yesno"},
    },
    "within": "2h",
}
WROTE: Document = {
    "key": "wrote",
    "kind": "action",
    "do": [
        {
            "key": "noted",
            "action": "set",
            "values": {"mobile": 'IFBLANK(tell.number, "none")', "status": '"won"'},
        }
    ],
}
OK = says(200, b'{"data": {"id": 17, "amount": "12.50", "paid": true}}')
END: Document = {"key": "end", "kind": "end", "result": "told"}
PATIENT = Limits(connect=3, read=3, total=5, most=10_000)
HASTY = Limits(connect=0.5, read=0.4, total=1, most=10_000)
"""For a receiver that hangs: long enough to see that it does."""


@dataclass
class Ring:
    """The clinic, who calls for it, and the secret that calls are signed with."""

    clinic: Clinic
    client: Client
    secret: str

    def work(self) -> int:
        """Everything that is due now, calls too."""
        count = 0
        while done := drain(self.clinic.database) + send_due(self.clinic.database, self.client):
            count += done
        return count

    def calls(self) -> list[Any]:
        with self.clinic.database.read() as session:
            return list(session.execute(select(calls).order_by(calls.c.id)))

    def instances(self) -> list[Instance]:
        return rows(self.clinic, Instance)

    def incidents(self) -> list[str]:
        return [one.code for one in rows(self.clinic, Incident) if one.closed_at is None]


def ring_in(clinic: Clinic, receiver: Receiver, *steps: Document, key: str = "finance") -> Ring:
    """Set the connection up, and publish the flow that calls over it."""
    client = client_for(receiver)
    secret = connect(clinic, client, receiver.port, key)
    clinic.publish("flow", flow_of(*(steps or (TELL, WROTE, END))))
    return Ring(clinic, client, secret)


def client_for(*receivers: Receiver) -> Client:
    """One that the operator lets call these receivers."""
    allowed = ", ".join(f"http://127.0.0.1:{one.port}" for one in receivers)
    return Client(read_allowed(allowed), limits=PATIENT)


def connect(clinic: Clinic, client: Client, port: int, key: str = "finance", **more: Any) -> str:
    wanted = Wanted({"en": key.title()}, f"http://127.0.0.1:{port}/hook", **more)
    made = clinic.database.write(
        lambda session: set_connection(session, SYSTEM, client.allowed, key, wanted)
    )
    return made or ""


def is_signed(asked: Asked, secret: str) -> bool:
    """Whether the request is as whoever holds the secret would have it."""
    said = dict(part.split("=", 1) for part in asked.headers["careloom-signature"].split(","))
    text = said["t"].encode() + b"." + asked.body
    return said["v1"] == hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def bodies(receiver: Receiver) -> list[Any]:
    return [json.loads(asked.body) for asked in receiver.asked]


def keys(receiver: Receiver) -> list[str]:
    return [asked.headers["idempotency-key"] for asked in receiver.asked]


def later(ring: Ring, clock: TurnedClock, by: timedelta = timedelta(minutes=20)) -> None:
    clock.turn(by)
    ring.work()
