"""Pages of exports that need a second person's yes: asking, what waits, and one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ...platform.exports import ask as deeds
from ...platform.exports.model import Export, State
from ...platform.exports.question import Question, kept_question
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import access
from ...platform.records.behind import behind
from ...platform.records.narrow import ME
from ...platform.records.shape import Shape, shape_of
from ...platform.records.take import columns_of
from ...platform.store.errors import Invalid, Malformed, NotFound, Problem, Refusal
from ...platform.store.session import moment
from ...platform.web.context import local
from ...platform.web.export_api import KINDS
from ...platform.web.exports_api import file_allowed, names_in
from ...platform.web.parts import Trouble
from ...platform.web.request import language, reading, settings, who, write
from ...platform.web.routes import SIGNED_IN, route
from ...platform.web.titles import title_of
from ...platform.web.told import sent, told
from ...platform.web.words import say
from .asked import Asked
from .filters import chips
from .listing import Listing, listing
from .pages import reader_of
from .show import Reader

area = Blueprint("exports", __name__)

MOST = 50
BADGES = {
    State.ASKED: "badge-soon",
    State.ALLOWED: "badge-ok",
    State.REFUSED: "badge-late",
    State.DONE: "",
    State.LAPSED: "",
}


def question_of(this: Listing, kind: str) -> Question:
    """What a list's address asks to be taken out."""
    wanted = this.wanted
    return Question(
        this.form.key,
        kind,
        where=wanted.formula,
        sort=(wanted.sort,) if wanted.sort else (),
        search=wanted.search,
        conditions=wanted.conditions,
        behind=wanted.behind,
    )


@dataclass(frozen=True)
class Notice:
    """A line on the home page."""

    words: str
    url: str
    state: str
    icon: str


def notices(reader: Reader) -> list[Notice]:
    """What waits for the reader's answer, and what was answered to them within the last day."""
    session, actor = reader.session, reader.actor
    found = []
    if waiting := deeds.to_answer(session, actor):
        url = f"/exports/{waiting[0].id}" if len(waiting) == 1 else "/exports"
        words = reader.say("page.exports.notice_waiting", count=len(waiting))
        found.append(Notice(words, url, "soon", "download"))
    now = moment(session)
    for row in deeds.answered_lately(session, actor):
        state = deeds.state_of(row, now)
        if state not in (State.ALLOWED, State.REFUSED):
            continue
        until = local(row.until) if row.until else ""
        form = title_of(reader.session, "form", row.form, reader.language)
        words = reader.say(f"page.exports.notice_{state}", form=form, until=until)
        icon = "circle-check" if state == State.ALLOWED else "circle-alert"
        found.append(
            Notice(words, f"/exports/{row.id}", "ok" if state == State.ALLOWED else "late", icon)
        )
    return found


@route(area, "/records/<form_key>/export/ask", needs=SIGNED_IN, endpoint="ask")
def ask_page(form_key: str) -> ResponseReturnValue:
    """`pages/export_ask.html`: see `_draw_ask`."""
    return _draw_ask(form_key, [])


def _draw_ask(form_key: str, problems: list[Trouble]) -> str:
    """form, url, back, kinds (key, words, chosen), most, facts (of `_facts`), reason, shortest,
    longest, problems."""
    session, actor = reading(), who()
    reader = reader_of(session, actor)
    this = listing(session, actor, reader, form_key)
    kind = _kind(request.form.get("file") or request.args.get("file"))
    question = question_of(this, kind)
    try:
        counted = question.count(session, actor)
    except Invalid as refusal:
        problems, counted = [*problems, *told(refusal)], 0
    pairs = list(this.wanted.pairs(("cursor", "add")))
    facts = _facts(reader, question, columns_of(session, actor, form_key), counted)
    return render_template(
        "pages/export_ask.html",
        form=reader.text(this.form.title),
        url=f"{this.url}/export/ask?{urlencode(pairs)}" if pairs else f"{this.url}/export/ask",
        back=this.wanted.url(this.url),
        kinds=[{"key": each, "words": each.upper(), "chosen": each == kind} for each in KINDS],
        most=settings().export_free,
        facts=facts,
        reason=sent("reason", 400),
        shortest=deeds.SHORTEST,
        longest=deeds.LONGEST,
        problems=problems,
    )


