"""Log lines: one JSON object each, without patients' data and without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from datetime import UTC, datetime

from flask import Flask, Response, g, request

log = logging.getLogger("careloom.request")

LONGEST = 4_000
_ID_CARD = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)"
)
_PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
_TOKEN = re.compile(r"clm_([0-9a-f]{12})_[A-Za-z0-9_-]+")
_BEARER = re.compile(r"(?i)(bearer\s+)[^\s\"',]+")
_PASSWORD = re.compile(r"(?i)(pass(?:word|wd)?[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,]+")


#: PostgreSQL tells the row it refused (`DETAIL:  Key (name)=(…) already exists.`)
_DETAIL = re.compile(r"(?m)^(\s*(?:DETAIL|CONTEXT|明细|上下文)[:：]).*$")


def masked(words: str) -> str:
    """The text without phone numbers, ID numbers, tokens, passwords and a database's details."""
    words = _DETAIL.sub(r"\1 ***", words)
    words = _TOKEN.sub(r"clm_\1_***", words)
    words = _BEARER.sub(r"\1***", words)
    words = _PASSWORD.sub(r"\1***", words)
    words = _ID_CARD.sub(lambda found: f"{found[0][:3]}***********{found[0][-1]}", words)
    return _PHONE.sub(r"\1****\2", words)


class Lines(logging.Formatter):
    """A record as one line of JSON: at, level, name, words, and what came with it."""

    EXTRAS = ("reference", "method", "path", "status", "ms", "person", "address")

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "name": record.name,
            "words": masked(record.getMessage())[:LONGEST],
        }
        for name in self.EXTRAS:
            if (value := getattr(record, name, None)) is not None:
                line[name] = masked(value)[:LONGEST] if isinstance(value, str) else value
        if record.exc_info:
            line["trace"] = masked(self.formatException(record.exc_info))[-4 * LONGEST :]
        return json.dumps(line, ensure_ascii=True)


def write_lines(level: int = logging.INFO) -> None:
    """From now on this process logs JSON lines to standard error."""
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(Lines())
    logging.basicConfig(level=level, handlers=[stream], force=True)


def _begin() -> None:
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    """One line for each request; the query is left out, for people search by phone number."""
    found = g.get("asker")
    log.info(
        "request",
        extra={
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
            "person": str(found.actor.person_id) if found and found.actor else None,
            "address": request.remote_addr,
        },
    )
    return response


def use(app: Flask) -> None:
    """Log every request."""
    app.before_request(_begin)
    app.after_request(_end)
