"""Pages of reports and dashboards: those one may read, one report, one dashboard."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ...platform.definitions.form_scope import readable_form
from ...platform.definitions.published import entries
from ...platform.identity.permissions import access, allowed
from ...platform.store.errors import Malformed, NotUnderstood, Unavailable
from ...platform.web.parts import Trouble
from ...platform.web.request import language, reading, who
from ...platform.web.routes import SIGNED_IN, route
from ...platform.web.told import said, told
from ...platform.web.words import say, text
from .bar import FilterBar, address, filter_bar
from .dashboard import Dashboard, Item, dashboard_of
from .definition import Report, report_of
from .drawn import Drawn, drawn
from .lens import lens_of
from .question import Question, question_of
from .run import run_report

area = Blueprint("reports", __name__)


@route(area, "/reports", needs=SIGNED_IN, endpoint="reports")
def reports() -> ResponseReturnValue:
    """`pages/reports.html`: dashboards and reports (title, url, words)."""
    tongue = language()
    found = []
    for report in _readable():
        form = readable_form(reading(), report.form)
        words = text(report.help, tongue) or text(form.title if form else "", tongue)
        found.append(_tile(text(report.title, tongue), f"/reports/{report.key}", words))
    boards = [
        _tile(
            text(board.title, tongue), f"/reports/dashboards/{board.key}", text(board.help, tongue)
        )
        for board in _dashboards()
    ]
    return render_template("pages/reports.html", dashboards=boards, reports=found)


def _tile(title: str, url: str, words: str) -> dict[str, str]:
    return {"title": title, "url": url, "words": words}


def _readable() -> list[Report]:
    """The reports the asker may read."""
    session, actor = reading(), who()
    found = []
    for entry in entries(session, "report"):
        if allowed(session, actor, f"reports.read:{entry.key}"):
            with suppress(NotUnderstood):
                report = report_of(session, entry.key)
                if access(session, actor, report.form).may("read"):
                    found.append(report)
    return found


def _dashboards() -> list[Dashboard]:
    session, actor = reading(), who()
    found = []
    for entry in entries(session, "dashboard"):
        if allowed(session, actor, f"dashboards.read:{entry.key}"):
            with suppress(NotUnderstood):
                found.append(dashboard_of(session, entry.key))
    return found


@route(area, "/reports/<key>", needs="reports.read:{key}", endpoint="report")
def report(key: str) -> ResponseReturnValue:
    """`pages/report.html`: title, line, bar (see `FilterBar`), shown (see `Drawn`; none when it
    took too long), problems."""
    session, actor, tongue = reading(), who(), language()
    definition = report_of(session, key)
    lens = lens_of(session, actor, definition)
    url = f"/reports/{key}"
    question, problems = _question()
    shown: Drawn | None = None
    try:
        question.dimensions(definition)
        answer = run_report(session, actor, key, question, language=tongue)
        shown = drawn(lens, answer, actor, tongue, url)
    except (Malformed, Unavailable) as refusal:
        problems += told(refusal)
        if isinstance(refusal, Malformed):
            question = Question()
    bar = filter_bar(
        lens,
        question,
        url,
        period=definition.period,
        fields=definition.filters,
        days=question.days(definition, lens.today()),
        language=tongue,
    )
    form = text(lens.shape.form.title, tongue)
    return render_template(
        "pages/report.html",
        title=text(definition.title, tongue),
        line=say(tongue, "page.report.line", form=form),
        bar=bar,
        shown=shown,
        problems=problems,
    )


def _question() -> tuple[Question, list[Trouble]]:
    """What the address asks, and what is wrong with it."""
    try:
        return question_of(request.args), []
    except Malformed as refusal:
        return Question(), told(refusal)


@dataclass(frozen=True)
class Card:
    """A report's place on a dashboard. url: its own page, with the same question; trouble: why it
    is not shown."""

    item: Item
    title: str
    url: str
    shown: Drawn | None
    trouble: str = ""


@route(area, "/reports/dashboards/<key>", needs="dashboards.read:{key}", endpoint="dashboard")
def dashboard(key: str) -> ResponseReturnValue:
    """`pages/dashboard.html`: title, help, bar (none where the reader sees no report), cards,
    problems."""
    session, tongue = reading(), language()
    board = dashboard_of(session, key)
    question, problems = _question()
    if question.period == "":
        question = replace(question, period=board.period)
    seen = {report.key: report for report in _readable()}
    drawn_or_lost = (
        _card(item, seen[item.report], question) if item.report in seen else _lost(item)
        for item in board.items
    )
    cards = [card for card in drawn_or_lost if card is not None]
    shown = (seen[item.report] for item in board.items if item.report in seen)
    first = next((each for each in shown if readable_form(session, each.form)), None)
    return render_template(
        "pages/dashboard.html",
        title=text(board.title, tongue),
        help=text(board.help, tongue),
        bar=None if first is None else _board_bar(board, first, question),
        cards=cards,
        problems=problems,
    )


def _board_bar(board: Dashboard, report: Report, question: Question) -> FilterBar:
    lens = lens_of(reading(), who(), report)
    asked = question if question.period != board.period else replace(question, period="")
    return filter_bar(
        lens,
        asked,
        f"/reports/dashboards/{board.key}",
        period=board.period,
        fields=board.filters,
        days=question.days(report, lens.today()),
        language=language(),
    )


def _card(item: Item, report: Report, question: Question) -> Card:
    session, actor, tongue = reading(), who(), language()
    asked = replace(question, by=item.by)
    own = f"/reports/{report.key}"
    title, url = text(report.title, tongue), address(own, asked)
    try:
        answer = run_report(session, actor, report.key, asked, language=tongue)
    except (Malformed, Unavailable, NotUnderstood) as refusal:
        return Card(item, title, url, None, said(refusal.code, refusal.params))
    return Card(
        item, title, url, drawn(lens_of(session, actor, report), answer, actor, tongue, own)
    )


def _lost(item: Item) -> Card | None:
    """The place of a report that this version cannot read, for those who may read it."""
    if not allowed(reading(), who(), f"reports.read:{item.report}"):
        return None
    try:
        report_of(reading(), item.report)
    except NotUnderstood as refusal:
        url, words = f"/reports/{item.report}", said(refusal.code, refusal.params)
        return Card(item, item.report, url, None, words)
    return None  # its form is not theirs
