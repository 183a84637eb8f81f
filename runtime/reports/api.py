"""/api/reports/…/data and /api/dashboards/…: the numbers of the pages, unrounded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from ...platform.identity.permissions import access, allowed
from ...platform.store.errors import NotUnderstood, Unavailable
from ...platform.web.request import language, reading, who
from ...platform.web.routes import Spec, route
from ...platform.web.shapes import KEY, LABEL, MOMENT, stamp, thing
from .dashboard import dashboard_of
from .definition import report_of
from .draw import Pen
from .explain import explained
from .groups import key_text
from .lens import lens_of
from .periods import PERIODS
from .question import CUSTOM, Question, question_of
from .run import Answer, plain, run_report

area = Blueprint("reports_api", __name__)

_NUMBER = {"type": ["integer", "string", "null"]}
_DAY = {"type": ["string", "null"], "format": "date"}
_TEXT = {"type": "string"}
DATA = thing(
    {
        "report": KEY,
        "title": LABEL,
        "columns": {
            "type": "array",
            "items": thing(
                {"key": KEY, "title": LABEL, "kind": {"enum": ["dimension", "measure"]}}
            ),
        },
        "rows": {
            "type": "array",
            "items": {"type": "array", "items": {"type": ["integer", "string", "boolean", "null"]}},
        },
        "ranks": {"type": "array", "items": {"type": ["integer", "null"]}},
        "totals": {"type": "array", "items": _NUMBER},
        "before": {"type": ["array", "null"], "items": _NUMBER},
        "names": {
            "type": "object",
            "additionalProperties": {"type": "object", "additionalProperties": _TEXT},
        },
        "since": _DAY,
        "until": _DAY,
        "more": {"type": "boolean"},
        "explain": thing(
            {
                "form": KEY,
                "records": {"type": "integer"},
                "as_of": MOMENT,
                "words": {"type": "array", "items": thing({"title": _TEXT, "words": _TEXT})},
            }
        ),
    }
)
_CARD = thing({"key": KEY, "width": {"type": "integer"}, "place": {"type": "integer"}}, data=DATA)
_QUERY: dict[str, dict[str, Any]] = {
    "period": {"enum": [*PERIODS, CUSTOM]},
    "from": {"type": "string", "format": "date"},
    "until": {"type": "string", "format": "date"},
}


@route(
    area,
    "/api/reports/<key>/data",
    needs="reports.read:{key}",
    spec=Spec(
        "A report's numbers, over the records its reader may see; `f.FIELD=` filters.",
        query={**_QUERY, "by": {"type": "string", "maxLength": 40}},
        answers={200: DATA},
        tag="reports",
        open_query=True,
    ),
)
def report_data(key: str) -> ResponseReturnValue:
    """Ratios are decimal texts; null where there is nothing to divide by."""
    return jsonify(_data(key, question_of(request.args)))


def _data(key: str, question: Question) -> dict[str, Any]:
    session, actor, tongue = reading(), who(), language()
    answer = run_report(session, actor, key, question, language=tongue)
    pen = Pen(answer, lens_of(session, actor, answer.report).shape.form, tongue)
    words = [{"title": title, "words": said} for title, said in explained(pen, actor)]
    return _shown(answer) | {
        "explain": {
            "form": answer.report.form,
            "records": answer.total.count,
            "as_of": stamp(answer.as_of),
            "words": words,
        }
    }


def _shown(answer: Answer) -> dict[str, Any]:
    before = answer.before
    return {
        "report": answer.report.key,
        "title": answer.report.title,
        "columns": [
            {"key": column.key, "title": column.title, "kind": column.kind}
            for column in answer.columns
        ],
        "rows": answer.rows,
        "ranks": [group.rank for group in answer.groups] if answer.report.rank else [],
        "totals": answer.totals,
        "before": None if before is None else [plain(each) for each in before.numbers.values()],
        "names": {
            dimension: {key_text(key): name for key, name in names.items()}
            for dimension, names in answer.names.items()
        },
        "since": answer.since.isoformat() if answer.since else None,
        "until": answer.until.isoformat() if answer.until else None,
        "more": answer.more,
    }


@route(
    area,
    "/api/dashboards/<key>",
    needs="dashboards.read:{key}",
    spec=Spec(
        "A dashboard: those of its reports that its reader may read, under one period and filters.",
        query=_QUERY,
        answers={
            200: thing({"key": KEY, "title": LABEL, "items": {"type": "array", "items": _CARD}})
        },
        tag="reports",
        open_query=True,
    ),
)
def dashboard_data(key: str) -> ResponseReturnValue:
    """An item without `data` took too long to count, or is not understood by this version."""
    session, actor = reading(), who()
    board = dashboard_of(session, key)
    question = question_of(request.args)
    question = replace(question, period=question.period or board.period)
    items = []
    for item in board.items:
        card: dict[str, Any] = {"key": item.key, "width": item.width, "place": item.place}
        try:
            report = report_of(session, item.report)
            may = allowed(session, actor, f"reports.read:{report.key}")
            if not (may and access(session, actor, report.form).may("read")):
                continue
            card["data"] = _data(report.key, replace(question, by=item.by))
        except (Unavailable, NotUnderstood):
            pass
        items.append(card)
    return jsonify({"key": board.key, "title": board.title, "items": items})
