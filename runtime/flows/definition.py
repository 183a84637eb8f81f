"""A flow's document compiled into the graph that the engine walks."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

from ..actions.act import Act
from ..actions.commands import Who
from ..actions.formula import Formula
from ..steps.graph import (
    ActionStep,
    BranchStep,
    Case,
    EndStep,
    GoToStep,
    Graph,
    Limit,
    Node,
    Outcome,
    Step,
    TaskStep,
    WaitStep,
)
from .shape import THEN, Document, Laid, lay_out

DURATION = re.compile(r"([1-9][0-9]{0,4})([mhdw])\Z")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
VISITS = 1
"""Of a go_to that says nothing; the publish check asks for a number."""


class Formulas(Protocol):
    """Makes a formula of an expression's text.

    at: its JSON pointer. expect: `bool`, `moment` or None. over: the form whose records alone it
    is about; None when it may use the flow's names.
    """

    def __call__(
        self, text: str, at: str, expect: str | None = None, over: str | None = None
    ) -> Formula: ...


def duration(text: str) -> timedelta:
    """`15m`, `2h`, `3d`, `1w`; ValueError for anything else."""
    match = DURATION.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def compile_flow(document: Document, version: int, formulas: Formulas) -> Graph:
    """The graph of a document that its schema accepts. Raises what `formulas` raises."""
    shape = lay_out(document)
    start = document.get("start", {})
    when = start.get("when")
    return Graph(
        key=document["key"],
        version=version,
        subject=document["subject"],
        first=shape.first,
        nodes={
            key: _node(laid, document["subject"], formulas) for key, laid in shape.nodes.items()
        },
        title=document["title"],
        start_on=start.get("on"),
        start_when=formulas(when, "/start/when", "bool") if when else None,
        document=document,
    )


def _node(laid: Laid, subject: str, formulas: Formulas) -> Node:
    step = _STEPS[laid.kind](laid, subject, formulas)
    title = laid.document.get("title", laid.document["key"])
    return Node(laid.key, laid.kind, step, laid.next, title, laid.at)


def _task(laid: Laid, subject: str, formulas: Formulas) -> Step:
    document = laid.document
    return TaskStep(
        form=document.get("form"),
        who=who_of(document["who"]),
        calendar=document.get("calendar"),
        prefill=_values(document.get("prefill", {}), f"{laid.at}/prefill", formulas),
        due=duration(document["due"]) if "due" in document else None,
        limits=tuple(_limit(limit) for limit in document.get("limits", ())),
        outcomes=tuple(Outcome(one["key"], one["title"]) for one in document.get("outcomes", ())),
        help=document.get("help"),
    )


def _limit(document: Document) -> Limit:
    return Limit(
        document["key"],
        duration(document["after"]),
        document.get("calendar"),
        document["do"],
        who_of(document["to"]) if "to" in document else None,
    )


def who_of(document: Document) -> Who:
    """Who is meant, with whoever is meant otherwise."""
    otherwise = document.get("otherwise")
    return Who(
        document.get("field"),
        document.get("role"),
        document.get("person"),
        who_of(otherwise) if otherwise else None,
    )


def _action(laid: Laid, subject: str, formulas: Formulas) -> Step:
    return ActionStep(tuple(_act(act, at, subject, formulas) for act, at in laid.acts()))


def _act(document: Document, at: str, subject: str, formulas: Formulas) -> Act:
    when = document.get("when")
    counted = document.get("open")
    part = "where" if document["action"] == "find" else "values"
    return Act(
        key=document["key"],
        action=document["action"],
        when=formulas(when, f"{at}/when", "bool") if when else None,
        form=document.get("form"),
        record=document.get("record"),
        values=_values(document.get(part, {}), f"{at}/{part}", formulas),
        role=document.get("role"),
        field=document.get("field"),
        at=document.get("at"),
        open=formulas(counted, f"{at}/open", "bool", over=subject) if counted else None,
        daily=document.get("daily"),
    )


def _values(
    document: Mapping[str, str], at: str, formulas: Formulas
) -> tuple[tuple[str, Formula], ...]:
    return tuple((key, formulas(text, f"{at}/{key}")) for key, text in document.items())


def _branch(laid: Laid, subject: str, formulas: Formulas) -> Step:
    cases: list[Case] = []
    for way in laid.ways:
        when = way.document.get("when")
        formula = formulas(when, f"{way.at}/when", "bool") if when else None
        cases.append(Case(way.document["key"], formula, way.to, way.document.get("title")))
    return BranchStep(tuple(cases))


def _wait(laid: Laid, subject: str, formulas: Formulas) -> Step:
    document = laid.document
    until = document.get("until")
    return WaitStep(
        duration(document["for"]) if "for" in document else None,
        formulas(until, f"{laid.at}/until", "moment") if until else None,
        document.get("calendar"),
    )


def _go_to(laid: Laid, subject: str, formulas: Formulas) -> Step:
    return GoToStep(laid.document["to"], laid.document.get("visits", VISITS))


def _end(laid: Laid, subject: str, formulas: Formulas) -> Step:
    return EndStep()


_STEPS: dict[str, Any] = {
    "task": _task,
    "action": _action,
    "branch": _branch,
    "wait": _wait,
    "go_to": _go_to,
    "end": _end,
}

__all__ = ["THEN", "Formulas", "compile_flow", "duration", "who_of"]
