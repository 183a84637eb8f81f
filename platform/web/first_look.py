"""What a program's request asks before anything else, in one question: the epoch and the time, the
token it shows, and the answer that its Idempotency-Key may have already."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import DateTime, Label, and_, bindparam, func, null, select, true
from sqlalchemy.orm import Session

from ..identity.access_tokens import UNREVOKED
from ..store.hot import Hot
from ..store.model import Epoch
from ..store.session import database_of, found
from .model import AnswerRow

PARTS = ("request", "status", "mimetype", "location", "etag", "body", "created_at")


def _question(now: Label[Any]) -> Hot:
    token = UNREVOKED.subquery("token")
    answered = and_(
        AnswerRow.person_id == token.c.person_id, AnswerRow.key_hash == bindparam("key")
    )
    return Hot(
        select(Epoch.number, now, token, *(getattr(AnswerRow, part) for part in PARTS))
        .join_from(Epoch, token, true(), isouter=True)
        .join(AnswerRow, answered, isouter=True)
    )


_ASK = {
    "postgresql": _question(func.clock_timestamp(type_=DateTime(True)).label("now")),
    "sqlite": _question(null().label("now")),
}


def first_look(session: Session, prefix: str, key: str) -> Any:
    """The row of both, blank where there is none; the session knows its epoch and moment then.

    prefix: the token's. key: the Idempotency-Key, "" when there is none.
    """
    given = {"prefix": prefix, "key": hash_of(key)}
    row: Any = _ASK[database_of(session).dialect].first(session, given)
    found(session, row.number, row.now)
    return row


def hash_of(key: str) -> str:
    """An Idempotency-Key as it is kept."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
