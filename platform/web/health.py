"""Whether it serves, and whether it can work: for whoever watches the machine."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from ..store.errors import Unavailable
from .request import current_database, settings
from .routes import PUBLIC, Spec, route

area = Blueprint("health", __name__)

WAITED = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '2 seconds'"
)
"""How many wait for a lock for longer than any of our own deeds keeps one."""

_STATUS = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
_READY = {"type": "object", "additionalProperties": {"type": "string"}}


@route(
    area,
    "/healthz",
    needs=PUBLIC,
    spec=Spec("Whether the server answers.", answers={200: _STATUS}, tag="health"),
)
def healthz() -> ResponseReturnValue:
    """It serves."""
    return jsonify(status="ok")


@route(
    area,
    "/readyz",
    needs=PUBLIC,
    spec=Spec(
        "Whether database and queue answer.", answers={200: _READY, 503: _READY}, tag="health"
    ),
)
def readyz() -> ResponseReturnValue:
    """Each part's state. Without the database nothing can be done: 503, and a proxy goes elsewhere.
    Degraded, for people to look after: while somebody waits for a lock of the database's, what is
    under it is refused, and elsewhere it would be no better; without Redis all is done, only later
    by up to a second."""
    parts = {"database": _database(), "queue": _queue()}
    if parts["database"] == "failed":
        return jsonify(status="failed", **parts), 503
    whole = all(state == "ok" for state in parts.values())
    return jsonify(status="ok" if whole else "degraded", **parts), 200


def _database() -> str:
    try:
        with current_database().glance() as session:
            waited = current_database().dialect == "postgresql" and session.scalar(WAITED)
            if not waited:
                session.execute(text("SELECT number FROM epoch")).scalar_one()
    except (SQLAlchemyError, Unavailable):
        return "failed"
    return "locked" if waited else "ok"


def _queue() -> str:
    """Redis, where one is set; without it the queue is the database."""
    url = settings().redis_url
    if not url:
        return "ok"
    try:
        at_once = Retry(NoBackoff(), 0)
        with Redis.from_url(
            url, socket_timeout=2, socket_connect_timeout=2, retry=at_once
        ) as redis:
            redis.ping()
    except (RedisError, OSError, ValueError):
        return "failed"
    return "ok"
