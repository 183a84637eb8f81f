"""What a flow names: forms and their fields, roles, calendars, other flows."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from ...platform.definitions.form_scope import Resolve, scope_of
from ...platform.definitions.kinds import Use
from ...platform.definitions.named import use_of, uses_of_formula
from ...platform.expressions import ExpressionError, Scope
from ..actions.formula import Formula
from .definition import compile_flow
from .scope import flow_scope, row_form, row_scope
from .shape import Document, Laid, Shape, lay_out, makes


def uses_of_flow(document: Document, resolve: Resolve) -> Iterator[Use]:
    """Everything, in no particular order."""
    yield Use("form", document["subject"], None, "/subject")
    for number, one in enumerate(document.get("given", ())):
        yield Use("form", one["form"], None, f"/given/{number}/form")
    yield from formulas_name(document, resolve)
    shape = lay_out(document)
    for laid in shape.nodes.values():
        yield from _Names(document, shape, resolve).of(laid)


def formulas_name(document: Document, resolve: Resolve) -> list[Use]:
    """The fields that its formulas name, each at the formula's place."""
    formulas = _Formulas(document, resolve)
    compile_flow(document, 0, formulas)
    return formulas.found


class _Formulas:
    """Asked for each formula in turn by what compiles a flow, it reads them instead."""

    def __init__(self, document: Document, resolve: Resolve) -> None:
        self.subject: str = document["subject"]
        self.resolve = resolve
        self.scope = flow_scope(document, lay_out(document), resolve)
        self.found: list[Use] = []

    def __call__(
        self,
        text: str,
        at: str,
        expect: str | None = None,
        over: str | None = None,
        rows: str | None = None,
    ) -> Formula:
        scope, form, columns = self.scope, over or self.subject, dict[str, str]()
        if rows is not None:
            with suppress(ExpressionError):  # said where the list is
                names, scope = row_scope(scope, rows)
                its = row_form(self.scope, rows)
                columns = dict.fromkeys(names, its) if its else {}
        if over is not None:
            target = self.resolve(over)
            scope = Scope() if target is None else scope_of(target, self.resolve)
        self.found += uses_of_formula(text, at, scope, form, self.resolve, columns)
        return Formula(at, text, run=lambda env: None)


class _Names:
    """What stands in a flow beside its formulas."""

    def __init__(self, document: Document, shape: Shape, resolve: Resolve) -> None:
        self.document = document
        self.subject: str = document["subject"]
        self.shape = shape
        self.resolve = resolve

    def of(self, laid: Laid) -> Iterator[Use]:
        """What one node names."""
        document = laid.document
        if laid.kind in ("task", "approve"):
            yield from self._fields(document.get("form"), document.get("prefill", {}), laid.at)
            who = document["who"]
            for number, one in enumerate(who) if isinstance(who, list) else [(-1, who)]:
                yield from self._who(one, f"{laid.at}/who" + (f"/{number}" if number >= 0 else ""))
            yield from _calendar(document, laid.at)
            yield from _calendar(document.get("due"), f"{laid.at}/due")
            for number, limit in enumerate(document.get("limits", ())):
                place = f"{laid.at}/limits/{number}"
                yield from self._who(limit.get("to", {}), f"{place}/to")
                yield from _calendar(limit, place)
                yield from _calendar(limit.get("at"), f"{place}/at")
        elif laid.kind == "wait":
            yield from _calendar(document, laid.at)
            yield from _submitted(document, laid.at)
        elif laid.kind == "race":
            for way in laid.ways:
                yield from _calendar(way.document.get("when"), f"{way.at}/when")
                yield from _submitted(way.document, way.at)
        elif laid.kind in ("repeat", "notify"):
            for number, who in enumerate(document.get("who", ())):
                yield from self._who(who, f"{laid.at}/who/{number}")
            for part in ("before", "between", "at"):
                for number, when in enumerate(document.get(part, ())):
                    yield from _calendar(when, f"{laid.at}/{part}/{number}")
        for act, at in laid.acts():
            yield from self._act(act, at)

    def _fields(
        self, form: str | None, values: Document, at: str, part: str = "prefill"
    ) -> Iterator[Use]:
        if form is not None:
            yield Use("form", form, None, f"{at}/form")
            for key, value in values.items():
                yield Use("form", form, key, f"{at}/{part}/{key}")
                if isinstance(value, Mapping):
                    for column in value["values"]:
                        place = f"{at}/{part}/{key}/values/{column}"
                        yield use_of(f"{form}.{key}", column, place)

    def _act(self, act: Document, at: str) -> Iterator[Use]:
        if act["action"] in ("find", "create"):
            part = "where" if act["action"] == "find" else "values"
            yield from self._fields(act["form"], act[part], at, part)
        elif act["action"] == "set":
            form = self._makes(act["record"]) if "record" in act else self.subject
            for part in ("values", "add", "remove") if form else ():
                for key in act.get(part, ()):
                    yield Use("form", form or "", key, f"{at}/{part}/{key}")
        elif act["action"] == "start":
            yield Use("flow", act["flow"], None, f"{at}/flow")
        elif act["action"] == "assign":
            yield Use("role", act["role"], None, f"{at}/role")
            for word in ("field", "at"):
                if word in act:
                    yield Use("form", self.subject, act[word], f"{at}/{word}")

    def _makes(self, key: str) -> str | None:
        """The form of the record that a step or action produces under this key."""
        return makes(self.document, self.shape, key)

    def _who(self, who: Any, at: str) -> Iterator[Use]:
        subject = self.resolve(self.subject)
        if "role" in who:
            yield Use("role", who["role"], None, f"{at}/role")
        elif "field" in who and subject is not None and who["field"] in subject.fields:
            yield Use("form", self.subject, who["field"], f"{at}/field")
        if "otherwise" in who:
            yield from self._who(who["otherwise"], f"{at}/otherwise")


def _submitted(document: Document, at: str) -> Iterator[Use]:
    if "submitted" in document:
        came = document["submitted"]
        yield Use("form", came["form"], None, f"{at}/submitted/form")
        yield Use("form", came["form"], came["link"], f"{at}/submitted/link")


def _calendar(document: Any, at: str) -> Iterator[Use]:
    if isinstance(document, Mapping) and "calendar" in document:
        yield Use("calendar", document["calendar"], None, f"{at}/calendar")
