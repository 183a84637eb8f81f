"""One report ready for its page or its place on a dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...platform.identity.actor import Actor
from ...platform.web.words import text
from .bar import Choice, address
from .definition import Report
from .draw import Bar, Headline, Pen, Step, Table, bars, funnel, headlines, table
from .explain import days_words, explained, period_words
from .lens import Lens
from .line import Plot, plot
from .run import Answer

#: how many of a report's numbers stand above its chart
HEADLINES = {"number": 4, "bar": 2, "line": 1}


@dataclass(frozen=True)
class Drawn:
    """title, period and compared in words; kind: the chart's; label: the chart in one sentence;
    tabs: the dimensions to choose from; notes: what the reader has to know besides."""

    key: str
    title: str
    help: str
    period: str
    compared: str
    kind: str
    label: str
    headlines: Sequence[Headline]
    bars: Sequence[Bar]
    steps: Sequence[Step]
    plot: Plot | None
    table: Table
    tabs: Sequence[Choice]
    explained: Sequence[tuple[str, str]]
    notes: Sequence[str]
    is_empty: bool


def drawn(lens: Lens, answer: Answer, actor: Actor, language: str, url: str) -> Drawn:
    """An answer drawn. url: of the page, for its tabs."""
    report = answer.report
    pen = Pen(answer, lens.shape.form, language)
    steps = funnel(pen) if report.chart == "funnel" else []
    as_bars = report.chart in ("bar", "leaderboard") and answer.dimensions
    its_bars = bars(pen) if as_bars else []
    title = text(report.title, language)
    since, until = answer.compared
    return Drawn(
        report.key,
        title,
        text(report.help, language),
        period_words(pen) if report.date is not None else "",
        days_words(pen, since, until),
        report.chart,
        _label(pen, title, its_bars, steps),
        headlines(pen, _headline_keys(report)),
        its_bars,
        steps,
        plot(pen) if report.chart == "line" else None,
        table(pen),
        _tabs(pen, url),
        explained(pen, actor),
        _notes(pen),
        not answer.total.count,
    )


def _headline_keys(report: Report) -> list[str]:
    if report.chart == "leaderboard":
        return [report.rank]
    if report.chart == "funnel":
        return []
    return [each.key for each in report.measures[: HEADLINES.get(report.chart, 0)]]


def _label(pen: Pen, title: str, its_bars: Sequence[Bar], steps: Sequence[Step]) -> str:
    """The chart for those who hear it: what it is of, and its greatest."""
    if steps:
        told = pen.say("page.comma").join(f"{step.name} {step.figure.words}" for step in steps)
        return title + pen.say("page.colon") + told
    if not its_bars:
        return title
    top = its_bars[0]
    return pen.say("page.report.chart", title=title, name=top.name, value=top.figure.words)


def _tabs(pen: Pen, url: str) -> list[Choice]:
    """The dimensions a report can be shown by; each choice's key is where that is."""
    answer, report = pen.answer, pen.answer.report
    if not report.one_at_a_time:
        return []
    now = answer.dimensions[0].key
    return [
        Choice(
            address(url, replace(answer.question, by=each.key)),
            text(each.title or pen.form.fields[each.field].title, pen.language),
            each.key == now,
        )
        for each in report.dimensions
    ]


def _notes(pen: Pen) -> list[str]:
    """What is left out."""
    answer = pen.answer
    return [pen.say("report.note.more", most=len(answer.groups))] if answer.more else []
