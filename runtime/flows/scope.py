"""What an expression in a flow may name, and the formulas made of it.

Names: the subject's fields; `this`, the subject itself; what the flow is given; every step's and
action's key, for the row it produced. The row of a task, an approval, a race, a repeat or a call
also has what `TOLD` lists; its type bears the step's key (`FORM+KEY`), so that following it finds
them.
"""

from collections.abc import Callable
from typing import Any

from ...platform.definitions.form_scope import Resolve, scope_of
from ...platform.expressions import (
    BOOL,
    DATE,
    DATETIME,
    PERSON,
    TEXT,
    Env,
    ExpressionError,
    Scope,
    Type,
    Typed,
    check,
    compile,
    number,
    row,
)
from ..actions.formula import VALUE, Formula
from ..actions.moments import as_moment
from .shape import Document, Laid, Shape, lay_out

THIS = "this"
TOLD: dict[str, Type] = {
    "outcome": TEXT,
    "done_at": DATETIME,
    "done_by": PERSON,
    "round": number(0),
}
"""What a step tells of itself; `actions/sight.py` says it."""
SAVED = {"text": TEXT, "number": number(6), "yesno": BOOL, "date": DATE}
"""What a call may keep of its answer, see `channels/answers.py`."""
TAKEN = frozenset({THIS, "outcome"})
"""Keys no step may bear."""


class FlowFormulas:
    """Makes the formulas of one flow; see `definition.Formulas`. Raises ExpressionError."""

    def __init__(self, document: Document, form_of: Resolve) -> None:
        self.form_of = form_of
        self.subject = form_of(document["subject"])
        self.scope = flow_scope(document, lay_out(document), form_of)

    def __call__(
        self,
        text: str,
        at: str,
        expect: str | None = None,
        over: str | None = None,
        rows: str | None = None,
    ) -> Formula:
        scope = self.scope if over is None else self._records(over)
        own: frozenset[str] = frozenset()
        if rows is not None:
            names, scope = row_scope(scope, rows)
            own = frozenset(names)
        typed = check(text, scope, BOOL if expect == "bool" else None)
        if expect == "list":
            _item(typed)
        run = compile(typed)
        if expect == "moment":
            return Formula(at, text, _moment(run), typed.names, typed)
        return Formula(at, text, run, typed.names - own, typed, own)

    def _records(self, form_key: str) -> Scope:
        form = self.form_of(form_key)
        return Scope() if form is None else scope_of(form, self.form_of)


def _moment(run: Callable[[Env], Any]) -> Callable[[Env], Any]:
    """A day is the moment it begins, where the record is."""
    return lambda env: as_moment(run(env), env.zone)


def row_scope(scope: Scope, rows: str) -> tuple[dict[str, Type], Scope]:
    """What stands in one row of the list that an expression gives, and the scope with its names
    before the others. Raises ExpressionError for what is no list."""
    item = _item(check(rows, scope))
    inner = (scope.links(item.form or "") if item.name == "row" else None) or Scope()
    names = dict(inner.names) if item.name == "row" else {VALUE: item}
    labels = {**scope.labels, **inner.labels}
    return names, Scope({**scope.names, **names}, labels, scope.links)


def row_form(scope: Scope, rows: str) -> str | None:
    """The form of a row of such a list, `visit.items` for a sub-form's; None where it has none.
    Raises ExpressionError for what is no list."""
    item = _item(check(rows, scope))
    return (item.form or "").partition("+")[0] or None if item.name == "row" else None


def _item(typed: Typed) -> Type:
    """What a list is a list of."""
    item = typed.type.of if typed.type.name == "list" else None
    if item is None:
        place = typed.node.place
        raise ExpressionError("E_TYPE", place, wanted="rows", found=str(typed.type))
    return item


def flow_scope(document: Document, shape: Shape, form_of: Resolve) -> Scope:
    """The names of a flow; a form that is not there gives none (the check says so elsewhere)."""
    subject = form_of(document["subject"])
    names: dict[str, Type] = {}
    labels: dict[str, str] = {}
    if subject is not None:
        own = scope_of(subject, form_of)
        names, labels = dict(own.names), dict(own.labels)
    names[THIS] = row(document["subject"])
    names |= {one["key"]: row(one["form"]) for one in document.get("given", ())}
    saved: dict[str, dict[str, Type]] = {}
    for laid in shape.nodes.values():
        names |= _given(laid)
        if laid.kind == "call":
            kept = laid.document.get("save", {})
            saved[laid.key] = {key: SAVED[one["type"]] for key, one in kept.items()}

    def links(form: str) -> Scope | None:
        base, plus, step = form.partition("+")
        base, dot, field = base.partition(".")
        found = form_of(base) if base else None
        if dot:  # the rows of a sub-form
            its = found.fields.get(field) if found is not None else None
            found = None if its is None else its.rows
        if not plus:
            return None if found is None else scope_of(found, form_of)
        inner = scope_of(found, form_of) if found is not None else Scope()
        return Scope({**TOLD, **saved.get(step, {}), **inner.names}, inner.labels, links)

    return Scope(names, labels, links)


def _given(laid: Laid) -> dict[str, Type]:
    """The types of what this node produces."""
    if laid.kind == "task":
        return {laid.key: row(f"{laid.document.get('form', '')}+{laid.key}")}
    if laid.kind in ("approve", "repeat", "call"):
        return {laid.key: row(f"+{laid.key}")}
    if laid.kind == "race":
        met = {way.document["key"]: way.document.get("submitted") for way in laid.ways}
        arms = {key: row(submitted["form"]) for key, submitted in met.items() if submitted}
        return {laid.key: row(f"+{laid.key}"), **arms}
    if laid.kind == "wait" and "submitted" in laid.document:
        return {laid.key: row(laid.document["submitted"]["form"])}
    given: dict[str, Type] = {}
    for act, _ in laid.acts():
        if act["action"] in ("find", "create"):
            given[act["key"]] = row(act["form"])
        elif act["action"] == "assign":
            given[act["key"]] = PERSON
    return given
