"""The reference for what goes over HTTP: Flask and SQLAlchemy and nothing else.

Served by granian with our own settings, as a program: `python -m benchmarks.bare URL PORT`. It
asks for no token, checks nothing, and keeps neither history nor events.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from granian import Granian
from granian.constants import Interfaces
from sqlalchemy import Engine, MetaData, Table, create_engine, insert, text

from careloom.platform.web.serve import THREADS

TABLE = "bare_lead"
COUNT = text(
    f"SELECT count(*) FROM {TABLE}"
    " WHERE _retired_at IS NULL AND _unit = :unit AND status = :status AND channel = :channel"
)
PAGE = text(
    f"SELECT * FROM {TABLE}"
    " WHERE _retired_at IS NULL AND _unit = :unit AND status = :status AND channel = :channel"
    " ORDER BY received_at DESC, _id DESC LIMIT 20"
)


def application(url: str) -> Flask:
    """POST /leads puts a row in, GET /leads lists twenty of them with their count."""
    app = Flask("bare")
    engine = create_engine(url.replace("://", "+psycopg://", 1), pool_size=THREADS)
    table = Table(TABLE, MetaData(), autoload_with=engine)
    app.add_url_rule("/leads", "submit", submitter(engine, table), methods=["POST"])
    app.add_url_rule("/leads", "list", lister(engine))
    return app


def submitter(engine: Engine, table: Table) -> Callable[[], ResponseReturnValue]:
    """Puts what was sent into the table, in a transaction of its own."""
    ids, statement = count(1), insert(table)

    def submit() -> ResponseReturnValue:
        now = datetime.now(UTC)
        row: dict[str, Any] = request.get_json()
        row["received_at"] = datetime.fromisoformat(row["received_at"])
        row |= {"_id": next(ids), "_revision": 1, "_version": 1, "_unit": 1, "_state": "draft"}
        row |= {"_created_at": now, "_updated_at": now}
        with engine.begin() as connection:
            connection.execute(statement, row)
        return jsonify(id=str(row["_id"])), 201

    return submit


def lister(engine: Engine) -> Callable[[], ResponseReturnValue]:
    """The page and its count by two statements written by hand."""

    def page() -> ResponseReturnValue:
        with engine.connect() as connection:
            total = connection.execute(COUNT, request.args).scalar_one()
            rows = connection.execute(PAGE, request.args).mappings().all()
        return jsonify(items=[dict(row) for row in rows], total=total)

    return page


def main(url: str, port: int) -> None:
    """Serve until stopped, with the settings of `platform/web/serve.py`."""
    Granian(
        "bare",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        backlog=1024,
        workers_kill_timeout=20,
        log_access=False,
        log_enabled=False,
    ).serve(target_loader=lambda _target: application(url))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
