"""Another system in the pictured clinic: one call was taken, one was refused, one waits."""

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.outbound.addresses import Allowed
from careloom.platform.outbound.client import Answer, Client
from careloom.platform.store.database import Database
from careloom.platform.store.session import moment
from careloom.runtime.channels.connection_api import CLIENT
from careloom.runtime.channels.connections import Wanted, set_connection
from careloom.runtime.channels.deliver import Came, settle, take
from careloom.runtime.channels.model import connections
from careloom.runtime.flows.start import start
from careloom.runtime.timers.set import NewTimer, set_timers
from careloom.runtime.work.dispatch import drain


def text(zh: str, en: str) -> dict[str, str]:
    return {"zh-CN": zh, "en": en}


def told(key: str, zh: str, en: str, connection: str) -> dict[str, Any]:
    return {
        "key": key,
        "kind": "call",
        "title": text(zh, en),
        "connection": connection,
        "body": {
            "name": "name",
            "mobile": "mobile",
            "lead": {"record": "this", "at": "received_at"},
        },
        "save": {"number": {"from": "data.id", "type": "text"}},
    }


FLOW = {
    "format": 1,
    "key": "told_others",
    "title": text("登记到其他系统", "Told to other systems"),
    "subject": "lead_intake",
    "steps": [
        told("his", "建档到 HIS", "Register in the HIS", "his"),
        told("finance", "通知财务", "Tell finance", "finance"),
        {**told("chat", "通知企业微信群", "Tell the chat group", "wecom"), "optional": True},
        {"key": "end", "kind": "end"},
    ],
}


def nowhere(name: str, port: int) -> list[str]:
    """No name leads anywhere: nobody is called from here."""
    raise OSError(name, port)


def tell_others(app: Flask, database: Database, lead: int, other: int) -> None:
    """A run that one system answered and another refused; about another lead, one that waits for a
    connection that is shut."""
    app.extensions[CLIENT] = Client(Allowed(), nowhere)

    def begin(session: Session) -> None:
        for key, title, host in (
            ("his", text("HIS 系统", "HIS"), "his.example.com"),
            ("finance", text("财务系统", "Finance"), "finance.example.com"),
        ):
            set_connection(
                session, SYSTEM, Allowed(), key, Wanted(title, f"https://{host}/careloom")
            )
        publish_document(session, SYSTEM, "flow", FLOW)
        start(session, SYSTEM, "told_others", record_id=lead)

    database.write(begin)
    for answer in (Answer(200, b'{"data": {"id": 17}}', False, ""), Answer(422, b"", False, "")):
        database.write(lambda session, one=answer: _answered(session, one))  # type: ignore[misc]
        drain(database)
    _shut(database, other)


def _answered(session: Session, answer: Answer) -> None:
    (parcel,) = take(session, 1)
    over = settle(session, parcel, Came(answer))
    if over is not None:
        set_timers(session, [NewTimer(moment(session), "call", over.instance_id, over.call)])


def _shut(database: Database, lead: int) -> None:
    """The first system is away: a few tries in a row came to nothing, and others wait."""
    database.write(lambda session: start(session, SYSTEM, "told_others", record_id=lead))

    def away(session: Session) -> None:
        (parcel,) = take(session, 1)
        settle(session, parcel, Came(trouble="E_CALL_TIME"))
        until = moment(session) + timedelta(minutes=4)
        values = {"failures": 7, "shut_until": until}
        session.execute(update(connections).where(connections.c.key == "his").values(values))

    database.write(away)
