"""Printing one record: the sheet as a page, and as PDF.

Whoever may see a record may print it, as they see it. Who printed what is written down before the
sheet is handed out, as with an export.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ...platform.definitions.published import entries, published
from ...platform.events.log import append
from ...platform.events.view_log import Looked, looked, watching
from ...platform.identity.actor import Actor
from ...platform.identity.many_seen import write_shown
from ...platform.identity.tree import tree
from ...platform.paper.pdf import MOST_GIVEN, NotMade, address_of, can_make, make_pdf
from ...platform.records.lists import get
from ...platform.records.record import Record
from ...platform.store.errors import Conflict, Malformed, NotFound, NotUnderstood
from ...platform.store.file_model import FileRow
from ...platform.store.files import open_whole
from ...platform.web.context import local
from ...platform.web.request import close_reading, current_database, language, reading, who
from ...platform.web.routes import SIGNED_IN, route
from ...platform.web.uploads import bodies
from ...platform.web.words import LANGUAGES
from ..forms.asides import Aside
from ..forms.pages import name_of, reader_of
from ..forms.show import Reader
from .definition import Printout, printout_of
from .paper import Paper, lay_out, offered
from .sight import Sight

area = Blueprint("printouts", __name__)

GROUP = "prints"
#: units that are no house with a name over its door
INNER = ("group", "region", "department")
STYLES = Path(__file__).parents[2] / "templates" / "print"


@dataclass(frozen=True)
class Printed:
    """A sheet laid out, with what stands around it. shown: which records it shows, to whom."""

    paper: Paper
    words: dict[str, Any]
    shown: list[Looked]
    record_id: int


@route(area, "/records/<form_key>/<id:record_id>/print/<key>", needs=SIGNED_IN, endpoint="page")
def page(form_key: str, record_id: int, key: str) -> ResponseReturnValue:
    """`pages/print.html`: back, back_title, url, tongue, tongues, may_pdf, and what
    `print/paper.html` needs: paper, house, place, foot, withheld, picture_of. `?in=en`: in
    another language than its reader's."""
    printed = _print(form_key, record_id, key)
    _write_down(printed, "page")
    return render_template(
        "pages/print.html", may_pdf=can_make(), picture_of=_page_picture, **printed.words
    )


@route(area, "/records/<form_key>/<id:record_id>/print/<key>/pdf", needs=SIGNED_IN, endpoint="pdf")
def pdf(form_key: str, record_id: int, key: str) -> ResponseReturnValue:
    """The same as PDF. 503 with E_PDF_… when there is none to be had."""
    if not can_make():
        raise NotMade("E_PDF_ABSENT")
    printed = _print(form_key, record_id, key)
    close_reading()  # the pictures may be far away, and the child takes its time
    files = _files(printed.paper)
    html = render_template("print/pdf.html", picture_of=_pdf_picture, **printed.words)
    styles = [(STYLES / name).read_text("utf-8") for name in ("paper.css", "pdf.css")]
    made = make_pdf(html, styles, files)
    _write_down(printed, "pdf")
    response = Response(made.pdf, mimetype="application/pdf")
    name = f"{printed.paper.title}.pdf"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def about_record(reader: Reader, record: Record) -> list[Aside]:
    """What a record's page offers to print. A printout that holds no more is none of it."""
    sight = Sight(reader, record)
    base = f"/records/{record.form.key}/{record.id}/print"
    found = []
    with watching():  # what decides is asked for, and shown to nobody
        for printout in printouts_of(reader.session, record.form.key):
            try:
                if offered(sight, printout):
                    title = reader.text(printout.title)
                    found.append(Aside(GROUP, title, "", f"{base}/{printout.key}", ""))
            except (Conflict, NotUnderstood):
                continue
    return found


def printouts_of(session: Session, form_key: str) -> Iterator[Printout]:
    """The printouts of a form that are in force, as far as this version can read them."""
    for entry in entries(session, "printout"):
        if published(session, "printout", entry.key).document.get("form") == form_key:
            try:
                yield printout_of(session, entry.key)
            except NotUnderstood:
                continue


def _print(form_key: str, record_id: int, key: str) -> Printed:
    session, actor = reading(), who()
    tongue = request.args.get("in", language())
    if tongue not in LANGUAGES:
        raise Malformed("E_PARAMETER", name="in")
    reader = replace(reader_of(session, actor), language=tongue)
    with _looking(actor) as shown:
        record = get(session, actor, form_key, record_id)
        printout = printout_of(session, key)
        if printout.form != form_key or not offered(Sight(reader, record), printout):
            raise NotFound(kind="printout", key=key)
        paper = lay_out(reader, record, printout)
        words = _words(reader, record, paper)
    return Printed(paper, words, shown, record_id)


@contextmanager
def _looking(actor: Actor) -> Iterator[list[Looked]]:
    """Gathers what is shown meanwhile, as printed."""
    shown: list[Looked] = []
    with watching() as notes:
        yield shown
    now, address = current_database().clock.now(), request.remote_addr or ""
    shown += looked(notes, now, actor.person_id, address, "print")


def _write_down(printed: Printed, as_what: str) -> None:
    """Who printed what, of which version; before it is handed out."""
    actor, printout = who(), printed.paper.printout
    subject = (f"form:{printout.form}", printed.record_id)
    data = {"form": printout.form, "printout": printout.key, "version": printout.version}

    def deed(session: Session) -> None:
        write_shown(session, printed.shown)
        append(session, "record:printed", actor, subject, actor.unit_id, {**data, "as": as_what})

    close_reading()
    current_database().write(deed)


def _words(reader: Reader, record: Record, paper: Paper) -> dict[str, Any]:
    """What stands around the blocks: whose paper, of which record, printed by whom."""
    url = f"/records/{record.form.key}/{record.id}"
    places = tree(reader.session)
    above = [places.places[at] for at in places.above(record.unit_id)]
    place = next((each for each in above if each.type not in INNER), None)
    name = name_of(reader, record)
    now = current_database().clock.now()
    return {
        "back": url,
        "back_title": name,
        "url": f"{url}/print/{paper.printout.key}",
        "tongue": reader.language,
        "tongues": LANGUAGES,
        "paper": paper,
        "title": paper.title,
        "house": reader.text(above[-1].title) if above else "",
        "place": reader.text(place.title) if place else "",
        "foot": _foot(reader, name, now),
        "withheld": reader.say("print.withheld") if paper.withheld else "",
        "tell": reader.say,
    }


def _foot(reader: Reader, name: str, now: datetime) -> str:
    who_printed = reader.actor.name or reader.actor.login
    return reader.say("print.foot", record=name, who=who_printed, at=local(now))


def _page_picture(row: FileRow) -> str:
    return f"/api/files/{row.id}"


def _pdf_picture(row: FileRow) -> str:
    return address_of(row.id)


def _files(paper: Paper) -> dict[str, bytes]:
    """The pictures on a sheet, whole. Raises NotMade when they are too large together."""
    rows = [row for block in paper.blocks for row in block.pictures]
    if sum(row.size for row in rows) > MOST_GIVEN:
        raise NotMade("E_PDF_LARGE")
    found = {}
    for row in rows:
        with open_whole(bodies(), row) as body:
            found[row.id] = body.read()
    return found
