"""A form's formulas, checked, compiled and in the order in which they depend on one another."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ..expressions import BOOL, Env, ExpressionError, Scope, Type, Typed, check, compile
from ..expressions.limits import COMPUTED_FIELDS
from ..expressions.operations import BOUND
from ..expressions.tree import Find, Hop, Op, walk
from ..store.errors import NotUnderstood, Problem
from .form import Form, Rule
from .form_scope import Resolve, scopes_of, type_of
from .live import related_forms
from .schema_check import pointer

TODAY = frozenset({"today", "now"})
STATES = ("x-visible", "x-required", "x-enabled")


@dataclass(frozen=True, eq=False)
class Formula:
    """`run` answers the formula's value for one record; `reads` are the record's own fields."""

    typed: Typed
    run: Callable[[Env], Any]

    @property
    def reads(self) -> frozenset[str]:
        return self.typed.names


@dataclass(frozen=True, eq=False)
class Step:
    """A field whose being there or whose value follows from others."""

    field: str
    visible: Formula | None
    value: Formula | None


@dataclass(frozen=True, eq=False)
class Formulas:
    """What `records` works out for a record.

    defaults: (field, formula), for fields left blank, once, in this order. steps: visibility and
    computed values, in this order: what a step reads is settled before it. required, enabled: by
    field. rules: each with its condition. live: values that are computed whenever they are read.
    """

    defaults: tuple[tuple[str, Formula], ...]
    steps: tuple[Step, ...]
    required: Mapping[str, Formula]
    enabled: Mapping[str, Formula]
    rules: tuple[tuple[Rule, Formula], ...]
    live: Mapping[str, Formula]


class Cycle(Exception):
    """Fields that wait for one another; `fields` in the order of the circle."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        super().__init__(" → ".join(fields))
        self.fields = fields


def formulas_of(form: Form, resolve: Resolve) -> Formulas:
    """The formulas of a form that has passed its check.

    Typed anew for each call: a linked form may have a new version. Keep the answer for an epoch.
    """
    scope = scopes_of(form, resolve)
    texts: dict[str, dict[str, Formula]] = {}
    for key, word, text, expect in _texts(form):
        try:
            typed = check(text, scope(word), expect)
        except NotUnderstood:  # a linked form; only what is worked out from it is missing
            if word == "x-value" and form.fields[key].live:
                continue
            raise
        texts.setdefault(word, {})[key] = _formula(typed)
    conditions = {key: texts.get("x-visible", {}).get(key) for key in form.fields}
    computed = texts.get("x-value", {})
    live = {key: formula for key, formula in computed.items() if form.fields[key].live}
    values = {key: formula for key, formula in computed.items() if key not in live}
    defaults = texts.get("x-default", {})
    steps = {
        key: Step(key, conditions[key], values.get(key))
        for key in form.fields
        if conditions[key] or key in values
    }
    return Formulas(
        defaults=tuple((key, defaults[key]) for key in in_order(_reads(defaults))),
        steps=tuple(steps[key] for key in in_order(_step_reads(steps))),
        required=texts.get("x-required", {}),
        enabled=texts.get("x-enabled", {}),
        rules=tuple(
            (rule, _formula(check(rule.condition, scope("x-rules"), BOOL))) for rule in form.rules
        ),
        live=live,
    )


def _formula(typed: Typed) -> Formula:
    return Formula(typed, _compiled(typed))


@lru_cache(maxsize=4096)
def _compiled(typed: Typed) -> Callable[[Env], Any]:
    return compile(typed)


def _texts(form: Form) -> Iterator[tuple[str, str, str, Type]]:
    """(field, keyword, text, the type its place needs), for every formula of a field."""
    for key, field in form.fields.items():
        kind = type_of(field)
        for word, text, expect in (
            ("x-visible", field.visible_when, BOOL),
            ("x-required", field.required_when, BOOL),
            ("x-enabled", field.enabled_when, BOOL),
            ("x-value", field.value, kind),
            ("x-default", field.default, kind),
        ):
            if text is not None:
                yield key, word, text, expect


def _reads(formulas: Mapping[str, Formula]) -> dict[str, frozenset[str]]:
    return {key: formula.reads for key, formula in formulas.items()}