def _kind(text: str | None) -> str:
    kind = text or "xlsx"
    if kind not in KINDS:
        raise Malformed("E_PARAMETER", name="file")
    return kind


@route(
    area, "/records/<form_key>/export/ask", methods=("POST",), needs=SIGNED_IN, endpoint="asking"
)
def asking(form_key: str) -> ResponseReturnValue:
    """Ask, and show what was asked; what is refused is said on the page."""
    actor, free = who(), settings().export_free
    with_reason = sent("reason", 400)
    session = reading()
    question = question_of(
        listing(session, actor, reader_of(session, actor), form_key),
        _kind(request.form.get("file")),
    )
    try:
        number = write(lambda s: deeds.ask(s, actor, question, with_reason, free=free).id)
    except Refusal as refusal:
        return _draw_ask(form_key, told(refusal)), refusal.status
    flash(say(language(), "page.export.asked_now"), "ok")
    return redirect(f"/exports/{number}", 303)


@route(area, "/exports", needs=SIGNED_IN, endpoint="exports")
def all_of_them() -> ResponseReturnValue:
    """`pages/exports.html`: waiting, others (words, by, state, badge, url each)."""
    session, actor = reading(), who()
    reader = reader_of(session, actor)
    waiting = deeds.to_answer(session, actor)
    known = {row.id for row in waiting}
    rows, _ = deeds.mine(session, actor, limit=MOST)
    others = [row for row in rows if row.id not in known]
    names = names_in(session, [*waiting, *others])
    return render_template(
        "pages/exports.html",
        waiting=[_line(reader, row, names) for row in waiting],
        others=[_line(reader, row, names) for row in others],
    )


def _line(reader: Reader, row: Export, names: Mapping[int, str]) -> dict[str, Any]:
    state = deeds.state_of(row, moment(reader.session))
    title = title_of(reader.session, "form", row.form, reader.language)
    name = names.get(row.person_id or 0, "")
    return {
        "words": reader.say("page.exports.one", form=title, rows=row.counted),
        "by": reader.say("page.exports.by", name=name, at=local(row.asked_at)),
        "reason": row.reason,
        "state": reader.say(f"page.exports.state.{state}"),
        "badge": BADGES[state],
        "url": f"/exports/{row.id}",
    }


@route(area, "/exports/<id:export_id>", needs=SIGNED_IN, endpoint="export")
def one(export_id: int) -> ResponseReturnValue:
    """`pages/export.html`: see `_draw_one`."""
    return _draw_one(export_id, [])


def _draw_one(export_id: int, problems: list[Trouble]) -> str:
    """title, line, state, badge, facts, until, said (words and by, or None), done, may,
    name (who asked), number, list_url, problems, typed."""
    session, actor = reading(), who()
    reader = reader_of(session, actor)
    row = deeds.find(session, actor, export_id)
    names = names_in(session, [row])
    state = deeds.state_of(row, moment(session))
    name, line = names.get(row.person_id or 0, ""), _line(reader, row, names)
    question = _spelt_out(kept_question(row.form, row.kind, row.question), row)
    until = ""
    if state in (State.ASKED, State.ALLOWED) and row.until is not None:
        until = reader.say(f"page.export.until_{state}", at=local(row.until))
    done = ""
    if row.done_at is not None:
        done = reader.say("page.export.done", at=local(row.done_at), rows=row.taken)
    said = None
    if row.answered_at is not None:
        by = names.get(row.answered_by or 0, "")
        who_said = reader.say("page.export.said_by", name=by, at=local(row.answered_at))
        said = {"words": row.words, "by": who_said}
    return render_template(
        "pages/export.html",
        title=line["words"],
        line=line["by"],
        state=line["state"],
        badge=line["badge"],
        facts=[
            {"title": reader.say("page.export.reason"), "words": [row.reason]},
            *_facts(reader, question, row.columns, row.counted or 0),
            {"title": reader.say("page.export.reference"), "words": [str(row.id)]},
        ],
        until=until,
        said=said,
        done=done,
        may=deeds.may(session, actor, row),
        name=name,
        number=str(row.id),
        list_url=_list_url(session, actor, question),
        problems=problems,
        typed=sent("words", 400),
        longest=deeds.LONGEST,
    )


