"""The page of a form's records as table, board or calendar, and its saved views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ...platform.records.lists import get
from ...platform.records.shape import shape_of
from ...platform.records.submit import change
from ...platform.store.errors import Conflict, Invalid, Malformed, NotAllowed, Refusal, Stale
from ...platform.web.export_api import file_of
from ...platform.web.parts import Trouble
from ...platform.web.request import is_api, reading, who, write
from ...platform.web.routes import SIGNED_IN, route
from . import boards, calendars, table
from .asked import BOARD, CALENDAR, NO_VIEW, PLACES, TABLE, asked_of, stored
from .drawn import Choice
from .export_pages import question_of
from .filters import Chip, chips, filters, others, readable_fields
from .listing import Listing, listing
from .pages import lines, reader_of
from .show import Reader
from .views import remove_view, roles_to_share, save_view

area = Blueprint("record_lists", __name__)

PAGE = 25
ICONS = {TABLE: "table-2", BOARD: "square-kanban", CALENDAR: "calendar-days"}


@route(area, "/records/<form_key>", needs=SIGNED_IN, endpoint="table")
def records(form_key: str) -> ResponseReturnValue:
    """`pages/records.html`: title, url, may (create, import, export), shown_as, ways, views,
    saving, search, carried, sorts, filters, filters_open, others, chips, columns_offered,
    problems, and what the table (columns, rows, pager), the board or the calendar draws."""
    session, actor = reading(), who()
    reader = reader_of(session, actor)
    this = listing(session, actor, reader, form_key)
    problems: list[Trouble] = []
    shown_as = _shown_as(this)
    try:
        drawn = DRAWN[shown_as](this)
    except (Malformed, Invalid) as refusal:
        problems = lines(reader, this.form, refusal)
        drawn = {"columns": [], "rows": [], "pager": {"shown": 0, "total": None}}
        drawn |= {"board": None, "calendar": None}
    return render_template(
        "pages/records.html",
        title=reader.text(this.form.title),
        url=this.url,
        may={action: this.asked.may(action) for action in ("create", "import", "export")},
        shown_as=shown_as,
        problems=problems,
        **_frame(this),
        **drawn,
    )


def _shown_as(this: Listing) -> str:
    """As asked for; a form without the fields for a board or a calendar is shown as a table."""
    asked = this.wanted.shown_as
    return asked if asked == TABLE or PLACED[asked](this) is not None else TABLE


def _frame(this: Listing) -> dict[str, Any]:
    """What stands around the records, however they are shown."""
    reader, wanted = this.reader, this.wanted
    fields = readable_fields(this.form, this.asked)
    offered = filters(reader, fields, wanted)
    used = chips(reader, this.form, wanted, this.url)
    if this.number is not None:
        used.insert(0, Chip(this.number.words, wanted.url(this.url, behind={})))
    return {
        "search": wanted.search,
        "carried": _but(this, "q", "w.", "o.", "sort", "add", "cursor"),
        "carried_columns": _but(this, "c", "cursor", "add"),
        "sorts": table.sorts(reader, this.fields, wanted),
        "filters": offered,
        "filters_open": bool(wanted.added),
        "others": others(reader, fields, offered),
        "chips": used,
        "columns_offered": _columns(this),
        "ways": _ways(this),
        "views": _views(this),
        "saving": _saving(this),
        "exports": _exports(this),
    }


def _but(this: Listing, *besides: str) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in this.wanted.pairs()
        if not any(name == each or (each[-1] == "." and name.startswith(each)) for each in besides)
    ]


def _columns(this: Listing) -> list[Choice]:
    shown = {its.key for its in this.fields}
    return [
        Choice(its.key, this.reader.text(its.title), its.key in shown)
        for its in table.seen_fields(this.form, this.asked)
    ]


def _ways(this: Listing) -> list[dict[str, Any]]:
    """The ways to show these records; only those their form has fields for."""
    found = []
    places = {TABLE: {}, BOARD: boards.places(this), CALENDAR: calendars.places(this)}
    for way, chosen in places.items():
        if chosen is None:
            continue
        url = this.wanted.url(this.url, shown_as=way, places=chosen)
        words = this.reader.say(f"page.view.{way}")
        current = way == this.wanted.shown_as
        found.append({"url": url, "words": words, "icon": ICONS[way], "current": current})
    return found if len(found) > 1 else []


def _views(this: Listing) -> list[dict[str, Any]]:
    """The saved views, and the way back to everything."""
    if not this.views:
        return []
    key = this.wanted.view
    everything = {
        "url": f"{this.url}?view={NO_VIEW}",
        "words": this.reader.say("page.view.all"),
        "current": key in ("", NO_VIEW),
        "own": False,
        "key": "",
        "shared": False,
    }
    return [
        everything,
        *(
            {
                "url": f"{this.url}?view={view.key}",
                "words": this.reader.text(view.title),
                "current": view.key == key,
                "own": view.own,
                "key": view.key,
                "shared": view.role is not None,
            }
            for view in this.views
        ),
    ]


def _saving(this: Listing) -> dict[str, Any]:
    """What the panel for saving a view needs: what is asked for, which title, for whom."""
    reader = this.reader
    roles = roles_to_share(reader.session, reader.actor)
    current = next((view for view in this.views if view.key == this.wanted.view), None)
    return {
        "ask": urlencode(list(this.wanted.pairs(("view", "cursor", "add", "on")))),
        "title": reader.text(current.title) if current and current.own else "",
        "roles": [Choice(key, reader.text(title)) for key, title in roles.items()],
    }


def _exports(this: Listing) -> list[dict[str, str]]:
    """The files that what is listed can be taken out as."""
    if not this.asked.may("export"):
        return []
    asked = [pair for pair in this.wanted.pairs(("cursor", "add", "as", *PLACES))]
    return [
        {"url": f"{this.url}/export?{urlencode([('file', kind), *asked])}", "words": kind.upper()}
        for kind in ("xlsx", "csv")
    ]


def _table(this: Listing) -> dict[str, Any]:
    reader, wanted = this.reader, this.wanted
    page = this.page(PAGE, cursor=wanted.cursor or None, count=True)
    return {
        "columns": table.columns(reader, this.fields, wanted, this.url),
        "rows": table.rows(reader, this.form, this.fields, page.items, this.url),
        "pager": {
            "shown": len(page.items),
            "total": page.total,
            "previous": wanted.url(this.url) if wanted.cursor else None,
            "next": wanted.url(this.url, cursor=page.next) if page.next else None,
        },
    }


DRAWN = {TABLE: _table, BOARD: boards.draw, CALENDAR: calendars.draw}
PLACED = {BOARD: boards.places, CALENDAR: calendars.places}


@route(area, "/records/<form_key>/export", needs=SIGNED_IN, endpoint="export")
def export(form_key: str) -> ResponseReturnValue:
    """The records that are asked for as a file, `file=csv` or `xlsx`; the rest as for the list.
    Where there are more than leave without a yes, the way to where it is asked for."""
    actor = who()
    this = listing(reading(), actor, reader_of(reading(), actor), form_key)
    question = question_of(this, request.args.get("file", "xlsx"))
    try:
        return file_of(question)
    except NotAllowed as refusal:
        if refusal.code != "E_EXPORT_WANTS_YES" or is_api():
            raise
        query = urlencode(list(request.args.items(multi=True)))
        return redirect(f"{this.url}/export/ask?{query}", 303)


@route(area, "/records/<form_key>/views", methods=("POST",), needs=SIGNED_IN)
def keep_view(form_key: str) -> ResponseReturnValue:
    """Save what is asked for as a view, and show it."""
    actor = who()
    ask = MultiDict(parse_qsl(request.form.get("ask", "")[:8000], keep_blank_values=True))
    role = request.form.get("role") or None
    first = request.form.get("first") == "yes"
    title = request.form.get("title", "")

    def deed(session: Session) -> str:
        document = stored(asked_of(shape_of(session, form_key).form, ask))
        return save_view(session, actor, form_key, title, document, role=role, first=first).key

    try:
        key = write(deed)
    except (Invalid, Conflict, NotAllowed) as refusal:
        _tell(reader_of(reading(), actor), refusal)
        return redirect(_back(form_key, ask), 303)
    flash(reader_of(reading(), actor).say("page.view.saved"), "ok")
    return redirect(f"/records/{form_key}?view={key}", 303)


def _back(form_key: str, ask: MultiDict[str, str]) -> str:
    query = urlencode(list(ask.items(multi=True)))
    return f"/records/{form_key}?{query}" if query else f"/records/{form_key}"


@route(area, "/records/<form_key>/views/<view_key>/remove", methods=("POST",), needs=SIGNED_IN)
def drop_view(form_key: str, view_key: str) -> ResponseReturnValue:
    """Remove one's own view."""
    actor = who()
    write(lambda session: remove_view(session, actor, form_key, view_key))
    flash(reader_of(reading(), actor).say("page.view.removed"), "ok")
    return redirect(f"/records/{form_key}?view={NO_VIEW}", 303)


