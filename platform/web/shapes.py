"""What travels: ids and moments as JSON, and the schemas the API's answers share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from werkzeug.routing import BaseConverter, ValidationError

ID = {"type": "string", "pattern": "^[0-9]{1,19}$"}
MAYBE_ID = {"type": ["string", "null"], "pattern": "^[0-9]{1,19}$"}
MOMENT = {"type": "string", "format": "date-time"}
MAYBE_MOMENT = {"type": ["string", "null"], "format": "date-time"}
KEY = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"}
LABEL = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"zh-CN": {"type": "string"}, "en": {"type": "string"}},
        },
    ]
}
NOTHING: dict[str, Any] = {}


def thing(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """The schema of an object: properties that must be there, and those that may."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def id_text(number: int | None) -> str | None:
    """An id as JSON: JavaScript's numbers end before ours do."""
    return None if number is None else str(number)


def somebody(person_id: int | None, names: Mapping[int, str]) -> dict[str, str] | None:
    """Who it was, as JSON; None for nobody. names: by id."""
    if person_id is None:
        return None
    return {"id": str(person_id), "name": names.get(person_id, "")}


def stamp(moment: datetime | None) -> str | None:
    """A moment as JSON: `2026-01-31T08:00:00Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


class IdConverter(BaseConverter):
    """`<id:record_id>` in an address: an id as int; anything else is no address of ours."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number >= 2**63:
            raise ValidationError
        return number

    def to_url(self, value: Any) -> str:
        return str(int(value))


def use(app: Flask) -> None:
    """Let addresses hold ids."""
    app.url_map.converters["id"] = IdConverter
