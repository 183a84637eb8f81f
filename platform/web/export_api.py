"""/api/records/…/export: a form's records as a file, as far as the asker may take them out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from flask import Blueprint, Response, request, send_file
from flask.typing import ResponseReturnValue

from ..definitions.form import form_of
from ..definitions.published import published
from ..exports.make import Taken, take_freely
from ..exports.question import Question
from ..identity.permissions import access
from ..records.take import ENDINGS
from ..store.errors import Malformed
from ..store.scratch import scratch
from .request import close_reading, current_database, language, looking, settings, who
from .routes import SIGNED_IN, Spec, route
from .words import text

area = Blueprint("export_api", __name__)

KINDS = tuple(ending.removeprefix(".") for ending in ENDINGS)
EXPRESSION = {"type": "string", "maxLength": 4000}
BYTES = {"type": "string", "contentEncoding": "binary"}


@route(
    area,
    "/api/records/<form>/export",
    needs=SIGNED_IN,
    spec=Spec(
        "The form's records that I may see and export, as a file; who took them out is kept. More "
        "than so many of a form with personal data need a second person's yes: 403 "
        "`E_EXPORT_WANTS_YES`, see `POST /api/exports`.",
        query={
            "format": {"enum": list(KINDS), "default": KINDS[0]},
            "filter": {**EXPRESSION, "description": "An expression over the form's fields."},
            "sort": {
                **EXPRESSION,
                "description": "Fields, `-` before one for descending: `-a,b`.",
            },
            "q": {**EXPRESSION, "description": "As in the list."},
        },
        answers={200: BYTES},
        answer_type="*/*",
        tag="records",
    ),
)
def export(form: str) -> ResponseReturnValue:
    """Columns are the fields the asker may see; a cell that they may not is masked or blank."""
    return file_of(
        Question(
            form,
            request.args.get("format", KINDS[0]),
            where=request.args.get("filter", ""),
            sort=keys_of(request.args.get("sort", "")),
            search=request.args.get("q", ""),
        )
    )


def keys_of(sort: str) -> tuple[str, ...]:
    """Fields to sort by, as the API's texts name them."""
    return tuple(key for key in sort.split(",") if key)


def file_of(question: Question) -> Response:
    """What leaves without a yes, as a file to be saved; see `take_freely`."""
    actor, database, free = who(), current_database(), settings().export_free
    if question.kind not in KINDS:
        raise Malformed("E_PARAMETER", name="format")
    access(looking(), actor, question.form).need("export")
    address = request.remote_addr or ""
    return sent_away(
        question.form,
        question.kind,
        lambda path: take_freely(database, actor, question, path, free=free, address=address),
    )


def sent_away(form: str, kind: str, make: Callable[[Path], Taken]) -> Response:
    """A file that is made, to be saved; gone here once it is sent."""
    title = text(form_of(published(looking(), "form", form)).title, language())
    close_reading()  # the file is written from a session of its own
    with ExitStack() as stack:
        path = stack.enter_context(scratch("export")) / f"export.{kind}"
        taken = make(path)
        response: Response = send_file(
            path, as_attachment=True, download_name=taken.name(title), max_age=0
        )
        response.headers["Cache-Control"] = "no-store, private"
        response.call_on_close(stack.pop_all().close)
    return response