@route(area, "/records/<form_key>/<id:record_id>/move", methods=("POST",), needs=SIGNED_IN)
def move(form_key: str, record_id: int) -> ResponseReturnValue:
    """Give one field of a record another value, as moving its card on a board does."""
    actor = who()
    field, value = request.form.get("field", ""), request.form.get("value") or None
    revision = request.form.get("revision", type=int)

    def deed(session: Session) -> str:
        record = get(session, actor, form_key, record_id)
        given = {field: value}
        change(session, actor, form_key, record_id, given, revision=revision, source="page")
        return record.label

    try:
        label = write(deed)
    except (Invalid, Stale, Conflict, NotAllowed) as refusal:
        reader = reader_of(reading(), actor)
        if is_api():
            return jsonify({"words": _words(reader, form_key, refusal)}), refusal.status
        _tell(reader, refusal, form_key)
        return redirect(_next(form_key), 303)
    words = reader_of(reading(), actor).say("page.board.moved", name=label)
    if is_api():
        revision = get(reading(), actor, form_key, record_id).revision
        return jsonify({"words": words, "revision": revision})
    flash(words, "ok")
    return redirect(_next(form_key), 303)


def _next(form_key: str) -> str:
    """Where the mover came from: a page of this form's records, and no other."""
    wanted = request.form.get("next", "")
    home = f"/records/{form_key}"
    return wanted if wanted.startswith(f"{home}?") and "\\" not in wanted else home


def _tell(reader: Reader, refusal: Refusal, form_key: str | None = None) -> None:
    flash(_words(reader, form_key, refusal), "late")


def _words(reader: Reader, form_key: str | None, refusal: Refusal) -> str:
    form = shape_of(reader.session, form_key).form if form_key else None
    said: Sequence[Trouble] = lines(reader, form, refusal)
    colon = reader.say("page.colon")
    return " ".join(f"{one.title}{colon}{one.words}" if one.title else one.words for one in said)
