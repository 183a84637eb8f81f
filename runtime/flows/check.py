"""Kind `flow`: what makes a flow sound, beyond its JSON Schema: every problem and its place."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from ...platform.definitions.form_scope import published_forms
from ...platform.definitions.kinds import Kind
from ...platform.definitions.schema_check import missing, schema
from ...platform.expressions import ExpressionError
from ...platform.records.conditions import need_lookups
from ...platform.store.errors import Problem
from ..actions.formula import Formula
from ..steps.graph import (
    ActionStep,
    Awaited,
    CallStep,
    Node,
    NotifyStep,
    RaceStep,
    RepeatStep,
    TaskStep,
    WaitStep,
)
from ..tasks.messages import gaps
from .check_acts import act_problems
from .check_names import Names
from .check_order import order_problems
from .definition import compile_flow
from .paths import path_problems
from .powers import leaves_of_flow, powers_of_flow
from .scope import TAKEN, TOLD, FlowFormulas
from .shape import Document, is_inner
from .uses import uses_of_flow

Found = Iterator[Problem]
PEOPLE = ("task", "approve")


def check_flow(session: Session, document: Document) -> list[Problem]:
    """What is wrong with a flow that its schema accepts; nothing when it may be published."""
    return list(FlowCheck(session, document).problems())


class FlowCheck:
    """One check of one document."""

    def __init__(self, session: Session, document: Document) -> None:
        self.names = Names(session, document)
        self.document = document
        self.shape = self.names.shape
        self.faults: list[Problem] = []

    def problems(self) -> Found:
        """All of them: the graph's shape, then names, forms and people, then expressions."""
        yield from path_problems(self.shape, self.document)
        if self.shape.twice:
            return  # two steps of one name: what the rest would say makes no sense
        yield from self._taken()
        if self.names.subject is None:
            name = self.document["subject"]
            yield Problem("/subject", "E_NO_FORM", {"name": name})
            return
        formulas = _Gathering(FlowFormulas(self.document, self.names.form), self.faults)
        graph = compile_flow(self.document, 0, formulas)
        yield from self.faults
        for key, node in graph.nodes.items():
            yield from self._node(key, node)
        yield from order_problems(self.shape, graph)

    def _taken(self) -> Found:
        """No step or action bears a name that means something else already."""
        subject = self.names.subject
        taken = TAKEN | set(subject.fields if subject else ())
        for number, one in enumerate(self.document.get("given", ())):
            at = f"/given/{number}"
            if one["key"] in taken:
                yield Problem(f"{at}/key", "E_FLOW_NAME_TAKEN", {"name": one["key"]})
            if self.names.form(one["form"]) is None:
                yield Problem(f"{at}/form", "E_NO_FORM", {"name": one["form"]})
            taken |= {one["key"]}
        for laid in self.shape.nodes.values():
            if not is_inner(laid.key) and laid.key in taken:
                yield Problem(f"{laid.at}/key", "E_FLOW_NAME_TAKEN", {"name": laid.key})
            for act, at in laid.acts():
                if act["key"] in taken:
                    yield Problem(f"{at}/key", "E_FLOW_NAME_TAKEN", {"name": act["key"]})

    def _node(self, key: str, node: Node) -> Found:
        names, step, at = self.names, node.step, node.at
        match step:
            case TaskStep():
                yield from self._task(step, at)
            case ActionStep():
                places = [place for _, place in self.shape.nodes[key].acts()]
                for act, place in zip(step.do, places, strict=True):
                    yield from act_problems(names, act, place)
            case WaitStep():
                yield from names.when(step.when, at)
                yield from self._awaited(step.awaited, at)
            case RaceStep():
                for number, arm in enumerate(step.arms):
                    yield from names.when(arm.when, f"{at}/arms/{number}/when")
                    yield from self._awaited(arm.awaited, f"{at}/arms/{number}")
            case RepeatStep():
                part = "before" if step.first else "between"
                for number, when in enumerate(step.waits):
                    yield from names.when(when, f"{at}/{part}/{number}")
            case NotifyStep():
                yield from self._notify(step, at)
            case CallStep():
                for name, _, _ in step.saves:
                    if name in TOLD:
                        yield Problem(f"{at}/save/{name}", "E_FLOW_NAME_TAKEN", {"name": name})

    def _task(self, step: TaskStep, at: str) -> Found:
        names = self.names
        form = names.subject
        if step.form is not None:
            form = names.form(step.form)
            if form is None:
                yield Problem(f"{at}/form", "E_NO_FORM", {"name": step.form})
            else:
                yield from names.values(form, step.prefill, f"{at}/prefill")
        if form is not None and step.outcomes and "outcome" in form.fields:
            yield Problem(f"{at}/outcomes", "E_FLOW_NAME_TAKEN", {"name": "outcome"})
        yield from self._fits_together(step, at)
        yield from names.steps(step.not_by, f"{at}/not_by", PEOPLE)
        if step.approval is None:
            yield from names.who(step.who, f"{at}/who")
        else:
            for number, who in enumerate(step.approval.who):
                yield from names.who(who, f"{at}/who/{number}")
            if step.approval.about is not None:
                yield from names.made(step.approval.about, f"{at}/about")
        yield from names.calendar(step.calendar, f"{at}/calendar")
        if step.due is not None and step.due.duration is None:
            yield from names.when(step.due, f"{at}/due")
        for number, limit in enumerate(step.limits):
            place = f"{at}/limits/{number}"
            inner = place if limit.when.duration is not None else f"{place}/at"
            if limit.when.duration is None or limit.when.calendar != step.calendar:
                yield from names.when(limit.when, inner)
            if limit.to is not None:
                yield from names.who(limit.to, f"{place}/to")

    def _fits_together(self, step: TaskStep, at: str) -> Found:
        """What only a task with a form may have, and what only one without."""
        if step.form is None:
            if step.prefill:
                yield Problem(f"{at}/prefill", "E_FLOW_NO_TASK_FORM")
            if step.edits is not None:
                yield Problem(f"{at}/edits", "E_FLOW_NO_TASK_FORM")
        elif step.edits is not None and self.names.makes(step.edits) != step.form:
            params = {"form": step.form, "found": self.names.makes(step.edits) or ""}
            yield Problem(f"{at}/edits", "E_FLOW_OTHER_RECORD", params)
        if step.take and (step.form is not None or step.outcomes):
            yield Problem(f"{at}/take", "E_FLOW_TAKE")

    def _awaited(self, awaited: Awaited | None, at: str) -> Found:
        if awaited is None:
            return
        if awaited.event is not None:
            if awaited.about is not None:
                yield from self.names.record(awaited.about, None, f"{at}/about")
            return
        place = f"{at}/submitted"
        form = self.names.form(awaited.form or "")
        if form is None:
            yield Problem(f"{place}/form", "E_NO_FORM", {"name": awaited.form})
            return
        link = form.fields.get(awaited.link or "")
        if link is None:
            yield Problem(f"{place}/link", "E_NO_FIELD", missing(awaited.link or "", form.fields))
        elif link.link_form is None:
            params = {"name": awaited.link, "widgets": "link"}
            yield Problem(f"{place}/link", "E_FIELD_KIND", params)
        elif awaited.about is not None:
            yield from self.names.record(awaited.about, link.link_form, f"{place}/to")

    def _notify(self, step: NotifyStep, at: str) -> Found:
        names = self.names
        for number, who in enumerate(step.who):
            yield from names.who(who, f"{at}/who/{number}")
        for number, when in enumerate(step.at):
            yield from names.when(when, f"{at}/at/{number}")
        if step.customer is not None:
            yield from names.record(step.customer, None, f"{at}/customer")
        known = {key for key, _ in step.values}
        for gap in sorted(gaps(step.text) - known):
            yield Problem(f"{at}/text", "E_FLOW_GAP_EMPTY", {"name": gap})


