"""A flow's document compiled into the graph that the engine walks."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...platform.store.errors import Unavailable
from ...platform.web.words import LANGUAGES, say
from ..actions.act import ACTIONS, Act
from ..actions.commands import Who
from ..actions.formula import Formula, rows_formula
from ..steps.graph import (
    ActionStep,
    AgainStep,
    Approval,
    Arm,
    Awaited,
    BranchStep,
    CallStep,
    Case,
    EndStep,
    GoToStep,
    Graph,
    Limit,
    Node,
    NotifyStep,
    Outcome,
    RaceStep,
    RepeatStep,
    Step,
    TaskStep,
    WaitStep,
)
from .shape import Document, Laid, Shape, is_inner, lay_out
from .timing import Formulas, due_of, duration, when_of

VISITS = 1
"""Of a go_to that says nothing; the publish check asks for a number."""
WITHIN = "1d"
"""Of a call that says nothing."""
YES, NO = "approved", "rejected"
"""The outcomes of an approval."""
YES_OR_NO = tuple(
    Outcome(
        key,
        {language: say(language, f"flow.{key}") for language in LANGUAGES},
        comment=key == NO,
    )
    for key in (YES, NO)
)


class Newer(Unavailable):
    """A step or an action of a later release, published while processes of this one still run.

    It is left for a process of that release: nothing is tried, nothing has failed.
    """

    code = "E_NEWER"


def compile_flow(document: Document, version: int, formulas: Formulas) -> Graph:
    """The graph of a document that its schema accepts. Raises what `formulas` raises, and Newer."""
    shape = lay_out(document)
    start = document.get("start", {})
    when = start.get("when")
    nodes = {key: _node(laid, document["subject"], formulas) for key, laid in shape.nodes.items()}
    for key, laid in shape.nodes.items():
        if laid.kind == "race":
            nodes[key] = _with_tasks(nodes[key], nodes)
        elif laid.document.get("may_return") and not is_inner(key):
            nodes[key] = replace(nodes[key], step=_with_returns(nodes[key].step, laid, shape))
    return Graph(
        key=document["key"],
        version=version,
        subject=document["subject"],
        first=shape.first,
        nodes=nodes,
        title=document["title"],
        given=tuple((one["key"], one["form"]) for one in document.get("given", ())),
        start_on=start.get("on"),
        start_when=formulas(when, "/start/when", "bool") if when else None,
        document=document,
    )


def _node(laid: Laid, subject: str, formulas: Formulas) -> Node:
    if laid.kind not in _STEPS:
        raise Newer(kind=laid.kind)
    step = _STEPS[laid.kind](laid, subject, formulas)
    title = laid.document.get("title", laid.document["key"])
    return Node(laid.key, laid.kind, step, laid.next, title, laid.at)


def _with_tasks(race: Node, nodes: Mapping[str, Node]) -> Node:
    """A race's arms with the tasks that are nodes of their own."""
    assert isinstance(race.step, RaceStep)
    arms = []
    for arm in race.step.arms:
        node = nodes.get(arm.key) if arm.to == arm.key else None
        task = node.step if node is not None and isinstance(node.step, TaskStep) else None
        arms.append(replace(arm, task=task))
    return replace(race, step=RaceStep(tuple(arms)))


def _with_returns(step: Step, laid: Laid, shape: Shape) -> Step:
    """The steps of people it may be returned to: where a go_to may lead as well, and in no race."""
    assert isinstance(step, TaskStep)
    racing = {way.to for one in shape.nodes.values() if one.kind == "race" for way in one.ways}
    found = [
        one.key
        for one in shape.nodes.values()
        if one.kind in ("task", "approve")
        and one.key not in {laid.key, *racing}
        and not is_inner(one.key)
        and laid.sequence[: len(one.sequence)] == one.sequence
    ]
    return step if laid.key in racing else replace(step, returns=tuple(found))


