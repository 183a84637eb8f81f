"""What flows told people and customers, in words, for the pages of a run and of a rehearsal.

The API tells the same rows as they stand (`shown.py`, `builders/rehearse/tell.py`): a program takes
every language of a text, the names of its gaps, and people by their ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from ...platform.identity.people import names_of
from ...platform.web.context import local
from ..forms.show import Reader
from ..steps.graph import Graph, NotifyStep
from ..tasks.messages import of_instance, open_gaps, readers_of
from ..tasks.model import MessageState, messages


@dataclass(frozen=True)
class Told:
    """A message. words: where it stands; to: whom it is for; read: who has read it, and when."""

    text: str
    state: str
    words: str
    at: str
    to: str
    read: Sequence[str] = ()


def told_by_run(reader: Reader, instance_id: int, graph: Graph) -> list[Told]:
    """A run's, for whoever may see the run: in the words of their step, for what filled the gaps
    may be hidden from the reader. Of people, those are named who have read it."""
    rows = of_instance(reader.session, instance_id)
    receipts, names = _receipts(reader, rows)
    found = []
    for row in rows:
        step = graph.nodes[row.step_key].step
        assert isinstance(step, NotifyStep)
        read = [
            reader.say("page.message.read_by", name=names.get(one.person_id), at=local(one.read_at))
            for one in receipts[row.id]
            if one.read_at is not None
        ]
        text = open_gaps(reader.text(step.text))
        found.append(_told(reader, row, text, _to_customer(reader, row), read))
    return found


def told_by_all(reader: Reader) -> list[Told]:
    """Everybody's, as it was sent, and to whom: for who rehearses, and may see all of the scene."""
    rows = reader.session.execute(select(messages).order_by(messages.c.id)).all()
    receipts, names = _receipts(reader, rows)
    found = []
    for row in rows:
        people = reader.say("page.comma").join(names[one.person_id] for one in receipts[row.id])
        text = reader.text(row.text)
        if row.state != MessageState.SENT:
            text = open_gaps(text)
        found.append(_told(reader, row, text, _to_customer(reader, row) or people))
    return found


def _receipts(
    reader: Reader, rows: Sequence[Row[Any]]
) -> tuple[dict[int, list[Row[Any]]], dict[int, str]]:
    """Who was told, by message, and the names of all of them."""
    found = readers_of(reader.session, [row.id for row in rows])
    people = (one.person_id for each in found.values() for one in each)
    return found, names_of(reader.session, people)


def _to_customer(reader: Reader, row: Row[Any]) -> str:
    return reader.say("page.message.customer") if row.customer_id is not None else ""


def _told(reader: Reader, row: Row[Any], text: str, to: str, read: Sequence[str] = ()) -> Told:
    at = row.sent_at or row.due_at
    words = reader.say(f"page.message.{row.state}")
    return Told(text, row.state, words, local(at) if at else "", to, read)
