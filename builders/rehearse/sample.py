"""A sample record to begin with: what a form must hold, filled in so that it comes in."""

from datetime import datetime
from typing import Any

from ...platform.definitions.fields import Field
from ...platform.definitions.form import Form
from ...platform.definitions.options import Options
from ...platform.records.choices import choices_of
from ...runtime.forms.show import Reader

CALLED = "page.rehearse.called"
MOBILE = "19900000000"
"""In the range that is given to nobody."""


def rights_of(form: Form) -> dict[str, str]:
    """What may be filled in: what people write. Links and files lead to what is not there."""
    return {
        key: "write" if its.by_people and not (its.link_form or its.type.holds_files) else "hidden"
        for key, its in form.fields.items()
    }


def sample_of(reader: Reader, form: Form, now: datetime) -> dict[str, Any]:
    """Python values for the fields that have to be there (a number to call mostly has to, by a
    condition), as far as one value is as good as another."""
    rights = rights_of(form)
    found = {}
    for key, its in form.fields.items():
        named = key == form.label and its.type.name == "text"
        wanted = its.required or its.type.name == "phone" or named
        if wanted and rights[key] == "write":
            value = reader.say(CALLED) if named else _value(reader, its, now)
            if value is not None:
                found[key] = value
    return found


def _value(reader: Reader, its: Field, now: datetime) -> Any:
    kind = its.type.name
    if kind == "phone":
        return MOBILE
    if kind in ("text", "longtext"):
        return reader.text(its.title)[: its.schema.get("maxLength", 40)]
    if kind == "yesno":
        return True
    if kind == "datetime":
        return now.replace(second=0, microsecond=0)
    if kind == "date":
        return now.astimezone(reader.zone).date()
    if kind in ("choice", "choices"):
        known = choices_of(reader.session, its)
        first = next(iter(known.titles), None) if isinstance(known, Options) else None
        return [first] if kind == "choices" and first else first
    return None