def _task(laid: Laid, subject: str, formulas: Formulas) -> Step:
    document = laid.document
    calendar = document.get("calendar")
    due = document.get("due")
    return TaskStep(
        form=document.get("form"),
        who=who_of(document["who"]),
        calendar=calendar,
        prefill=_prefill(document.get("prefill", {}), f"{laid.at}/prefill", formulas),
        due=due_of(due, f"{laid.at}/due", formulas, calendar) if due else None,
        limits=_limits(laid, formulas),
        outcomes=tuple(_outcome(one) for one in document.get("outcomes", ())),
        help=document.get("help"),
        edits=document.get("edits"),
        take=document.get("take", False),
        not_by=tuple(document.get("not_by", ())),
    )


def _outcome(document: Document) -> Outcome:
    return Outcome(
        document["key"], document["title"], document.get("form", True), "comment" in document
    )


def _approve(laid: Laid, subject: str, formulas: Formulas) -> Step:
    document = laid.document
    calendar = document.get("calendar")
    due = document.get("due")
    who = tuple(who_of(one) for one in document["who"])
    every = document.get("by", "any") == "all"
    return TaskStep(
        form=None,
        who=who[0],
        calendar=calendar,
        due=due_of(due, f"{laid.at}/due", formulas, calendar) if due else None,
        limits=_limits(laid, formulas),
        outcomes=YES_OR_NO,
        help=document.get("help"),
        not_by=tuple(document.get("not_by", ())),
        approval=Approval(who, every, document.get("about"), laid.ways[0].to),
    )


def _limits(laid: Laid, formulas: Formulas) -> tuple[Limit, ...]:
    calendar = laid.document.get("calendar")
    found = []
    for number, limit in enumerate(laid.document.get("limits", ())):
        at = f"{laid.at}/limits/{number}"
        own = limit.get("calendar", calendar)
        if "after" in limit:
            when = due_of(limit["after"], at, formulas, own)
        else:
            when = when_of(limit["at"], f"{at}/at", formulas)
        to = who_of(limit["to"]) if "to" in limit else None
        found.append(Limit(limit["key"], when, limit["do"], to))
    return tuple(found)


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
    if document["action"] not in ACTIONS:
        raise Newer(kind=document["action"])
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
        add=_values(document.get("add", {}), f"{at}/add", formulas),
        remove=_values(document.get("remove", {}), f"{at}/remove", formulas),
        flow=document.get("flow"),
        give=_values(document.get("give", {}), f"{at}/give", formulas),
        event=document.get("event"),
        step=document.get("step"),
    )


def _values(
    document: Mapping[str, str], at: str, formulas: Formulas
) -> tuple[tuple[str, Formula], ...]:
    return tuple((key, formulas(text, f"{at}/{key}")) for key, text in document.items())


def _prefill(
    document: Mapping[str, str | Document], at: str, formulas: Formulas
) -> tuple[tuple[str, Formula], ...]:
    return tuple(
        (key, _rows(value, f"{at}/{key}", formulas))
        if isinstance(value, Mapping)
        else (key, formulas(value, f"{at}/{key}"))
        for key, value in document.items()
    )


def _rows(document: Document, at: str, formulas: Formulas) -> Formula:
    """A sub-form's rows, made of each of a list (`$defs/rows`)."""
    each = formulas(document["each"], f"{at}/each", "list")
    values = tuple(
        (key, formulas(text, f"{at}/values/{key}", rows=document["each"]))
        for key, text in document["values"].items()
    )
    return rows_formula(at, each, values)


def _branch(laid: Laid, subject: str, formulas: Formulas) -> Step:
    cases: list[Case] = []
    for way in laid.ways:
        when = way.document.get("when")
        formula = formulas(when, f"{way.at}/when", "bool") if when else None
        cases.append(Case(way.document["key"], formula, way.to, way.document.get("title")))
    return BranchStep(tuple(cases))


def _notify(laid: Laid, subject: str, formulas: Formulas) -> Step:
    document = laid.document
    written = document.get("customer")
    customer = formulas(written, f"{laid.at}/customer") if written else None
    return NotifyStep(
        text=document["text"],
        who=tuple(who_of(one) for one in document.get("who", ())),
        customer=customer,
        customer_form=_form_of(customer),
        values=_values(document.get("values", {}), f"{laid.at}/values", formulas),
        at=tuple(
            when_of(one, f"{laid.at}/at/{number}", formulas)
            for number, one in enumerate(document.get("at", ()))
        ),
    )


