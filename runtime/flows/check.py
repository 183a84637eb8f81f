"""Kind `flow`: what makes a flow sound, beyond its JSON Schema: every problem and its place."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from ...platform.definitions.form import Form, read_form
from ...platform.definitions.kinds import Kind
from ...platform.definitions.known import known
from ...platform.definitions.schema_check import missing, schema
from ...platform.expressions import ExpressionError
from ...platform.store.errors import Problem
from ..actions.act import Act
from ..actions.commands import Who
from ..actions.formula import Formula
from ..steps.graph import ActionStep, BranchStep, Graph, TaskStep, WaitStep
from .definition import compile_flow
from .fits import fits
from .paths import may_be_known, path_problems
from .scope import TAKEN, FlowFormulas
from .shape import THEN, Document, Shape, lay_out
from .uses import uses_of_flow

Found = Iterator[Problem]


def check_flow(session: Session, document: Document) -> list[Problem]:
    """What is wrong with a flow that its schema accepts; nothing when it may be published."""
    return list(FlowCheck(session, document).problems())


class FlowCheck:
    """One check of one document, with the forms, roles and calendars that will be in force."""

    def __init__(self, session: Session, document: Document) -> None:
        self.session = session
        self.document = document
        self.shape: Shape = lay_out(document)
        self.forms: dict[str, Form | None] = {}
        self.faults: list[Problem] = []
        self.subject = self.form(document["subject"])

    def form(self, key: str) -> Form | None:
        """The form of that key as it will be in force."""
        if key not in self.forms:
            found = known(self.session, "form", key)
            self.forms[key] = None if found is None else read_form(found)
        return self.forms[key]

    def problems(self) -> Found:
        """All of them: the graph's shape, then names, forms and people, then expressions."""
        yield from path_problems(self.shape, self.document)
        if self.shape.twice:
            return  # two steps of one name: what the rest would say makes no sense
        yield from self._names()
        if self.subject is None:
            name = self.document["subject"]
            yield Problem("/subject", "E_NO_FORM", {"name": name})
            return
        graph = compile_flow(self.document, 0, self._formulas())
        yield from self.faults
        for key, node in graph.nodes.items():
            match node.step:
                case TaskStep():
                    yield from self._task(node.step, node.at)
                case ActionStep():
                    places = [at for _, at in self.shape.nodes[key].acts()]
                    for act, at in zip(node.step.do, places, strict=True):
                        yield from self._act(act, at)
                case WaitStep():
                    yield from self._calendar(node.step.calendar, f"{node.at}/calendar")
        yield from self._order(graph)

    def _formulas(self) -> "_Gathering":
        return _Gathering(FlowFormulas(self.document, self.form), self.faults)

    def _names(self) -> Found:
        """No step or action bears a name that means something else already."""
        taken = TAKEN | set(self.subject.fields if self.subject else ())
        for laid in self.shape.nodes.values():
            if not laid.key.endswith(THEN) and laid.key in taken:
                yield Problem(f"{laid.at}/key", "E_FLOW_NAME_TAKEN", {"name": laid.key})
            for act, at in laid.acts():
                if act["key"] in taken:
                    yield Problem(f"{at}/key", "E_FLOW_NAME_TAKEN", {"name": act["key"]})

    def _task(self, step: TaskStep, at: str) -> Found:
        form = self.subject
        if step.form is not None:
            form = self.form(step.form)
            if form is None:
                yield Problem(f"{at}/form", "E_NO_FORM", {"name": step.form})
            else:
                yield from self._values(form, step.prefill, f"{at}/prefill")
        if form is not None and step.outcomes and "outcome" in form.fields:
            yield Problem(f"{at}/outcomes", "E_FLOW_NAME_TAKEN", {"name": "outcome"})
        if step.form is None and step.prefill:
            yield Problem(f"{at}/prefill", "E_FLOW_NO_TASK_FORM")
        yield from self._who(step.who, f"{at}/who")
        yield from self._calendar(step.calendar, f"{at}/calendar")
        for number, limit in enumerate(step.limits):
            place = f"{at}/limits/{number}"
            yield from self._calendar(limit.calendar, f"{place}/calendar")
            if limit.to is not None:
                yield from self._who(limit.to, f"{place}/to")

    def _act(self, act: Act, at: str) -> Found:
        if act.action == "set":
            yield from self._set(act, at)
        elif act.action == "assign":
            yield from self._assign(act, at)
        elif act.form is not None:
            form = self.form(act.form)
            if form is None:
                yield Problem(f"{at}/form", "E_NO_FORM", {"name": act.form})
                return
            part = "where" if act.action == "find" else "values"
            yield from self._values(form, act.values, f"{at}/{part}", act.action == "find")
            if act.action == "create":
                for field in form.fields.values():
                    if field.required and field.key not in dict(act.values):
                        name = field.key
                        yield Problem(f"{at}/values", "E_FLOW_VALUE_MISSING", {"name": name})

    def _set(self, act: Act, at: str) -> Found:
        form = self.subject
        if act.record is not None:
            made = self._makes(act.record)
            form = self.form(made) if made else None
            if form is None:
                yield Problem(f"{at}/record", "E_FLOW_NO_RECORD", {"name": act.record})
                return
        if form is not None:
            yield from self._values(form, act.values, f"{at}/values")

    def _makes(self, key: str) -> str | None:
        """The form of the record that a step or action produces under this key."""
        for laid in self.shape.nodes.values():
            if laid.key == key and laid.kind == "task":
                form: str | None = laid.document.get("form")
                return form
            for act, _ in laid.acts():
                if act["key"] == key:
                    return act.get("form")
        return None

    def _assign(self, act: Act, at: str) -> Found:
        assert self.subject and act.role and act.field
        yield from self._role(act.role, f"{at}/role")
        yield from self._field(self.subject, act.field, ("person",), f"{at}/field")
        if act.at is not None:
            yield from self._field(self.subject, act.at, ("datetime",), f"{at}/at")

    def _values(self, form: Form, values: Any, at: str, find: bool = False) -> Found:
        """Each key is a field that may be written (or compared), each value of its type."""
        for key, formula in values:
            field = form.fields.get(key)
            place = f"{at}/{key}"
            if field is None:
                yield Problem(place, "E_NO_FIELD", missing(key, form.fields))
            elif not find and (field.value or field.type.generated):
                yield Problem(place, "E_FLOW_COMPUTED", {"name": key})
            elif find and (field.storage == "json" or field.encrypted):
                yield Problem(place, "E_FLOW_NOT_FOUND_BY", {"name": key})
            elif formula.typed is not None and not fits(formula.typed.type, field):
                found = str(formula.typed.type)
                yield Problem(place, "E_FLOW_TYPE", {"name": key, "found": found})

    def _field(self, form: Form, key: str, widgets: tuple[str, ...], at: str) -> Found:
        field = form.fields.get(key)
        if field is None:
            yield Problem(at, "E_NO_FIELD", missing(key, form.fields))
        elif field.type.name not in widgets:
            yield Problem(at, "E_FIELD_KIND", {"name": key, "widgets": ", ".join(widgets)})

    def _who(self, who: Who, at: str) -> Found:
        assert self.subject
        if who.role is not None:
            yield from self._role(who.role, f"{at}/role")
        elif who.field is not None and who.field not in self._assigned():
            yield from self._field(self.subject, who.field, ("person",), f"{at}/field")
        if who.otherwise is not None:
            yield from self._who(who.otherwise, f"{at}/otherwise")

    def _assigned(self) -> set[str]:
        return {
            act["key"]
            for laid in self.shape.nodes.values()
            for act, _ in laid.acts()
            if act["action"] == "assign"
        }

    def _role(self, key: str, at: str) -> Found:
        if known(self.session, "role", key) is None:
            yield Problem(at, "E_NO_ROLE", {"name": key})

    def _calendar(self, key: str | None, at: str) -> Found:
        if key is not None and known(self.session, "calendar", key) is None:
            yield Problem(at, "E_NO_CALENDAR", {"name": key})

    def _order(self, graph: Graph) -> Found:
        """No name is read before some step on some way there has given it a meaning."""
        given = self._given()
        start = graph.start_when
        if start is not None:
            yield from _unknown(start, given, set())
        before = may_be_known(self.shape)
        for key, node in graph.nodes.items():
            known_here = set(before[key])
            step = node.step
            if isinstance(step, TaskStep):
                for _, formula in step.prefill:
                    yield from _unknown(formula, given, known_here)
            elif isinstance(step, BranchStep):
                for case in step.cases:
                    if case.when is not None:
                        yield from _unknown(case.when, given, known_here)
            elif isinstance(step, WaitStep) and step.until is not None:
                yield from _unknown(step.until, given, known_here)
            elif isinstance(step, ActionStep):
                for act in step.do:
                    for formula in act.formulas():
                        yield from _unknown(formula, given, known_here)
                    known_here.add(act.key)

    def _given(self) -> set[str]:
        keys = {laid.key for laid in self.shape.nodes.values() if laid.kind == "task"}
        return keys | {
            act["key"]
            for laid in self.shape.nodes.values()
            for act, _ in laid.acts()
            if act["action"] != "set"
        }


def _unknown(formula: Formula, given: set[str], known_here: set[str]) -> Found:
    for name in sorted((formula.names & given) - known_here):
        yield Problem(formula.at, "E_FLOW_NOT_YET", {"name": name})


class _Gathering:
    """Makes formulas as a flow does, and gathers what is wrong instead of stopping at it."""

    def __init__(self, formulas: FlowFormulas, faults: list[Problem]) -> None:
        self.formulas = formulas
        self.faults = faults

    def __call__(
        self, text: str, at: str, expect: str | None = None, over: str | None = None
    ) -> Formula:
        try:
            return self.formulas(text, at, expect, over)
        except ExpressionError as error:
            place = {"start": error.start, "end": error.end}
            self.faults.append(Problem(at, error.code, {**error.params, **place}))
            return Formula(at, text, run=lambda env: None)


FLOW = Kind("flow", schema("flow"), check_flow, order=60, uses=uses_of_flow)
