"""Scopes by expression, and what a form's fields follow from: told to the room of identity.

A scope reads a record as the clinic's rule, not as the actor's question: every field and linked
record, whoever asks. As SQL and in Python it must say the same, so an expression that one
database cannot answer, or that means nothing any more, covers no row at all.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, false
from sqlalchemy.orm import Session

from ..definitions.form import Form, read_form
from ..definitions.form_scope import Resolve, coming_forms, form_scope, read_known, scope_of
from ..definitions.formulas import Formula, Formulas, formulas_of
from ..definitions.known import known
from ..definitions.schema_check import pointer
from ..expressions import BOOL, Env, ExpressionError, Typed, check, compile
from ..expressions.columns import Columns, Joined, Link, Rows
from ..expressions.environment import Search
from ..expressions.sql import to_sql
from ..expressions.sql_search import search_to_sql
from ..expressions.tree import Each, Find, Keep, Op, Resolved, linking, parts, walk
from ..expressions.tree import Field as Named
from ..identity import forms as told
from ..identity.actor import SYSTEM, Actor
from ..identity.forms import Sources
from ..identity.permissions import access
from ..store.child_rows import PLACE, RECORD, child_table
from ..store.errors import NotFound, NotUnderstood, Problem
from ..store.kept import kept
from ..store.tables import form_table
from .compute import env_of, follower, formulas_for
from .lowered import column_text, columns_of, searcher
from .shape import shape_of, specs_of

DIALECTS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Meant:
    """An expression in force: its tree, and how one row is asked."""

    typed: Typed
    run: Callable[[Env], Any]


def lower(
    session: Session, form_key: str, text: str, actor: Actor, table: FromClause
) -> ColumnElement[bool]:
    """See `identity.forms.Forms`."""
    meant = _meant(session, form_key, text)
    if meant is None:
        return false()
    shape = shape_of(session, form_key)
    names = {path[0] for path in meant.typed.reads}
    columns = columns_of(session, SYSTEM, access(session, SYSTEM, form_key), shape, table, names)
    dialect = session.get_bind().dialect.name
    return to_sql(meant.typed, columns, dialect, _env(session, actor, {}), where=True)


def table(session: Session, form_key: str) -> FromClause | None:
    """See `identity.forms.Forms`."""
    try:
        return shape_of(session, form_key).table.alias()
    except (NotFound, NotUnderstood):
        return None


def evaluate(
    session: Session, form_key: str, text: str, actor: Actor, values: Mapping[str, Any]
) -> bool:
    """See `identity.forms.Forms`."""
    meant = _meant(session, form_key, text)
    try:
        return meant is not None and bool(meant.run(_env(session, actor, values)))
    except ExpressionError:
        return False


def _env(session: Session, actor: Actor, values: Mapping[str, Any]) -> Env:
    env = env_of(session, actor, values, ZoneInfo(actor.time_zone))
    env.follow, env.lookup = follower(session, SYSTEM), searcher(session, SYSTEM)
    return env


def _meant(session: Session, form_key: str, text: str) -> Meant | None:
    return kept(session, ("scope", form_key, text), lambda: _read(session, form_key, text))


def _read(session: Session, form_key: str, text: str) -> Meant | None:
    try:
        form = shape_of(session, form_key).form
        typed = check(text, form_scope(session, form_key), BOOL)
        _lower_on_both(typed, form, coming_forms(session))
    except (ExpressionError, NotFound, NotUnderstood):
        return None
    return Meant(typed, compile(typed))


def refused(session: Session, form_key: str, text: str) -> Problem | None:
    """Why an expression cannot be a scope; None when it can, or when the form is yet to come."""
    document: Any = known(session, "form", form_key)
    if document is None:
        return None
    form, resolve = read_known(form_key, document), coming_forms(session)
    try:
        _lower_on_both(check(text, scope_of(form, resolve), BOOL), form, resolve)
    except ExpressionError as error:
        place = {"start": error.start, "end": error.end}
        return Problem("", error.code, {**error.params, **place})
    return None


def live_refused(session: Session, document: Mapping[str, Any]) -> Iterator[Problem]:
    """The live fields of a form that one of the databases cannot work out."""
    form, others = read_form(document), coming_forms(session)

    def resolve(key: str) -> Form | None:
        return form if key == form.key else others(key)

    scope = scope_of(form, resolve, valued=True)
    for key, its in form.fields.items():
        if its.live and its.value is not None:
            try:
                _lower_on_both(check(its.value, scope), form, resolve)
                check(column_text(its), scope)
            except ExpressionError as error:
                place = {"start": error.start, "end": error.end}
                at = f"/properties/{key}/x-value"
                yield Problem(at, error.code, {**error.params, **place})


def lookups_refused(session: Session, document: Mapping[str, Any]) -> Iterator[Problem]:
    """The formulas of a form with a LOOKUP whose condition the databases cannot be asked."""
    form, resolve = read_form(document), coming_forms(session)
    formulas = formulas_of(form, resolve)
    of_fields = {
        "x-visible": {step.field: step.visible for step in formulas.steps},
        "x-required": formulas.required,
        "x-enabled": formulas.enabled,
        "x-default": dict(formulas.defaults),
    }
    placed: list[tuple[str, Formula | None]] = [
        (pointer("properties", key, word), formula)
        for word, named in of_fields.items()
        for key, formula in named.items()
    ]
    for number, (_, condition) in enumerate(formulas.rules):
        placed.append((pointer("x-rules", number, "if"), condition))
    for at, formula in placed:
        try:
            if formula is not None:
                need_lookups(formula.typed, resolve)
        except ExpressionError as error:
            place = {"start": error.start, "end": error.end}
            yield Problem(at, error.code, {**error.params, **place})


def need_lookups(typed: Typed, resolve: Resolve) -> None:
    """Raises ExpressionError E_NOT_SQL for a LOOKUP whose condition a database cannot be asked."""
    for node in walk(typed.node):
        target = resolve(node.form) if isinstance(node, Find) else None
        if isinstance(node, Find) and target is not None:
            table = form_table(target.key, specs_of(target))
            search = Search(lambda row: False, node.where, Env())
            for dialect in DIALECTS:
                search_to_sql(search, _bare(target, table, resolve), dialect, Env())


def _lower_on_both(typed: Typed, form: Form, resolve: Resolve) -> None:
    """Raises ExpressionError E_NOT_SQL unless both databases can answer it."""
    table = form_table(form.key, specs_of(form))
    for dialect in DIALECTS:
        columns = {**_bare(form, table, resolve), **_related(typed, table, resolve)}
        to_sql(typed, columns, dialect, Env(), where=True)


def _related(typed: Typed, table: FromClause, resolve: Resolve) -> Columns:
    """The rows that RELATED names."""
    found = {}
    for key in {path[0] for path in typed.reads}:
        linked = linking(key)
        target = resolve(linked[0]) if linked else None
        if linked and target:
            found[key] = Rows(partial(_open_related, target, linked[1], table, resolve))
    return found


def _open_related(form: Form, link: str, to: FromClause, resolve: Resolve) -> Joined:
    table = form_table(form.key, specs_of(form)).alias()
    columns = _bare(form, table, resolve)
    return Joined(table, table.c[link] == to.c["_id"], columns, (table.c["_id"],))


def _bare(form: Form, table: FromClause, resolve: Resolve) -> Columns:
    found: dict[str, Any] = {}
    for key, its in form.fields.items():
        if its.encrypted or its.live:
            continue  # ciphertext answers no formula, and what is worked out has no column
        if its.rows is not None:
            found[key] = Rows(partial(_open_rows, its.rows, table, resolve))
            continue
        target = resolve(its.link_form) if its.link_form else None
        column = table.c[key]
        found[key] = (
            Link(column, partial(_open_bare, target, column, resolve)) if target else column
        )
    return found


def _open_bare(form: Form, key: ColumnElement[Any], resolve: Resolve) -> Joined:
    table = form_table(form.key, specs_of(form)).alias()
    return Joined(table, table.c["_id"] == key, _bare(form, table, resolve))


def _open_rows(rows: Form, parent: FromClause, resolve: Resolve) -> Joined:
    form_key, _, key = rows.key.partition(".")
    table = child_table(form_key, key, specs_of(rows)).alias()
    on = table.c[RECORD] == parent.c["_id"]
    return Joined(table, on, _bare(rows, table, resolve), (table.c[PLACE],))


def sources(session: Session, form_key: str) -> Mapping[str, Sources]:
    """See `identity.forms.Forms`."""
    return kept(session, ("sources", form_key), lambda: _sources(session, form_key))


def _sources(session: Session, form_key: str) -> Mapping[str, Sources]:
    try:
        form = shape_of(session, form_key).form
    except (NotFound, NotUnderstood):
        return {}
    try:
        formulas = formulas_for(session, form)
    except (
        ExpressionError,
        NotUnderstood,
    ):  # a linked form has changed: what it follows from, nobody can say
        every = frozenset(form.fields)
        return {
            key: Sources(every - {key}, every - {key}, its.value is not None)
            for key, its in form.fields.items()
            if its.value is not None or its.default is not None
        }
    direct = dict(_direct(formulas))
    return {key: _through(direct, key) for key in direct}


def _direct(formulas: Formulas) -> Iterator[tuple[str, Sources]]:
    """For each field with a formula for its value: the fields that this names itself."""
    for key, formula in formulas.defaults:
        if formula.reads:
            yield key, Sources(formula.reads, frozenset(_shown(formula.typed.node)), False)
    computed = {step.field: step.value for step in formulas.steps if step.value is not None}
    for key, formula in (computed | dict(formulas.live)).items():
        if formula.reads:
            yield key, Sources(formula.reads, frozenset(_shown(formula.typed.node)), True)


def _shown(node: Resolved, level: int = 0) -> Iterator[str]:
    """The record's own fields of which a formula tells more than whether they are blank.

    level: how many rows of sub-forms are around; what is read of those is told by their field.
    """
    if isinstance(node, Named):
        if node.up == level and linking(node.key) is None:
            yield node.key
    elif isinstance(node, Each | Keep):
        yield from _shown(node.rows, level)
        body = node.body if isinstance(node, Each) else node.where
        yield from _shown(body, level + 1)
    elif not (isinstance(node, Op) and node.op == "isblank" and isinstance(node.args[0], Named)):
        for part in parts(node):
            yield from _shown(part, level)


def _through(direct: Mapping[str, Sources], key: str) -> Sources:
    """What it names, and what that follows from in its turn."""
    own = direct[key]
    named = _closed(own.named, lambda name: direct[name].named if name in direct else ())
    shown = _closed(own.shown, lambda name: direct[name].shown if name in direct else ())
    return Sources(named - {key}, shown - {key}, own.computed)


def _closed(first: Iterable[str], more: Callable[[str], Iterable[str]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = list(first)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += more(name)
    return frozenset(found)


class _Records:
    """This room, as identity asks it."""

    lower = staticmethod(lower)
    table = staticmethod(table)
    evaluate = staticmethod(evaluate)
    refused = staticmethod(refused)
    sources = staticmethod(sources)


told.register(_Records())