def _spelt_out(question: Question, row: Export) -> Question:
    """Whoever reads it is not who asked: `me` is said by name."""
    whose = {str(row.person_id), str(row.unit_id)} - {"None"}
    found = []
    for each in question.conditions:
        values = [one for value in each.values for one in (whose if value == ME else (value,))]
        found.append(replace(each, values=tuple(values)))
    return replace(question, conditions=tuple(found))


def _facts(
    reader: Reader, question: Question, columns: Mapping[str, str], counted: int
) -> list[dict[str, Any]]:
    """What is exported, as words under titles."""
    most = counted + deeds.margin(counted)
    try:
        shape = shape_of(reader.session, question.form)
        filters = _filters(reader, shape, question)
        titles = _columns(reader, shape, columns)
    except Refusal:
        filters, titles = [], list(columns)
    facts = [
        ("rows", [reader.say("page.export.rows_words", rows=counted, most=most)]),
        ("filter", filters or [reader.say("page.export.filter_none")]),
        ("columns", [reader.say("page.comma").join(titles)]),
        ("file", [question.kind.upper()]),
    ]
    return [{"title": reader.say(f"page.export.{key}"), "words": words} for key, words in facts]


def _columns(reader: Reader, shape: Shape, columns: Mapping[str, str]) -> list[str]:
    found = []
    for its in shape.form.ordered:
        if its.key in columns:
            title = reader.text(its.title)
            masked = columns[its.key] == "masked"
            found.append(reader.say("page.export.masked", title=title) if masked else title)
    return found


def _filters(reader: Reader, shape: Shape, question: Question) -> list[str]:
    """The conditions in words, in whole: who says yes reads what they say it to."""
    known = tuple(each for each in question.conditions if each.field in shape.form.fields)
    found = [chip.words for chip in chips(reader, shape.form, Asked(conditions=known), "")]
    if question.where:
        found.append(reader.say("page.filter.formula", formula=question.where))
    if question.search:
        found.append(reader.say("page.export.search", words=question.search))
    if question.behind:
        found.append(_number(reader, question))
    return found


def _number(reader: Reader, question: Question) -> str:
    """Which number's records are meant; by its key where the reader may not see the number."""
    try:
        number = behind(
            reader.session, reader.actor, question.form, question.behind, reader.language
        )
    except Refusal:
        number = None
    return number.words if number else " ".join(question.behind.values())


def _list_url(session: Session, actor: Actor, question: Question) -> str:
    """The list of these records, for who may read the form."""
    if not access(session, actor, question.form).may("read"):
        return ""
    wanted = Asked(
        search=question.search,
        sort=question.sort[0] if len(question.sort) == 1 else "",
        conditions=question.conditions,
        formula=question.where,
        behind=question.behind,
    )
    url = f"/records/{question.form}"
    return wanted.url(url) if any(wanted.pairs()) else f"{url}?view=all"


@route(
    area, "/exports/<id:export_id>", methods=("POST",), needs=SIGNED_IN, endpoint="act_on_export"
)
def act(export_id: int) -> ResponseReturnValue:
    """`act`: allow, refuse, or take the file."""
    actor, wanted, words = who(), sent("act", 20), sent("words", 400)
    try:
        if wanted == "take":
            return file_allowed(export_id)
        if wanted not in ("allow", "refuse"):
            raise Invalid(problems=[Problem("/act", "E_ACT")])
        write(lambda s: deeds.answer(s, actor, export_id, wanted == "allow", words))
    except NotFound:
        raise
    except Refusal as refusal:
        return _draw_one(export_id, told(refusal)), refusal.status
    flash(say(language(), f"page.export.did_{wanted}"), "ok")
    return redirect("/exports", 303)
