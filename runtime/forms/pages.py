"""Pages of a form's records: the forms there are, the table, one record, filling one in.

Each template's needs stand at the view that draws it; every word it gets is in the reader's
language already.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ...platform.definitions.faults import Fault
from ...platform.definitions.form import Form
from ...platform.definitions.form_scope import form_entries
from ...platform.events.view_log import watching
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import access, allowed
from ...platform.identity.tree import intake_of
from ...platform.records.choices import labels, offer
from ...platform.records.compute import settle
from ...platform.records.lists import get, list_records, may_do
from ...platform.records.past import as_of
from ...platform.records.record import Record
from ...platform.records.shape import shape_of
from ...platform.records.submit import change, submit
from ...platform.records.trail import RIGHT as TRAIL
from ...platform.store.errors import Invalid, NotAllowed, Problem, Refusal, Stale
from ...platform.web.context import local
from ...platform.web.parts import Trouble
from ...platform.web.request import current_database, language, reading, who, write
from ...platform.web.routes import SIGNED_IN, route
from ...platform.web.words import say
from .asides import asides
from .attach import posted_files
from .behaviour import rights_to_create, to_fill_in
from .related import related
from .row_fields import arranged
from .show import LINKS_OFFERED, Filling, Reader, by_field, draw_read, posted, troubles
from .story import story

area = Blueprint("records", __name__)

BEGUN = "v."


def reader_of(session: Session, actor: Actor) -> Reader:
    """The asker as a reader of this page."""
    return Reader(session, actor, language(), ZoneInfo(actor.time_zone))


@route(area, "/records", needs=SIGNED_IN, endpoint="forms")
def forms() -> ResponseReturnValue:
    """`pages/forms.html`: forms (title, words, url), may_packs."""
    session, actor = reading(), who()
    reader = reader_of(session, actor)
    found = []
    for entry in form_entries(session):
        asked = access(session, actor, entry.key)
        if asked.may("read"):
            with watching():  # it counts, and shows no record
                count = list_records(session, actor, entry.key, limit=1, count=True).total
            found.append(
                {
                    "title": reader.text(entry.title),
                    "url": f"/records/{entry.key}",
                    "words": reader.say("page.forms.count", count=count),
                }
            )
    may_packs = allowed(session, actor, "packs.read")
    return render_template("pages/forms.html", forms=found, may_packs=may_packs)


@route(area, "/records/<form_key>/<id:record_id>", needs=SIGNED_IN, endpoint="record")
def record(form_key: str, record_id: int) -> ResponseReturnValue:
    """`pages/record.html`: label, title, line, url, list_url, call, may (change, retire, restore),
    revision, retired, past (in words, when it is `?revision=N` that is shown), drawn, blanks
    (titles of what is not filled in), related, tasks, runs, events, prints, trail, trail_url."""
    session, actor = reading(), who()
    reader = reader_of(session, actor)
    found, past = get(session, actor, form_key, record_id), ""
    newest = found.revision
    if (revision := request.args.get("revision", type=int)) and revision != newest:
        found = as_of(session, actor, form_key, record_id, revision=revision)
        past = reader.say("page.record.past", at=local(found.updated_at), revision=revision)
    drawn = draw_read(reader, found)
    may = {
        action: not past and may_do(session, actor, form_key, record_id, action)
        for action in ("change", "retire")
    }
    in_use = found.retired_at is None
    may = {
        "change": in_use and may["change"],
        "retire": in_use and may["retire"],
        "restore": not in_use and may["retire"],
    }
    blank = [
        each.title
        for each in drawn.fields
        if not each.shown and found.form.fields[each.key].by_people
    ]
    beside = [] if past else asides(reader, found)
    may_trail = allowed(session, actor, TRAIL)
    return render_template(
        "pages/record.html",
        label=name_of(reader, found),
        title=reader.text(found.form.title),
        line=reader.say("page.record.line", at=local(found.created_at), revision=found.revision),
        url=f"/records/{form_key}/{record_id}",
        list_url=f"/records/{form_key}",
        call=next((each.call for each in drawn.fields if each.call), ""),
        may=may,
        revision=newest,
        past=past,
        retired=local(found.retired_at) if found.retired_at else "",
        drawn=drawn,
        blanks=reader.say("page.comma").join(blank),
        trail=story(reader, found),
        trail_url=f"/trail?subject=form:{form_key}/{record_id}" if may_trail else "",
        related=[] if past else related(reader, found),
        tasks=[each for each in beside if each.group == "tasks"],
        runs=[each for each in beside if each.group == "runs"],
        events=[each for each in beside if each.group == "events"],
        prints=[each for each in beside if each.group == "prints"],
    )


def name_of(reader: Reader, record: Record) -> str:
    """What a record is called; without a name of its own, whom it is about and when."""
    if record.label:
        return record.label
    if record.form.label is None:
        return labels(reader.session, reader.actor, record.form.key, {record.id})[record.id]
    return reader.say("page.record.number", number=record.id)


@route(area, "/records/<form_key>/offer", needs=SIGNED_IN, endpoint="offer")
def offered(form_key: str) -> ResponseReturnValue:
    """The records that a text finds, to pick one for a link: `[{"id", "words"}]`."""
    found = offer(reading(), who(), form_key, request.args.get("q", "")[:200], LINKS_OFFERED)
    return jsonify([{"id": str(at), "words": words} for at, words in found])


@route(area, "/records/<form_key>/new", needs=SIGNED_IN, endpoint="new")
def new(form_key: str) -> ResponseReturnValue:
    """`pages/fill.html`: title, line, url, back, back_title, drawn, problems, revision,
    draft_key. `v.FIELD=VALUE` in the address begins with that value."""
    session, actor = reading(), who()
    begun = {
        name.removeprefix(BEGUN): value[:200]
        for name, value in request.args.items()
        if name.startswith(BEGUN)
    }
    return _draw_new(session, actor, form_key, begun=begun)


def _begun(
    form: Form, rights: Mapping[str, str], texts: Mapping[str, str], zone: tzinfo
) -> dict[str, Any]:
    """What an address begins a record with, where it can be read and its reader may write it."""
    values: dict[str, Any] = {}
    typed: MultiDict[str, str] = MultiDict(texts)
    for key, value in posted(form, typed, rights, zone).items():
        if value is not None:
            try:
                values[key] = form.fields[key].take(value, None, zone)
            except Fault:
                continue
    return values


@route(area, "/records/<form_key>/new", methods=("POST",), needs=SIGNED_IN)
def create(form_key: str) -> ResponseReturnValue:
    """Write the record, or draw the form again with what is wrong at each field."""
    actor = who()
    typed, refused, only_rows = _sent(actor, form_key)
    if only_rows:
        return _draw_new(reading(), actor, form_key, typed)

    def deed(session: Session) -> Record:
        reader = reader_of(session, actor)
        form = shape_of(session, form_key).form
        rights = rights_to_create(reader, form, _home(session, actor))
        given = posted(form, typed, rights, reader.zone)
        given = {key: value for key, value in given.items() if value is not None}
        return submit(session, actor, form_key, given, source="page")

    try:
        _need_none(refused)
        made = write(deed)
    except Invalid as refusal:
        return _draw_new(reading(), actor, form_key, typed, refusal), 422
    flash(say(language(), "page.record.created"), "ok")
    return redirect(f"/records/{form_key}/{made.id}", 303)


def _sent(actor: Actor, form_key: str) -> tuple[MultiDict[str, str], list[Problem], bool]:
    """What the page sent, what was refused of its files, and whether it only asks for a row of a
    sub-form more or less."""
    typed, refused = posted_files(actor, form_key)
    with current_database().read() as session:
        form = shape_of(session, form_key).form
    typed, only_rows = arranged(form, typed)
    return typed, refused, only_rows


def _need_none(refused: list[Problem]) -> None:
    """Raises Invalid when a file was refused."""
    if refused:
        raise Invalid(problems=refused)


def _home(session: Session, actor: Actor) -> int | None:
    """Where a record without a branch of its own will belong."""
    return intake_of(session, actor.unit_id)


def _draw_new(
    session: Session,
    actor: Actor,
    form_key: str,
    typed: MultiDict[str, str] | None = None,
    refusal: Refusal | None = None,
    begun: Mapping[str, str] | None = None,
) -> str:
    reader = reader_of(session, actor)
    form = shape_of(session, form_key).form
    access(session, actor, form_key).need("create")
    rights = rights_to_create(reader, form, _home(session, actor))
    given = _begun(form, rights, begun or {}, reader.zone)
    values = settle(session, actor, form, given, None, reader.zone).values
    title = reader.text(form.title)
    return _draw_fill(
        reader,
        form,
        Filling(rights, values, typed),
        refusal,
        title=reader.say("page.records.new_title", form=title),
        url=f"/records/{form_key}/new",
        back=f"/records/{form_key}",
        back_title=title,
        draft_key=draft_key(actor, form, "new"),
    )


@route(area, "/records/<form_key>/<id:record_id>/edit", needs=SIGNED_IN, endpoint="edit")
def edit(form_key: str, record_id: int) -> ResponseReturnValue:
    """`pages/fill.html`, as `new`."""
    session, actor = reading(), who()
    return _draw_edit(session, actor, get(session, actor, form_key, record_id))


@route(area, "/records/<form_key>/<id:record_id>/edit", methods=("POST",), needs=SIGNED_IN)
def save(form_key: str, record_id: int) -> ResponseReturnValue:
    """Change the record; when another was faster, show theirs and keep what was typed."""
    actor = who()
    typed, refused, only_rows = _sent(actor, form_key)
    if only_rows:
        found = get(reading(), actor, form_key, record_id)
        return _draw_edit(reading(), actor, found, typed)
    revision = typed.get("_revision", type=int)

    def deed(session: Session) -> Record:
        reader = reader_of(session, actor)
        seen = get(session, actor, form_key, record_id)
        given = posted(seen.form, typed, seen.rights, reader.zone)
        return change(session, actor, form_key, record_id, given, revision=revision, source="page")

    try:
        _need_none(refused)
        write(deed)
    except (Invalid, Stale) as refusal:
        session = reading()
        found = get(session, actor, form_key, record_id)
        return _draw_edit(session, actor, found, typed, refusal), refusal.status
    flash(say(language(), "page.record.saved"), "ok")
    return redirect(f"/records/{form_key}/{record_id}", 303)


def _draw_edit(
    session: Session,
    actor: Actor,
    found: Record,
    typed: MultiDict[str, str] | None = None,
    refusal: Refusal | None = None,
) -> str:
    form = found.form
    if not may_do(session, actor, form.key, found.id, "change"):
        raise NotAllowed(form=form.key, action="change")
    reader = reader_of(session, actor)
    return _draw_fill(
        reader,
        form,
        Filling(found.rights, found.values, typed),
        refusal,
        title=reader.say("page.record.edit_title", form=reader.text(form.title)),
        line=found.label,
        url=f"/records/{form.key}/{found.id}/edit",
        back=f"/records/{form.key}/{found.id}",
        back_title=found.label or reader.text(form.title),
        revision=found.revision,
        draft_key=draft_key(actor, form, str(found.id)),
    )


def _draw_fill(
    reader: Reader, form: Form, filling: Filling, refusal: Refusal | None, **more: Any
) -> str:
    problems = lines(reader, form, refusal) if refusal else []
    filling = Filling(
        filling.rights, filling.values, filling.typed, filling.fixed, by_field(problems)
    )
    drawn = to_fill_in(reader, form, filling)
    return render_template("pages/fill.html", drawn=drawn, problems=problems, **more)


def lines(reader: Reader, form: Form | None, refusal: Refusal) -> list[Trouble]:
    """A refusal as lines above the form: its problems, or itself when it names none."""
    if isinstance(refusal, Stale):
        return [Trouble(reader.say("page.record.stale"))]
    found = troubles(reader, form, refusal.problems)
    words = reader.say(f"problem.{refusal.code}", **refusal.params)
    return found or [Trouble(words)]


def draft_key(actor: Actor, form: Form, what: str) -> str:
    """Under which a browser keeps what was typed; empty for forms that hold what must not stay."""
    medical = any(its.sensitive == "medical" or its.encrypted for its in form.fields.values())
    return "" if medical else f"{actor.person_id}:{form.key}:{form.version}:{what}"
