"""The records that link to a record, form by form, as its reader may see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...platform.definitions.fields import Field
from ...platform.definitions.form import Form, form_of
from ...platform.definitions.form_scope import form_entries
from ...platform.definitions.published import published
from ...platform.identity.permissions import Access, access
from ...platform.records.fills import fills_of
from ...platform.records.lists import list_records
from ...platform.records.narrow import Condition, narrowed
from ...platform.records.record import Record
from ...platform.records.shape import shape_of
from .filters import readable_fields
from .show import Reader, link_labels, shown
from .table import listed, to_be_named

SHOWN = 5  # of each form; the rest is behind a link
WORDS = 4  # of each record


@dataclass(frozen=True)
class RelatedRow:
    """One record: its page, and what it is in words."""

    url: str
    title: str
    words: Sequence[str]


@dataclass(frozen=True)
class Related:
    """The records of one form that link here by one field. url: all of them; new: one more, of a
    form that is about such a record: it must have one, or takes values from it."""

    title: str
    count: int
    rows: Sequence[RelatedRow]
    url: str
    new: str


def related(reader: Reader, record: Record) -> list[Related]:
    """Forms with records that link here, and those in which one may be begun."""
    found = []
    for form, its, asked in _linking(reader, record.form.key):
        group = _group(reader, record, form, its, asked)
        if group.count or group.new:
            found.append(group)
    return sorted(found, key=lambda group: not group.count)


def _linking(reader: Reader, target: str) -> Iterator[tuple[Form, Field, Access]]:
    """Each form's fields that lead to the target, where the reader may read them."""
    for entry in form_entries(reader.session):
        form = form_of(published(reader.session, "form", entry.key))
        asked = access(reader.session, reader.actor, entry.key)
        if asked.may("read") and target in form.links.values():
            for its in readable_fields(form, asked):
                if its.link_form == target:
                    yield form, its, asked


def _group(reader: Reader, record: Record, form: Form, its: Field, asked: Access) -> Related:
    session, actor = reader.session, reader.actor
    here = Condition(its.key, "is", (str(record.id),))
    shape = shape_of(session, form.key)
    clauses = narrowed(session, actor, asked, shape, [here])
    page = list_records(session, actor, form.key, extra=clauses, limit=SHOWN, count=True)
    fields = [each for each in listed(form, asked) if each.link_form != record.form.key]
    fields.sort(key=lambda each: each.key != form.label)
    named = link_labels(reader, form, page.items)
    base = f"/records/{form.key}"
    fills = any(source.key == its.key for source, _ in fills_of(session, form))
    about = (its.required or fills) and form.key != record.form.key
    may_begin = about and its.by_people and asked.may("create") and record.retired_at is None
    title = reader.text(form.title)
    if list(form.links.values()).count(record.form.key) > 1:
        title = reader.say("page.related.by", form=title, field=reader.text(its.title))
    return Related(
        title,
        page.total or 0,
        [_row(reader, each, fields, named, base) for each in page.items],
        f"{base}?w.{its.key}={record.id}",
        f"{base}/new?v.{its.key}={record.id}" if may_begin else "",
    )


def _row(
    reader: Reader,
    record: Record,
    fields: Sequence[Field],
    named: dict[str, dict[int, str]],
    base: str,
) -> RelatedRow:
    unsaid = to_be_named(fields)
    words: list[str] = []
    for its in fields:
        said = shown(reader, its, record.values.get(its.key), record.rights[its.key], named)
        if said and words and its.key in unsaid:
            said = f"{reader.text(its.title)}{reader.say('page.colon')}{said}"
        if said:
            words.append(said)
    title, *more = words or [reader.say("page.record.number", number=record.id)]
    return RelatedRow(f"{base}/{record.id}", title, more[: WORDS - 1])
