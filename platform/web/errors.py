"""What went wrong, as problem+json (RFC 9457) for programs and as a page for people."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from ..store.away import is_away, no_room, unavailable
from ..store.errors import (
    NotSignedIn,
    Problem,
    Refusal,
    Stale,
    TooMany,
    Unavailable,
    without_data,
)
from .request import ask_no_more, is_api, language
from .words import say, say_or

log = logging.getLogger("careloom.web")

#: Statuses of Werkzeug's own errors that have words of ours; the others are said as 400 or 500.
SPOKEN = {
    400,
    401,
    403,
    404,
    405,
    406,
    408,
    409,
    411,
    412,
    413,
    414,
    415,
    422,
    429,
    431,
    500,
    501,
    503,
}


#: Refusals whose problems stand in a document that is not on the page: where, is said.
PLACED = ("E_NOT_UNDERSTOOD",)


class Unconditional(Refusal):
    """A change that does not say, by If-Match, which revision its writer saw (RFC 6585)."""

    status = 428
    code = "E_IF_MATCH_MISSING"


def problem_of(
    status: int,
    code: str,
    params: Mapping[str, Any],
    problems: tuple[Problem, ...] = (),
    **more: Any,
) -> dict[str, Any]:
    """The problem document in the asker's language."""
    tongue = language()
    return {
        "type": f"urn:careloom:problem:{code}",
        "title": say(tongue, f"problem.status.{status}"),
        "status": status,
        "detail": say(tongue, f"problem.{code}", **params),
        "code": code,
        "problems": [sentence(tongue, problem) for problem in problems],
        **more,
    }


def sentence(tongue: str, problem: Problem) -> dict[str, str]:
    """One problem as it goes out: where, its code, and its words."""
    return {
        "path": problem.path,
        "code": problem.code,
        "message": say(tongue, f"problem.{problem.code}", **problem.params),
    }


def answer(document: dict[str, Any], headers: Mapping[str, str] | None = None) -> AnyResponse:
    """The problem as JSON or as a page, whichever the asker reads."""
    made: Response
    if is_api():
        made = jsonify(document)
        made.mimetype = "application/problem+json"
    else:
        made = Response(_page(document))
    made.status_code = document["status"]
    made.headers.extend(headers or {})
    return made


def _page(document: Mapping[str, Any]) -> str:
    """The error page; its frame may be what is broken, so there is a bare one behind it."""
    status, tongue = document["status"], language()
    try:
        return render_template(
            "pages/error.html",
            status=status,
            title=document["title"],
            words=document["detail"],
            how=say_or(tongue, f"page.error.how.{status}", ""),
            problems=[
                f"{problem['path'] if document['code'] in PLACED else ''} {problem['message']}"
                for problem in document["problems"]
            ],
            reference=document.get("reference"),
            retry=status in (412, 429, 500, 503) and request.method == "GET",
        )
    except Exception:
        log.exception("the error page could not be drawn")
        return f"<!doctype html><title>{status}</title><h1>{status}</h1>"


def refused(refusal: Refusal) -> AnyResponse:
    """A deed that was refused."""
    if isinstance(refusal, NotSignedIn) and not is_api() and request.method == "GET":
        return redirect(url_for("sign_in.page", next=_wanted()))
    if refusal.code == "E_FACTOR_WANTED" and not is_api():
        return redirect(url_for("second_factor.page", next=_wanted()), 303)
    headers = {}
    more: dict[str, Any] = {}
    if isinstance(refusal, NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(refusal, TooMany):
        headers["Retry-After"] = str(refusal.seconds)
    if isinstance(refusal, Unavailable):
        headers["Retry-After"] = "1"
    if isinstance(refusal, Stale):
        more["current"] = _plain(refusal.current)
    document = problem_of(
        refusal.status, refusal.code, refusal.params, tuple(refusal.problems), **more
    )
    return answer(document, headers)


def _wanted() -> str:
    """The page that was asked for, to come back to; of what was sent there is none."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


def _plain(current: Any) -> Any:
    """What stands now, where a view has made JSON of it; a page shows it in its own way."""
    return current if isinstance(current, (dict, list, str, int)) else None


def http_error(error: HTTPException) -> AnyResponse:
    """Werkzeug's own refusals: unknown address, wrong method, too large a body."""
    if error.code is None or error.code < 400:
        return error.get_response()
    status = error.code if error.code in SPOKEN else (400 if error.code < 500 else 500)
    headers = {}
    methods = getattr(error, "valid_methods", None)
    if methods:
        headers["Allow"] = ", ".join(sorted(methods))
    return answer(problem_of(status, f"E_HTTP_{status}", {}), headers)


def broken(error: Exception) -> AnyResponse:
    """A database that is away is said to be, and a disk that is full. Anything else is our fault:
    logged whole under an id, and only the id is shown."""
    if no_room(error):
        log.error("no room on the disk: %s", without_data(error))
        return refused(unavailable(error))
    if is_away(error):
        log.warning("the database is away: %s", without_data(error))
        ask_no_more()
        return refused(unavailable(error))
    reference = secrets.token_hex(6)
    log.error("unexpected error %s", reference, exc_info=error, extra={"reference": reference})
    return answer(problem_of(500, "E_HTTP_500", {}, reference=reference))


def use(app: Flask) -> None:
    """Answer every error in one of these ways."""
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, broken)
