"""/api/files: upload a file, and have one. Whether the asker may is asked anew each time."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, send_file
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import UnsupportedMediaType

from ..records.attachments import find_file
from ..store.errors import Malformed
from ..store.file_model import FileRow
from ..store.files import add_file, open_whole
from . import csrf
from .idempotency import Reply, reply
from .request import close_reading, reading, who
from .routes import SIGNED_IN, Spec, route
from .shapes import thing
from .uploads import bodies, take_in

area = Blueprint("files_api", __name__)

PART = "file"
MULTIPART = "multipart/form-data"
_ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_BYTES = {"type": "string", "contentMediaType": "application/octet-stream"}
_FILE = thing(
    {
        "id": _ID,
        "name": {"type": "string", "maxLength": 200},
        "type": {"type": "string"},
        "size": {"type": "integer", "minimum": 1},
    }
)
#: A file is nobody's page: it opens nowhere, runs nothing, and stays in no cache.
CAUTION = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}


@route(
    area,
    "/api/files",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Upload a file; a field of files takes its id within a day.",
        body=thing({PART: _BYTES}),
        body_type=MULTIPART,
        answers={201: _FILE},
        tag="files",
    ),
)
def upload() -> ResponseReturnValue:
    """413 when it is too large, 422 when it is of a kind that is not taken. A picture comes out
    smaller or larger than it went in, for it is drawn anew."""
    actor = who()
    body = take_in(one_file())
    return reply(
        lambda session: add_file(session, body, actor.person_id, actor.unit_id),
        lambda row: Reply(shown(row), 201, f"/api/files/{row.id}"),
    )


def one_file() -> FileStorage:
    """The request's only file. Raises Malformed, UnsupportedMediaType."""
    if request.mimetype != MULTIPART:
        raise UnsupportedMediaType()
    given = list(request.files.items(multi=True))
    if [name for name, _ in given] != [PART] or set(request.form) - {csrf.FIELD}:
        raise Malformed("E_FILE_ONE")
    return given[0][1]


def shown(row: FileRow) -> dict[str, Any]:
    """A file as JSON."""
    return {"id": row.id, "name": row.name, "type": row.type, "size": row.size}


@route(
    area,
    "/api/files/<file_id>",
    needs=SIGNED_IN,
    spec=Spec(
        "A file's bytes, of one's own upload or of a record's field that one may read.",
        answers={200: _BYTES},
        answer_type="*/*",
        tag="files",
    ),
)
def download(file_id: str) -> ResponseReturnValue:
    """404 also when the asker may not have it, and when its bytes are missing or altered."""
    row = find_file(reading(), who(), file_id)
    close_reading()  # the bytes may be far away
    response: Response = send_file(
        open_whole(bodies(), row),
        mimetype=row.type,
        as_attachment=True,
        download_name=row.name,
        conditional=False,
        etag=False,
    )
    response.content_length = row.size
    response.headers.update(CAUTION)
    return response