class _Gathering:
    """Makes formulas as a flow does, and gathers what is wrong instead of stopping at it."""

    def __init__(self, formulas: FlowFormulas, faults: list[Problem]) -> None:
        self.formulas = formulas
        self.faults = faults
        self.faulty: set[str | None] = set()

    def __call__(
        self,
        text: str,
        at: str,
        expect: str | None = None,
        over: str | None = None,
        rows: str | None = None,
    ) -> Formula:
        if rows in self.faulty:  # said where the list is
            return Formula(at, text, run=lambda env: None)
        try:
            made = self.formulas(text, at, expect, over, rows)
            need_lookups(made.typed, self.formulas.form_of)
            return made
        except ExpressionError as error:
            self.faulty.add(text)
            place = {"start": error.start, "end": error.end}
            self.faults.append(Problem(at, error.code, {**error.params, **place}))
            return Formula(at, text, run=lambda env: None)


def read(session: Session, key: str, document: Mapping[str, Any]) -> object:
    """Its graph."""
    return compile_flow(document, 0, FlowFormulas(document, published_forms(session)))


FLOW = Kind(
    "flow",
    schema("flow"),
    check_flow,
    order=60,
    uses=uses_of_flow,
    read=read,
    powers=powers_of_flow,
    leaves=leaves_of_flow,
)