def _call(laid: Laid, subject: str, formulas: Formulas) -> Step:
    document = laid.document
    return CallStep(
        connection=document["connection"],
        body=tuple(_body(document["body"], f"{laid.at}/body", (), formulas)),
        saves=tuple(
            (key, one["from"], one["type"]) for key, one in document.get("save", {}).items()
        ),
        within=duration(document.get("within", WITHIN)),
        failed=laid.ways[0].to if laid.ways else None,
        optional=document.get("optional", False),
    )


def _body(
    document: Document, at: str, path: tuple[str, ...], formulas: Formulas
) -> Iterator[tuple[tuple[str, ...], Formula]]:
    """Each value of a body, with its path in it; a list of rows is one value."""
    for key, value in document.items():
        place, here = f"{at}/{key}", (*path, key)
        if not isinstance(value, Mapping):
            yield here, formulas(value, place)
        elif value.keys() == {"each", "values"}:
            yield here, _rows(value, place, formulas)
        else:
            yield from _body(value, place, here, formulas)


def _repeat(laid: Laid, subject: str, formulas: Formulas) -> Step:
    part = "before" if "before" in laid.document else "between"
    return RepeatStep(
        tuple(
            when_of(one, f"{laid.at}/{part}/{number}", formulas)
            for number, one in enumerate(laid.document.get(part, ()))
        ),
        first=part == "before",
    )


def _again(laid: Laid, subject: str, formulas: Formulas) -> Step:
    document = laid.document
    until = document.get("until")
    rounds = _repeat(laid, subject, formulas)
    assert isinstance(rounds, RepeatStep)
    times = document.get("times", len(rounds.waits) + (not rounds.first))
    formula = formulas(until, f"{laid.at}/until", "bool") if until else None
    return AgainStep(document["key"], formula, times, rounds, laid.after)


def _race(laid: Laid, subject: str, formulas: Formulas) -> Step:
    arms = []
    for way in laid.ways:
        document = way.document
        when = document.get("when")
        arms.append(
            Arm(
                document["key"],
                when_of(when, f"{way.at}/when", formulas) if when else None,
                _awaited(document, way.at, subject, formulas),
                None,
                way.to,
                document.get("title"),
            )
        )
    return RaceStep(tuple(arms))


def _wait(laid: Laid, subject: str, formulas: Formulas) -> Step:
    document = laid.document
    awaited = _awaited(document, laid.at, subject, formulas)
    when = when_of(document, laid.at, formulas) if awaited is None else None
    return WaitStep(when, awaited)


def _awaited(document: Document, at: str, subject: str, formulas: Formulas) -> Awaited | None:
    """What is to come, if it is no moment and no task."""
    if "submitted" in document:
        came = document["submitted"]
        about = formulas(came["to"], f"{at}/submitted/to")
        return Awaited(came["form"], came["link"], None, about, _form_of(about))
    if "event" in document:
        written = document.get("about")
        formula = formulas(written, f"{at}/about") if written else None
        return Awaited(event=document["event"], about=formula, about_form=_form_of(formula))
    return None


def _form_of(formula: Formula | None) -> str | None:
    """The form of the record that an expression gives; None when it gives none."""
    if formula is None or formula.typed is None or formula.typed.type.name != "row":
        return None
    return (formula.typed.type.form or "").partition("+")[0] or None


def _go_to(laid: Laid, subject: str, formulas: Formulas) -> Step:
    return GoToStep(laid.document["to"], laid.document.get("visits", VISITS))


def _end(laid: Laid, subject: str, formulas: Formulas) -> Step:
    return EndStep(laid.document.get("result"))


_STEPS: dict[str, Any] = {
    "task": _task,
    "approve": _approve,
    "action": _action,
    "notify": _notify,
    "call": _call,
    "branch": _branch,
    "repeat": _repeat,
    "again": _again,
    "race": _race,
    "wait": _wait,
    "go_to": _go_to,
    "end": _end,
}

__all__ = ["NO", "YES", "Formulas", "compile_flow", "duration", "who_of"]
