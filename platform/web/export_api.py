"""/api/records/…/export: a form's records as a file, as far as the asker may take them out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Blueprint, Response, request, send_file
from flask.typing import ResponseReturnValue

from ..definitions.form import form_of
from ..definitions.published import published
from ..identity.permissions import access
from ..records.take import ENDINGS, Narrow, write_file
from ..store.errors import Malformed
from .request import close_reading, current_database, language, reading, who
from .routes import SIGNED_IN, Spec, route
from .words import text

area = Blueprint("export_api", __name__)

KINDS = tuple(ending.removeprefix(".") for ending in ENDINGS)
_TEXT = {"type": "string", "maxLength": 4000}
_BYTES = {"type": "string", "contentEncoding": "binary"}


@route(
    area,
    "/api/records/<form>/export",
    needs=SIGNED_IN,
    spec=Spec(
        "The form's records that I may see and export, as a file; who took them out is kept.",
        query={
            "format": {"enum": list(KINDS), "default": KINDS[0]},
            "filter": {**_TEXT, "description": "An expression over the form's fields."},
            "sort": {**_TEXT, "description": "Fields, `-` before one for descending: `-a,b`."},
            "q": {**_TEXT, "description": "As in the list."},
        },
        answers={200: _BYTES},
        answer_type="*/*",
        tag="records",
    ),
)
def export(form: str) -> ResponseReturnValue:
    """Columns are the fields the asker may see; a cell that they may not is masked or blank."""
    return file_of(
        form,
        request.args.get("format", KINDS[0]),
        where=request.args.get("filter"),
        sort=[key for key in request.args.get("sort", "").split(",") if key],
        search=request.args.get("q", ""),
    )


def file_of(
    form: str,
    kind: str,
    *,
    where: str | None = None,
    sort: Sequence[str] = (),
    search: str = "",
    narrow: Narrow | None = None,
) -> Response:
    """A form's records as a file to be saved; see `take.write_file`."""
    session, actor = reading(), who()
    if kind not in KINDS:
        raise Malformed("E_PARAMETER", name="format")
    access(session, actor, form).need("export")
    title = text(form_of(published(session, "form", form)).title, language())
    close_reading()  # the file is written from a session of its own
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="careloom-export-"))
        path = Path(folder, f"export.{kind}")
        write_file(
            current_database(),
            actor,
            form,
            path,
            where=where,
            sort=sort,
            search=search,
            narrow=narrow,
            address=request.remote_addr or "",
        )
        response: Response = send_file(
            path, as_attachment=True, download_name=f"{title}.{kind}", max_age=0
        )
        response.headers["Cache-Control"] = "no-store, private"
        response.call_on_close(stack.pop_all().close)
    return response