def _step_reads(steps: Mapping[str, Step]) -> dict[str, frozenset[str]]:
    return {
        key: frozenset().union(*(part.reads for part in (step.visible, step.value) if part))
        for key, step in steps.items()
    }


def in_order(reads: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Keys so that what one reads comes before it. Raises Cycle.

    What is read and is no key itself stands already. Among equals the given order holds.
    """
    done: dict[str, None] = {}
    for first in reads:
        path: dict[str, Iterator[str]] = {}
        if first not in done:
            path[first] = iter(sorted(reads[first]))
        while path:
            key = next(reversed(path))
            following = next((name for name in path[key] if name in reads), None)
            if following is None:
                done[key] = None
                del path[key]
            elif following in path:
                circle = list(path)[list(path).index(following) :]
                raise Cycle((*circle, following))
            elif following not in done:
                path[following] = iter(sorted(reads[following]))
    return tuple(done)


def formula_problems(form: Form, resolve: Resolve) -> list[Problem]:
    """What is wrong with a form's formulas, each with its place."""
    scope = scopes_of(form, resolve)
    found: list[Problem] = []
    live = _live(form)
    linked = (resolve(name) for name in (*form.links.values(), *related_forms(form.fields)))
    untold = live.union(*(_live(each) for each in linked if each is not None))
    reads: dict[str, dict[str, frozenset[str]]] = {"steps": {}, "defaults": {}}
    for key, word, text, expect in _texts(form):
        at = pointer("properties", key, word)
        typed = _checked(text, scope(word), expect, at, found, untold)
        if typed is None:
            continue
        if word == "x-value":
            found += _own(typed, at, key in live)
            if key in live:
                continue
        kind = {"x-visible": "steps", "x-value": "steps", "x-default": "defaults"}.get(word)
        if kind:
            reads[kind][key] = reads[kind].get(key, frozenset()) | typed.names
    for position, rule in enumerate(form.rules):
        at = pointer("x-rules", position, "if")
        _checked(rule.condition, scope("x-rules"), BOOL, at, found, untold)
    found += _circles(reads["steps"], form, "x-value", "x-visible")
    found += _circles(reads["defaults"], form, "x-default")
    for key, field in form.fields.items():
        if field.rows is not None:
            within = pointer("properties", key, "items")
            found += (
                replace(problem, path=within + problem.path)
                for problem in formula_problems(field.rows, resolve)
            )
    computed = sum(field.value is not None for field in form.fields.values())
    if computed > COMPUTED_FIELDS:
        found.append(Problem("/properties", "E_COMPUTED", {"most": COMPUTED_FIELDS}))
    return found


def _live(form: Form) -> set[str]:
    return {key for key, field in form.fields.items() if field.live}


def _checked(
    text: str, scope: Scope, expect: Type, at: str, found: list[Problem], live: Collection[str]
) -> Typed | None:
    """live: the fields that no formula may name, here and behind the links."""
    try:
        return check(text, scope, expect)
    except ExpressionError as error:
        place = {"start": error.start, "end": error.end}
        named = error.code in ("E_NO_NAME", "E_NO_NAME_NEAR") and error.params["name"] in live
        code = "E_FOLLOWS_LIVE" if named else error.code
        found.append(Problem(at, code, {**error.params, **place}))
        return None


def _own(typed: Typed, at: str, live: bool) -> Iterator[Problem]:
    """A computed value is the record's and no asker's. One that is kept rests on the record's own
    fields only; a live one may follow from today and from records linked either way too."""
    for node in walk(typed.node):
        follows = isinstance(node, Hop) or (isinstance(node, Op) and node.op in TODAY)
        others = isinstance(node, Find) or (isinstance(node, Op) and node.op in BOUND - TODAY)
        if others or (follows and not live):
            place = node.place
            yield Problem(at, "E_NOT_KEPT", {"start": place.start, "end": place.end})
            return


def _circles(reads: Mapping[str, Iterable[str]], form: Form, *words: str) -> Iterator[Problem]:
    try:
        in_order(reads)
    except Cycle as cycle:
        first = cycle.fields[0]
        word = next(word for word in words if word in form.fields[first].schema)
        yield Problem(pointer("properties", first, word), "E_CYCLE", {"fields": str(cycle)})
