"""/api/records: submit, list, read, change and retire the records of a form, and their history."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from ...platform.records.lists import get, list_records
from ...platform.records.past import Revision, as_of, history
from ...platform.records.record import Record
from ...platform.records.shape import shape_of
from ...platform.records.submit import change, restore, retire, submit
from ...platform.store.errors import Malformed, Problem
from ...platform.web.body import current_shown, if_match, json_object, moment_of, number
from ...platform.web.errors import Unconditional
from ...platform.web.idempotency import Reply, reply
from ...platform.web.paging import CURSOR, LIMIT, cursor, limit, page, page_schema
from ...platform.web.request import looking, reading, who, write
from ...platform.web.routes import SIGNED_IN, Spec, route
from ...platform.web.shapes import (
    ID,
    KEY,
    MAYBE_ID,
    MAYBE_MOMENT,
    MOMENT,
    id_text,
    stamp,
    thing,
)

area = Blueprint("records_api", __name__)

_TEXT = {"type": "string", "maxLength": 4000}
_RIGHT = {"enum": ["hidden", "masked", "read", "write"]}
#: `x-careloom` marks where the API's own document puts a form's values and bodies.
_VALUES = {"type": "object", "x-careloom": "values"}
_SUBMITTED = {"type": "object", "x-careloom": "submit"}
_CHANGED = {"type": "object", "x-careloom": "change"}
RECORD = thing(
    {
        "id": ID,
        "form": KEY,
        "revision": {"type": "integer", "minimum": 1},
        "version": {"type": "integer", "minimum": 1},
        "label": {"type": "string"},
        "unit": MAYBE_ID,
        "owner": MAYBE_ID,
        "state": {"type": "string"},
        "created_at": MOMENT,
        "created_by": MAYBE_ID,
        "updated_at": MOMENT,
        "updated_by": MAYBE_ID,
        "retired_at": MAYBE_MOMENT,
        "values": _VALUES,
        "rights": {"type": "object", "additionalProperties": _RIGHT},
    }
)
_REVISION = thing(
    {
        "revision": {"type": "integer", "minimum": 1},
        "action": {"type": "string"},
        "at": MOMENT,
        "by": MAYBE_ID,
        "changed": {
            "type": "object",
            "additionalProperties": thing({"before": {}, "after": {}}),
        },
    }
)


def shown(record: Record, fields: frozenset[str] | None = None) -> dict[str, Any]:
    """A record as JSON, with all fields its reader may see, or of those the ones asked for."""
    values = record.json()
    if fields is not None:
        values = {key: value for key, value in values.items() if key in fields}
    return {
        "id": str(record.id),
        "form": record.form.key,
        "revision": record.revision,
        "version": record.version,
        "label": record.label,
        "unit": id_text(record.unit_id),
        "owner": id_text(record.owner_id),
        "state": record.state,
        "created_at": stamp(record.created_at),
        "created_by": id_text(record.created_by),
        "updated_at": stamp(record.updated_at),
        "updated_by": id_text(record.updated_by),
        "retired_at": stamp(record.retired_at),
        "values": values,
        "rights": {k: v for k, v in record.rights.items() if v != "hidden"},
    }


def _replied(record: Record, status: int = 200) -> Reply:
    place = f"/api/records/{record.form.key}/{record.id}" if status == 201 else None
    return Reply(shown(record), status, place, f'"{record.revision}"')


@route(
    area,
    "/api/records/<form>",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Submit a record; a flow that waits for it starts.",
        body=_SUBMITTED,
        answers={201: RECORD},
        tag="records",
    ),
)
def submit_record(form: str) -> ResponseReturnValue:
    """422 with every problem by field. `unit`: where it belongs, when no field says it."""
    actor = who()
    values, unit_id = _given(form, json_object(), ("unit",))
    return reply(
        lambda session: submit(session, actor, form, values, unit_id=unit_id),
        lambda record: _replied(record, 201),
        keep=lambda record: _kept(record, 201),
    )


def _kept(record: Record, status: int = 200) -> Reply | None:
    """What may be kept of an answer: encrypted fields are plain text nowhere in the database.
    None when there are none."""
    fields = record.form.fields
    plain = {key: value for key, value in record.values.items() if not fields[key].encrypted}
    if len(plain) == len(record.values):
        return None
    return _replied(replace(record, values=plain), status)


def _given(
    form: str, sent: dict[str, Any], beside: tuple[str, ...] = ()
) -> tuple[dict[str, Any], int | None]:
    """The values sent, and the unit: `{"values": {…}, "unit": …}`, or the values alone.

    Raises Malformed for anything else beside `values`.
    """
    values = sent.get("values")
    is_field = "values" in shape_of(looking(), form).form.fields
    if is_field or not isinstance(values, dict):
        return sent, None
    for name in sorted(sent.keys() - {"values", *beside}):
        raise Malformed(problems=[Problem(f"/{name}", "E_UNKNOWN_FIELD", {"name": name})])
    unit = sent.get("unit")
    return values, None if unit is None else number(str(unit))


@route(
    area,
    "/api/records/<form>",
    needs=SIGNED_IN,
    spec=Spec(
        "The form's records that I may see, newest first if nothing else is asked.",
        query={
            "filter": {**_TEXT, "description": "An expression over the form's fields."},
            "sort": {**_TEXT, "description": "Fields, `-` before one for descending: `-a,b`."},
            "q": {**_TEXT, "description": "Part of the label, or a phone number's last digits."},
            "fields": {**_TEXT, "description": "The fields wanted: `a,b`."},
            "retired": {"type": "boolean", "description": "Those out of use instead."},
            "limit": LIMIT,
            "cursor": CURSOR,
        },
        answers={200: page_schema(RECORD)},
        tag="records",
    ),
)
def list_form(form: str) -> ResponseReturnValue:
    """`total` counts what I may see, on the first page."""
    session, actor, mark = reading(), who(), cursor()
    sort = tuple(key for key in request.args.get("sort", "").split(",") if key)
    found = list_records(
        session,
        actor,
        form,
        where=request.args.get("filter"),
        sort=sort,
        limit=limit(),
        cursor=mark,
        search=request.args.get("q", ""),
        count=mark is None,
        retired=_flag("retired"),
    )
    wanted = _fields(form)
    return jsonify(page([shown(record, wanted) for record in found.items], found.next, found.total))


def _flag(name: str) -> bool:
    """`true` or `false` in the query, false without. Raises Malformed."""
    value = request.args.get(name, "false")
    if value not in ("true", "false"):
        raise Malformed("E_PARAMETER", name=name)
    return value == "true"


def _fields(form: str) -> frozenset[str] | None:
    """The fields asked for. Raises Malformed for one the form has not."""
    text = request.args.get("fields")
    if text is None:
        return None
    known = shape_of(reading(), form).form.fields
    wanted = frozenset(key for key in text.split(",") if key)
    for key in sorted(wanted - set(known)):
        raise Malformed("E_UNKNOWN_FIELD", [Problem("/fields", "E_UNKNOWN_FIELD", {"name": key})])
    return wanted


@route(
    area,
    "/api/records/<form>/<id:record_id>",
    needs=SIGNED_IN,
    spec=Spec(
        "One record, as it is or as it was at a moment.",
        query={
            "as_of": {
                "type": "string",
                "format": "date-time",
                "description": "As it stood then, in the fields I may see today.",
            }
        },
        answers={200: RECORD},
        tag="records",
    ),
)
def read_record(form: str, record_id: int) -> ResponseReturnValue:
    """404 also when the asker may not see it, and when there was no such record yet. Only the
    record as it is bears an ETag: no other can be changed."""
    if "as_of" in request.args:
        at = moment_of(request.args["as_of"], "as_of", who().time_zone)
        return jsonify(shown(as_of(reading(), who(), form, record_id, at=at)))
    record = get(reading(), who(), form, record_id)
    response = jsonify(shown(record))
    response.headers["ETag"] = f'"{record.revision}"'
    return response


@route(
    area,
    "/api/records/<form>/<id:record_id>",
    methods=("PATCH",),
    needs=SIGNED_IN,
    spec=Spec(
        "Change some values; null blanks one, what is not named stays.",
        body=_CHANGED,
        answers={200: RECORD},
        tag="records",
        if_match=True,
    ),
)
def change_record(form: str, record_id: int) -> ResponseReturnValue:
    """Needs If-Match; 412 with `current` when the record has moved on."""
    actor, revision = who(), if_match()
    if revision is None:
        raise Unconditional()
    values, _ = _given(form, json_object())
    with current_shown(Record, shown):
        record = write(
            lambda session: change(session, actor, form, record_id, values, revision=revision)
        )
    response = jsonify(shown(record))
    response.headers["ETag"] = f'"{record.revision}"'
    return response


@route(
    area,
    "/api/records/<form>/<id:record_id>",
    methods=("DELETE",),
    needs=SIGNED_IN,
    spec=Spec("Retire a record.", answers={204: {}}, tag="records", if_match=True),
)
def retire_record(form: str, record_id: int) -> ResponseReturnValue:
    """Its row, history and links stay."""
    actor, revision = who(), if_match()
    with current_shown(Record, shown):
        write(lambda session: retire(session, actor, form, record_id, revision=revision))
    return "", 204


@route(
    area,
    "/api/records/<form>/<id:record_id>/restore",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Take a retired record into use again.",
        answers={200: RECORD},
        tag="records",
        if_match=True,
    ),
)
def restore_record(form: str, record_id: int) -> ResponseReturnValue:
    """409 when it is in use, or when another has its unique values by now (problems name them)."""
    actor, revision = who(), if_match()
    with current_shown(Record, shown):
        return reply(
            lambda session: restore(session, actor, form, record_id, revision=revision),
            _replied,
            keep=_kept,
        )


@route(
    area,
    "/api/records/<form>/<id:record_id>/history",
    needs=SIGNED_IN,
    spec=Spec("What became of a record.", answers={200: page_schema(_REVISION)}, tag="records"),
)
def read_history(form: str, record_id: int) -> ResponseReturnValue:
    """Newest first, in the fields the asker may see today."""
    lines = history(reading(), who(), form, record_id)
    return jsonify(page([_line(line) for line in lines], None, len(lines)))


def _line(line: Revision) -> dict[str, Any]:
    return {
        "revision": line.revision,
        "action": line.action,
        "at": stamp(line.at),
        "by": id_text(line.by),
        "changed": {
            key: {"before": before, "after": after} for key, (before, after) in line.changed.items()
        },
    }
