"""Where a report's numbers come from, in words: the form, the period, what each number counts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from ...platform.definitions.field_time import show_minute
from ...platform.identity.actor import Actor
from ...platform.web.words import text
from .definition import Measure
from .draw import Pen
from .figures import shown
from .question import CUSTOM


def explained(pen: Pen, actor: Actor) -> list[tuple[str, str]]:
    """Pairs of a heading and what there is to say."""
    answer = pen.answer
    read_at = show_minute(answer.as_of, ZoneInfo(actor.time_zone))
    found = [
        (pen.say("report.explain.source"), text(pen.form.title, pen.language)),
        (pen.say("report.explain.rows"), pen.say("report.explain.count", count=answer.total.count)),
        (pen.say("report.explain.as_of"), read_at),
    ]
    if answer.report.date is not None:
        by = text(pen.form.fields[answer.report.date].title, pen.language)
        words = pen.say("report.explain.by", field=by, period=period_words(pen))
        found.insert(1, (pen.say("report.explain.period"), words))
    if answer.report.where:
        found.insert(2, (pen.say("report.explain.where"), answer.report.where))
    return found + [(pen.title(each), measured(pen, each)) for each in answer.report.measures]


def period_words(pen: Pen) -> str:
    """The period by its name, and its days."""
    answer = pen.answer
    period = answer.question.period or answer.report.period
    days = days_words(pen, answer.since, answer.until)
    if period == CUSTOM or not days:
        return days or pen.say("report.period.all")
    return pen.say("report.explain.days", period=pen.say(f"report.period.{period}"), days=days)


def days_words(pen: Pen, since: date | None, until: date | None) -> str:
    """From which day until which."""
    if since is None and until is None:
        return ""
    if since == until and since is not None:
        return since.isoformat()
    return pen.say(
        "report.days",
        since=since.isoformat() if since else "…",
        until=until.isoformat() if until else "…",
    )


def measured(pen: Pen, measure: Measure) -> str:
    """What a measure counts, or is made of."""
    report = pen.answer.report
    if measure.kind == "formula":
        return measure.formula
    if measure.kind in ("ratio", "share"):
        over = pen.title(report.measure(measure.of))
        by = pen.title(report.measure(measure.by)) if measure.by else ""
        return pen.say(f"report.explain.{measure.kind}", over=over, by=by)
    words = _counted(pen, measure)
    if measure.where is not None:
        words = pen.say("report.explain.only", words=words, where=measure.where)
    return words


def _counted(pen: Pen, measure: Measure) -> str:
    if not measure.of:
        return pen.say("report.explain.every")
    span = pen.answer.report.span(measure.of)
    title = span.title if span is not None else pen.form.fields[measure.of].title
    name = text(title, pen.language)
    if span is not None:
        ends = [text(pen.form.fields[key].title, pen.language) for key in (span.start[0], span.end)]
        name = pen.say("report.explain.span", name=name, start=ends[0], end=ends[1])
    if measure.most is not None:
        way = "number" if span is None else "minutes"
        most = shown(Decimal(measure.most), way, pen.language)
        return pen.say("report.explain.most", field=name, most=most)
    word = "filled" if measure.kind == "count" else measure.kind
    return pen.say(f"report.explain.{word}", field=name)
