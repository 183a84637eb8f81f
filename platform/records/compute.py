"""What follows from a record's own values: defaults, what is shown, what is computed, the rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from sqlalchemy.orm import Session

from ..definitions.faults import Fault
from ..definitions.fields import settle as fitted
from ..definitions.form import Form
from ..definitions.form_scope import published_forms
from ..definitions.formulas import Formula, Formulas, formulas_of
from ..definitions.schema_check import pointer
from ..definitions.understood import misread
from ..expressions import Env, ExpressionError, Me
from ..identity.actor import SYSTEM, Actor
from ..identity.permissions import access
from ..store.errors import Problem
from ..store.kept import kept
from ..store.session import moment
from .fills import fill_in
from .live import with_live
from .lowered import searcher
from .record import may, rights_on
from .row_values import Values, settle_rows
from .shape import shape_of
from .validate import required_problems


@dataclass(frozen=True)
class Settled:
    """A record's values once everything that follows from them is in.

    hidden: fields not shown, whose values are dropped. warnings: rules that only say so.
    """

    values: dict[str, Any]
    hidden: frozenset[str]
    problems: list[Problem]
    warnings: list[Problem]


def formulas_for(session: Session, form: Form) -> Formulas:
    """A published form's formulas, compiled, kept for the epoch. Raises NotUnderstood."""

    def compiled() -> Formulas:
        try:
            return formulas_of(form, published_forms(session))
        except ExpressionError as error:
            raise misread("form", form.key, form.version, form.document, error) from error

    return kept(session, ("formulas", form.key, form.version), compiled)


def env_of(session: Session, actor: Actor, values: Mapping[str, Any], zone: tzinfo) -> Env:
    """What a formula about one record may look at, as this actor may."""
    return Env(
        values=values,
        now=moment(session),
        zone=zone,
        me=Me(actor.person_id, actor.unit_id, frozenset(grant.role for grant in actor.grants)),
        follow=follower(session, actor),
        lookup=searcher(session, actor),
    )


def follower(session: Session, actor: Actor) -> Callable[[str, Any], dict[str, Any] | None]:
    """Linked records as the actor may read them: masked and hidden fields are blank."""

    def follow(form_key: str, key: Any) -> dict[str, Any] | None:
        shape = shape_of(session, form_key)
        asked = access(session, actor, form_key)
        row = shape.read(session, int(key))
        if row is None or not may(asked, shape, "read", row):
            return None
        rights = rights_on(asked, shape, row)
        (row,) = with_live(session, asked, shape, [row])
        return {
            key: value
            for key, value in shape.to_values(row).items()
            if rights[key] in ("read", "write")
        }

    return follow


def settle(
    session: Session,
    actor: Actor,
    form: Form,
    given: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    zone: tzinfo,
) -> Settled:
    """Work out a record: defaults (only of a new one), what comes with a choice, visibility,
    computed values, required, rules. given: Python values, None for blank."""
    formulas = formulas_for(session, form)
    values = {key: value for key, value in given.items() if value is not None}
    env = env_of(session, actor, values, zone)
    problems: list[Problem] = []
    if before is None:
        for key, formula in formulas.defaults:
            if key not in values:
                _put(form, values, key, formula, env, zone, problems)
    problems += fill_in(session, form, values, before, env.follow, zone)

    def settled(
        rows: Form, row: Mapping[str, Any], was: Mapping[str, Any] | None
    ) -> tuple[Values, list[Problem]]:
        done = settle(session, actor, rows, row, was, zone)
        return done.values, done.problems

    row_problems = settle_rows(form, values, before, settled)
    hidden = set()
    for step in formulas.steps:
        if step.visible is not None and not _holds(step.visible, env, step.field, problems):
            hidden.add(step.field)
            if not form.fields[step.field].keep_hidden:
                values.pop(step.field, None)
        elif step.value is not None:
            _put(form, values, step.field, step.value, env, zone, problems)
    needed = {
        key: key not in hidden and _holds(formula, env, key, problems)
        for key, formula in formulas.required.items()
    }
    missing = required_problems(form, values, needed)
    problems += [problem for problem in missing if problem.path.removeprefix("/") not in hidden]
    problems += (each for each in row_problems if each.path.split("/")[1] not in hidden)
    warnings: list[Problem] = []
    for rule, formula in formulas.rules:
        if not _holds(formula, env, rule.field or "", problems):
            told = Problem(
                pointer(rule.field) if rule.field else "",
                rule.code,
                {"message": rule.message, "rule": rule.key},
            )
            (problems if rule.level == "error" else warnings).append(told)
    return Settled(values, frozenset(hidden), problems, warnings)


def recomputed(
    session: Session, form: Form, before: Mapping[str, Any], zone: tzinfo
) -> dict[str, Any]:
    """A record's values with those that are computed as the formulas in force make them.

    Nothing else is touched: what somebody filled in stays although the form would hide it now. A
    value that cannot be computed stays as it was.
    """
    formulas = formulas_for(session, form)
    values = dict(before)
    for key, its in form.fields.items():
        if its.rows is not None and values.get(key):
            values[key] = [recomputed(session, its.rows, row, zone) for row in values[key]]
    env = env_of(session, SYSTEM, values, zone)
    for step in formulas.steps:
        problems: list[Problem] = []
        if step.value is None:
            continue
        if step.visible is None or _holds(step.visible, env, step.field, problems):
            _put(form, values, step.field, step.value, env, zone, problems)
        elif not form.fields[step.field].keep_hidden:
            values.pop(step.field, None)
    return values


def _put(
    form: Form,
    values: dict[str, Any],
    key: str,
    formula: Formula,
    env: Env,
    zone: tzinfo,
    problems: list[Problem],
) -> None:
    try:
        value = fitted(form.fields[key], formula.run(env), zone)
    except Fault as fault:
        problems.append(Problem(pointer(key), fault.code, fault.params))
        return
    except ExpressionError as error:
        problems.append(Problem(pointer(key), error.code, error.params))
        return
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value


def _holds(formula: Formula, env: Env, key: str, problems: list[Problem]) -> bool:
    try:
        return bool(formula.run(env))
    except ExpressionError as error:
        problems.append(Problem(pointer(key) if key else "", error.code, error.params))
        return True
