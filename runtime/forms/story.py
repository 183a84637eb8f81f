"""What became of a record, in words, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...platform.definitions.faults import Fault
from ...platform.identity.people import names_of
from ...platform.records.choices import labels
from ...platform.records.past import history
from ...platform.records.record import Record
from ...platform.web.context import local
from ...platform.web.parts import Change, Line
from .show import Reader, shown

MOST_NAMED = 4


def story(reader: Reader, record: Record, most: int = 30) -> list[Line]:
    """A record's history as far as its reader may see its fields."""
    revisions = history(reader.session, reader.actor, record.form.key, record.id)[:most]
    names = names_of(reader.session, {each.by for each in revisions})
    newest = revisions[0].revision if revisions else 0
    base = f"/records/{record.form.key}/{record.id}"
    lines = []
    for each in revisions:
        if each.action in ("submit", "create", "import"):
            words = reader.say("page.record.created_by")
        elif each.action in ("retire", "restore"):
            words = reader.say(f"page.record.{each.action}d_by")
        else:
            titles = [reader.text(record.form.fields[key].title) for key in each.changed]
            if not titles:
                continue  # only what the reader may not see was changed
            more = "…" if len(titles) > MOST_NAMED else ""
            named = reader.say("page.comma").join(titles[:MOST_NAMED]) + more
            how = "recomputed" if each.action == "recompute" else "changed"
            words = reader.say(f"page.record.{how}", fields=named)
        who = names.get(each.by or 0) or reader.say("page.record.by_flow")
        url = "" if each.revision == newest else f"{base}?revision={each.revision}"
        changes = _changes(reader, record, each.changed) if each.action == "change" else []
        lines.append(Line(words, moment_words(each.at), who, url, changes=changes))
    return lines


def _changes(
    reader: Reader, record: Record, changed: Mapping[str, tuple[Any, Any]]
) -> list[Change]:
    """Each field's values in words, those before and after, as far as the reader may see them."""
    return [
        Change(
            reader.text(record.form.fields[key].title),
            _words(reader, record, key, before),
            _words(reader, record, key, after),
        )
        for key, (before, after) in changed.items()
        if record.form.fields[key].rows is None
    ]


def _words(reader: Reader, record: Record, key: str, value: Any) -> str:
    its, right = record.form.fields[key], record.rights[key]
    if value is None or right == "masked":
        return str(value or "")
    try:
        taken = its.take(value, None, reader.zone)
    except Fault:  # the field's limits were others then
        return str(value)
    named = {}
    if its.link_form and isinstance(taken, int):
        named = {key: labels(reader.session, reader.actor, its.link_form, {taken})}
    return shown(reader, its, taken, right, named)


def moment_words(at: datetime) -> str:
    """An instant on the asker's clock."""
    return local(at)
