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
    Without Redis all is done, only later by up to a second: degraded, for people to look after."""
    parts = {"database": _database(), "queue": _queue()}
    if parts["database"] == "failed":
        return jsonify(status="failed", **parts), 503
    return jsonify(status="ok" if parts["queue"] == "ok" else "degraded", **parts), 200


def _database() -> str:
    try:
        with current_database().read() as session:
            session.execute(text("SELECT number FROM epoch")).scalar_one()
    except (SQLAlchemyError, Unavailable):
        return "failed"
    return "ok"


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
