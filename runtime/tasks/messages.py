"""Messages: to people of the clinic, who are seen to have read them, and to customers.

What is for a customer goes into the log until a channel is connected. The text keeps its gaps
(`{name}`) until it is sent.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.orm import Session

from ...platform.store.session import moment, new_id
from .model import MessageState, message_readers, messages

GAP = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")
MOST = 200

_ADD = insert(messages)
_ASK = insert(message_readers)
_DROP = (
    update(messages)
    .where(
        messages.c.instance_id == bindparam("of_instance"),
        messages.c.step_key == bindparam("of_step"),
        messages.c.state.in_([MessageState.SCHEDULED, MessageState.PASSED]),
    )
    .values(state=MessageState.DROPPED)
    .returning(messages.c.id)
)


@dataclass(frozen=True)
class NewMessage:
    """What a message says, and to whom; see `model.Message` for each part."""

    instance_id: int
    step_key: str
    number: int
    flow_key: str
    flow_version: int
    subject_form: str
    subject_id: int
    unit_id: int | None
    customer_form: str | None
    customer_id: int | None
    text: Any
    state: str
    due_at: datetime | None


def gaps(text: str | Mapping[str, str]) -> set[str]:
    """The names in a text's gaps, in any of its languages."""
    written = [text] if isinstance(text, str) else list(text.values())
    return {name for each in written for name in GAP.findall(each)}


def filled(text: Any, values: Mapping[str, str]) -> Any:
    """A text with its gaps filled, in each of its languages."""
    if isinstance(text, Mapping):
        return {language: filled(each, values) for language, each in text.items()}
    return GAP.sub(lambda gap: values.get(gap[1], ""), str(text))


def open_gaps(text: str) -> str:
    """A text whose gaps are not filled, as people read it."""
    return GAP.sub("…", text)


def write_message(session: Session, new: NewMessage, people: Sequence[int]) -> int:
    """Put a message down for these people; returns its id."""
    message_id = new_id(session)
    now = moment(session)
    sent = now if new.state == MessageState.SENT else None
    session.execute(_ADD, {**new.__dict__, "id": message_id, "since": now, "sent_at": sent})
    if people:
        readers = [{"message_id": message_id, "person_id": p, "read_at": None} for p in people]
        session.execute(_ASK, readers)
    return message_id


def drop_messages(session: Session, instance_id: int, step_key: str) -> list[int]:
    """Those of a step that are not sent yet never will be; returns their ids."""
    given = {"of_instance": instance_id, "of_step": step_key}
    return list(session.execute(_DROP, given).scalars())


def drop_all_messages(session: Session, instance_id: int) -> None:
    """Whatever the instance has not sent yet it never will."""
    session.execute(
        update(messages)
        .where(
            messages.c.instance_id == instance_id,
            messages.c.state.in_([MessageState.SCHEDULED, MessageState.PASSED]),
        )
        .values(state=MessageState.DROPPED)
    )


def unread(session: Session, person_id: int | None) -> int:
    """How many messages wait for a person."""
    query = (
        select(messages.c.id)
        .join(message_readers, message_readers.c.message_id == messages.c.id)
        .where(
            message_readers.c.person_id == person_id,
            message_readers.c.read_at.is_(None),
            messages.c.state == MessageState.SENT,
        )
        .limit(MOST)
    )
    return len(session.execute(query).all())


def inbox(session: Session, person_id: int | None, limit: int = 50) -> list[Row[Any]]:
    """A person's messages, the newest first, with `read_at`."""
    query = (
        select(messages, message_readers.c.read_at)
        .join(message_readers, message_readers.c.message_id == messages.c.id)
        .where(message_readers.c.person_id == person_id, messages.c.state == MessageState.SENT)
        .order_by(messages.c.sent_at.desc(), messages.c.id.desc())
        .limit(limit)
    )
    return list(session.execute(query))


def mark_read(session: Session, person_id: int | None, message_id: int) -> bool:
    """The person has read it; False when it is not theirs. Reading again changes nothing."""
    mine = (
        message_readers.c.message_id == message_id,
        message_readers.c.person_id == person_id,
    )
    if session.execute(select(message_readers.c.message_id).where(*mine)).first() is None:
        return False
    session.execute(
        update(message_readers)
        .where(*mine, message_readers.c.read_at.is_(None))
        .values(read_at=moment(session))
    )
    return True


def of_instance(session: Session, instance_id: int) -> list[Row[Any]]:
    """All messages of an instance, in the order they were written."""
    query = select(messages).where(messages.c.instance_id == instance_id).order_by(messages.c.id)
    return list(session.execute(query))


def readers_of(session: Session, message_ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    """Who was told, and when each read it, by message: every one that is asked about is there."""
    query = select(message_readers).where(message_readers.c.message_id.in_(message_ids))
    found: dict[int, list[Row[Any]]] = {message_id: [] for message_id in message_ids}
    for row in session.execute(query.order_by(message_readers.c.person_id)):
        found[row.message_id].append(row)
    return found
