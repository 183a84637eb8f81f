"""`Idempotency-Key` on a POST to /api/: the same request again gets the first answer, and nothing
twice. Pages know no key: what they show once (a new token, a link) is kept nowhere.

The key is taken in the transaction of the deed itself, so it is taken exactly when the deed was
done; a refused request takes none and may be sent again. A view that answers by `reply` takes it
with its answer, as the deed's last statement; any other view takes it first, and its answer is
written right after.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, g, json, request
from sqlalchemy import Table, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from ..store.errors import Conflict, Malformed, Refusal, Unavailable
from ..store.hot import Hot
from ..store.session import database_of, moment, new_id
from .errors import refused
from .first_look import PARTS, hash_of
from .model import AnswerRow
from .request import (
    KEY_HEADER,
    asker,
    close_reading,
    current_database,
    looking,
    settings,
    who_or_nobody,
    write,
)

T = TypeVar("T")

HEADER = KEY_HEADER
KEPT = timedelta(hours=24)
WITHIN = timedelta(minutes=1)  # an answer that is to come is written by then
CLEARED, CLEARED_EVERY = "careloom.answers_cleared", timedelta(minutes=10)
REPLAYED = "Idempotent-Replayed"

_ITS = (AnswerRow.person_id == bindparam("person")) & (AnswerRow.key_hash == bindparam("key"))
ANSWERED = ("status", "mimetype", "location", "etag", "body")
FIND = Hot(select(*(getattr(AnswerRow, part) for part in PARTS)).where(_ITS))
KEEP = Hot(update(AnswerRow).where(_ITS).values({p: bindparam(f"its_{p}") for p in ANSWERED}))


def _taking(dialect: ModuleType) -> Hot:
    """Takes a key that nobody has; one whose answer is over stands as if it were not there."""
    statement = dialect.insert(AnswerRow)
    columns = {column.name: statement.excluded[column.name] for column in _TABLE.columns}
    over = AnswerRow.created_at <= bindparam("over")
    unique = ["person_id", "key_hash"]
    statement = statement.on_conflict_do_update(index_elements=unique, set_=columns, where=over)
    return Hot(statement.returning(AnswerRow.id))


_TABLE = cast(Table, AnswerRow.__table__)
TAKE = {"postgresql": _taking(postgresql), "sqlite": _taking(sqlite)}


UNANSWERED = {"status": 0, "mimetype": "", "location": None, "etag": None, "body": ""}


@dataclass(frozen=True)
class Key:
    """The key of this request: whose, its hash, and the hash of what is asked."""

    person_id: int
    key_hash: str
    request: str


class Again(Exception):
    """Another request with this key was faster."""


@dataclass(frozen=True)
class Reply:
    """An answer a deed is given: JSON (none with status 204), status, where the new thing is."""

    body: Any
    status: int = 200
    location: str | None = None
    etag: str | None = None


DONE = Reply(None, 204)  # done, and there is nothing to say


def reply(
    deed: Callable[[Session], T],
    present: Callable[[T], Reply],
    keep: Callable[[T], Reply | None] | None = None,
) -> Response:
    """Carry out a deed and answer; under a key, the answer is kept with the deed.

    present: makes the answer of what the deed returned; quick, for it runs in the transaction.
    keep: makes the answer that is kept, where the one given holds a secret; None where not.
    """
    key: Key | None = g.get("idempotency")
    g.pop("take_key", None)

    def kept(session: Session) -> Response:
        done = deed(session)
        answer = _response(present(done))
        if key is not None:
            other = keep(done) if keep is not None else None
            putting = _keep if g.get("key_taken") else _take
            putting(session, key, answer if other is None else _response(other))
        return answer

    try:
        answer = write(kept)
    except (Refusal, IntegrityError) as error:
        # The same request may have been faster, and what it did be why this one was refused.
        if key is None or isinstance(error, Unavailable):
            raise
        known = _find(key)
        if known is None or known.request != key.request:
            raise
        return _replay(key, known)
    g.idempotency_kept = True
    return answer


def _response(made: Reply) -> Response:
    text = "" if made.status == 204 else json.dumps(made.body) + "\n"
    response = Response(text, made.status, mimetype="application/json")
    if made.location:
        response.headers["Location"] = made.location
    if made.etag:
        response.headers["ETag"] = made.etag
    return response


def _begin() -> Response | None:
    """Before the view: an answer there is already, or the key to be taken by the deed."""
    text = request.headers.get(HEADER) if request.path.startswith("/api/") else None
    actor = who_or_nobody()
    if text is None or request.method != "POST" or actor is None or actor.person_id is None:
        return None
    if not 1 <= len(text) <= 200 or not all("!" <= letter <= "~" for letter in text):
        raise Malformed("E_IDEMPOTENCY_KEY")
    # under our secret: what is asked may hold a password, and a plain hash lets it be guessed
    asked = hmac.new(settings().secret.encode(), b"answer:", hashlib.sha256)
    asked.update(f"{request.method} {request.full_path}\n".encode() + _content())
    key = Key(actor.person_id, hash_of(text), asked.hexdigest())
    known = _fresh(g.answer) if asker().way == "token" else _find(key)
    if known is not None:
        return _replay(key, known)
    g.idempotency = key
    g.take_key = lambda session: _take(session, key)
    return None


def _content() -> bytes:
    """What is sent: the bytes; of an upload its parts, for their boundary differs each time."""
    if request.mimetype != "multipart/form-data":
        return request.get_data(cache=True)
    parts = hashlib.sha256()
    for name, value in sorted(request.form.items(multi=True)):
        parts.update(repr((name, value)).encode())
    for name, file in sorted(request.files.items(multi=True)):
        parts.update(repr((name, file.filename)).encode())
        while chunk := file.stream.read(1 << 20):
            parts.update(chunk)
        file.stream.seek(0)
    return parts.digest()


def _find(key: Key) -> Any:
    """The answer there is, as of now, or None."""
    close_reading()
    return _fresh(FIND.first(looking(), {"person": key.person_id, "key": key.key_hash}))


def _fresh(row: Any) -> Any:
    """An answer that is not over yet."""
    over = row is None or row.created_at <= moment(looking()) - KEPT
    return None if over else row


def _replay(key: Key, known: Any) -> Response:
    """The first answer. Raises Conflict when the key stood for something else, when the answer is
    yet to come, or when it never will: its process ended between the deed and the answer."""
    if known.request != key.request:
        raise Conflict("E_IDEMPOTENCY_OTHER")
    if known.status == 0:
        lost = moment(looking()) - known.created_at > WITHIN
        raise Conflict("E_IDEMPOTENCY_DONE" if lost else "E_IDEMPOTENCY_BUSY")
    response = Response(known.body, known.status, mimetype=known.mimetype)
    response.headers[REPLAYED] = "true"
    if known.location:
        response.headers["Location"] = known.location
    if known.etag:
        response.headers["ETag"] = known.etag
    return response


def _take(session: Session, key: Key, response: Response | None = None) -> None:
    """In the deed's transaction: take the key, with the answer where there is one already.

    Raises Again when somebody has it.
    """
    now = moment(session)
    _clear(session, now)
    row = {
        "id": new_id(session),
        "person_id": key.person_id,
        "key_hash": key.key_hash,
        "request": key.request,
        **(_kept(response) if response is not None else UNANSWERED),
        "created_at": now,
        "over": now - KEPT,
    }
    if not TAKE[database_of(session).dialect].all(session, row):
        raise Again()


def _clear(session: Session, now: datetime) -> None:
    """Take away what nobody will be answered with any more; every few minutes in each process."""
    cleared: datetime | None = current_app.extensions.get(CLEARED)
    if cleared is None or not now - CLEARED_EVERY < cleared <= now:
        session.execute(delete(AnswerRow).where(AnswerRow.created_at <= now - KEPT))
        current_app.extensions[CLEARED] = now


def _keep(session: Session, key: Key, response: Response) -> None:
    answered = {f"its_{part}": value for part, value in _kept(response).items()}
    KEEP(session, {"person": key.person_id, "key": key.key_hash, **answered})


def _kept(response: Response) -> dict[str, Any]:
    return {
        "status": response.status_code,
        "mimetype": response.mimetype,
        "location": response.headers.get("Location"),
        "etag": response.headers.get("ETag"),
        "body": response.get_data(as_text=True),
    }


def _again(_error: Again) -> AnyResponse:
    """The other request is done, or about to be: its answer, or word that it is at work."""
    key: Key = g.idempotency
    for _ in range(40):
        known = _find(key)
        if known is not None and (known.status or known.request != key.request):
            try:
                return _replay(key, known)
            except Conflict as refusal:
                return refused(refusal)
        time.sleep(0.05)
    return refused(Conflict("E_IDEMPOTENCY_BUSY"))


def _end(response: Response) -> Response:
    """After a view that did not answer by `reply`: keep what it answered."""
    key: Key | None = g.get("idempotency")
    done = g.get("key_taken", False) and not g.get("idempotency_kept", False)
    if key is not None and done and response.status_code < 500:
        try:
            current_database().write(lambda session: _keep(session, key, response))
        except Unavailable:
            pass  # the deed is done; sent again it will hear that it is
    return response


def use(app: Flask) -> None:
    """Honour the header on every POST to /api/ of somebody who is signed in."""
    app.before_request(_begin)
    app.after_request(_end)
    app.register_error_handler(Again, _again)


def headers_spec() -> Mapping[str, Any]:
    """The header as OpenAPI describes it."""
    return {
        "name": HEADER,
        "in": "header",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
        "description": "Sent again with the same body, the request gets its first answer.",
    }
