"""Pages of reports: those one may read, and one of them as number, bars and table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ...platform.definitions.form import form_of
from ...platform.definitions.published import entries, published
from ...platform.identity.permissions import access, allowed
from ...platform.store.errors import Malformed
from ...platform.web.request import language, reading, who
from ...platform.web.routes import SIGNED_IN, route
from ...platform.web.words import say, text
from .definition import Report, read_report
from .run import Answer, run_report

area = Blueprint("reports", __name__)

MOST_BARS = 20


@route(area, "/reports", needs=SIGNED_IN, endpoint="reports")
def reports() -> ResponseReturnValue:
    """`pages/reports.html`: reports (title, url, words)."""
    session, actor, tongue = reading(), who(), language()
    found = []
    for entry in entries(session, "report"):
        if not allowed(session, actor, f"reports.read:{entry.key}"):
            continue
        report = read_report(published(session, "report", entry.key).document)
        if not access(session, actor, report.form).may("read"):
            continue
        title = text(report.title, tongue)
        words = text(report.help, tongue) or text(_form_title(report), tongue)
        found.append({"title": title, "url": f"/reports/{entry.key}", "words": words})
    return render_template("pages/reports.html", reports=found)


def _form_title(report: Report) -> Any:
    return form_of(published(reading(), "form", report.form)).title


@route(area, "/reports/<key>", needs="reports.read:{key}", endpoint="report")
def report(key: str) -> ResponseReturnValue:
    """`pages/report.html`: title, line, url, since, until, dated, problems; measure_title, total,
    bars (name, value, share), chart_label, heads, rows."""
    session, actor, tongue = reading(), who(), language()
    problems: list[dict[str, str]] = []
    since, until = _day("from"), _day("until")
    try:
        answer = run_report(session, actor, key, since=since, until=until, language=tongue)
    except Malformed as refusal:
        problems.append(
            {
                "key": "",
                "title": "",
                "words": say(tongue, f"problem.{refusal.code}", **refusal.params),
            }
        )
        answer = run_report(session, actor, key, language=tongue)
    form = text(_form_title(answer.report), tongue)
    return render_template(
        "pages/report.html",
        title=text(answer.report.title, tongue),
        line=say(tongue, "page.report.line", form=form),
        url=f"/reports/{key}",
        since=since.isoformat() if since else "",
        until=until.isoformat() if until else "",
        dated=answer.report.date is not None,
        problems=problems,
        **drawn(answer, tongue),
    )


def _day(name: str) -> date | None:
    """A day from the address; what is no day is as good as none."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def drawn(answer: Answer, tongue: str) -> Mapping[str, Any]:
    """An answer in words: its first measure as number and bars, all of it as a table."""
    groups = len(answer.report.dimensions)
    measure = answer.columns[groups] if len(answer.columns) > groups else None
    most = max((float(row[groups] or 0) for row in answer.rows), default=0.0)
    bars = [
        {
            "name": name_of(answer, row, tongue),
            "value": _words(row[groups]),
            "share": round(100 * float(row[groups] or 0) / most, 2) if most > 0 else 0,
        }
        for row in answer.rows[:MOST_BARS]
        if groups
    ]
    title = text(measure.title, tongue) if measure else ""
    label = title
    if bars:
        top = bars[0]
        label = say(tongue, "page.report.chart", title=title, name=top["name"], value=top["value"])
    return {
        "measure_title": title,
        "total": _words(answer.totals[0]) if answer.totals else "",
        "bars": bars,
        "chart_label": label,
        "heads": [
            {"title": text(column.title, tongue), "number": column.kind == "measure"}
            for column in answer.columns
        ],
        "rows": [_cells(answer, row, tongue) for row in answer.rows] if any(answer.totals) else [],
    }


def name_of(answer: Answer, row: list[Any], tongue: str) -> str:
    """What a group is called: the names of its keys."""
    parts = [
        answer.names[dimension.key].get(row[number]) or say(tongue, "page.blank")
        for number, dimension in enumerate(answer.report.dimensions)
    ]
    return " · ".join(parts)


def _cells(answer: Answer, row: list[Any], tongue: str) -> list[dict[str, Any]]:
    groups = len(answer.report.dimensions)
    return [
        {
            "words": answer.names[dimension.key].get(row[number]) or say(tongue, "page.blank"),
            "url": "",
        }
        for number, dimension in enumerate(answer.report.dimensions)
    ] + [{"words": _words(value), "number": True, "url": ""} for value in row[groups:]]


def _words(value: Any) -> str:
    """A measure for people: thousands apart; a dash where there is none to be said."""
    if value is None:
        return "—"
    return f"{value:,}" if isinstance(value, int) else str(value)
