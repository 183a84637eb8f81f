"""What an expression gave, in words for paper."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ...platform.definitions.field_number import show_money
from ...platform.definitions.field_time import show_minute
from ...platform.expressions import Type
from ...platform.identity.people import names_of
from ...platform.identity.tree import tree
from ...platform.records.choices import labels
from ..forms.show import Reader, in_yuan

COMMA = "page.comma"


def worded(reader: Reader, value: Any, kind: Type) -> str:
    """A value of a formula. A choice inside a formula is its key; alone it would be a field, and
    is shown by `Sight` as any field is."""
    if value is None:
        return ""
    if kind.name == "list":
        each = kind.of or kind
        return reader.say(COMMA).join(worded(reader, one, each) for one in value)
    if kind.name == "bool":
        return reader.say("page.field.yes" if value else "page.field.no")
    if kind.name == "money":
        return in_yuan(show_money(Decimal(value), kind.scale))
    if isinstance(value, Decimal):
        plain = value.quantize(Decimal(1)) if value == value.to_integral() else value.normalize()
        return f"{plain:f}"
    if isinstance(value, datetime):
        return show_minute(value, reader.zone)
    if isinstance(value, date):
        return value.isoformat()
    if kind.name == "person":
        return names_of(reader.session, [int(value)]).get(int(value), "")
    if kind.name == "row":
        return _called(reader, value, kind.form or "")
    return str(value)


def _called(reader: Reader, value: Any, form: str) -> str:
    """What a linked record, or a unit, is called."""
    number = value.get("_id") if isinstance(value, Mapping) else value
    if number is None:
        return ""
    if form == "unit":
        place = tree(reader.session).places.get(int(number))
        return reader.text(place.title) if place else ""
    return labels(reader.session, reader.actor, form, {int(number)}).get(int(number), "")
