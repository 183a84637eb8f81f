"""The fields a formula names, its own and those behind links, by the form they belong to."""

from collections.abc import Iterator, Mapping

from ..expressions import ExpressionError, Scope, Type, check
from ..expressions.tree import (
    Each,
    Field,
    Find,
    Group,
    Hop,
    Keep,
    Name,
    Resolved,
    linking,
    parts,
)
from .form import Form
from .form_scope import Resolve
from .kinds import Use
from .live import nodes_of

ELSEWHERE: Mapping[str, str] = {}


def use_of(form: str, key: str, at: str) -> Use:
    """That a field is named. form: `visit`, or `visit.items` for the rows of its sub-form; a column
    is a use of the form too, as `items.price`."""
    base, _, rows = form.partition(".")
    return Use("form", base, f"{rows}.{key}" if rows else key, at)


def uses_of_formula(
    text: str,
    at: str,
    scope: Scope,
    form: str,
    resolve: Resolve,
    elsewhere: Mapping[str, str] = ELSEWHERE,
) -> Iterator[Use]:
    """What a formula over a form's records names. at: the formula's JSON pointer. elsewhere: of
    names in the scope that are no fields of that form, the form they are of.

    One that does not hold any more is read by its bare names, so that none gets lost.
    """
    try:
        named = set(_named(check(text, scope).node, (form,)))
    except ExpressionError:
        named = {(form, name) for name in _written(text)}
    for its_form, key in sorted(named):
        place = elsewhere.get(key, its_form) if its_form == form else its_form
        target = fields_of(place, resolve)
        if target is not None and key in target.fields:
            yield use_of(place, key, at)


def fields_of(form: str, resolve: Resolve) -> Form | None:
    """The form of that key; of `visit.items` what a row of its sub-form is."""
    base, _, rows = form.partition(".")
    target = resolve(base)
    if target is None or not rows:
        return target
    its = target.fields.get(rows)
    return None if its is None else its.rows


def _named(node: Resolved, rows: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(form, field) of every name. rows: the form of the row at hand last, those around before."""
    if isinstance(node, Field):
        if linked := linking(node.key):
            yield linked
        elif node.up < len(rows):
            yield rows[-1 - node.up], node.key
    elif isinstance(node, Hop):
        yield _form(node.base.type), node.key
        yield from _named(node.base, rows)
    elif isinstance(node, Each | Keep):
        body = node.body if isinstance(node, Each) else node.where
        yield from _named(node.rows, rows)
        yield from _named(body, (*rows, _item(node.rows, rows)))
    elif isinstance(node, Find):
        for part in (node.where, node.body):
            yield from _named(part, (*rows, node.form))
    else:
        for part in parts(node):
            yield from _named(part, rows)


def _item(node: Resolved, rows: tuple[str, ...]) -> str:
    """The form of each of some rows; a measure's group is of the rows at hand."""
    while isinstance(node, Keep):
        node = node.rows
    return rows[-1] if isinstance(node, Group) else _form(node.type.of or node.type)


def _form(type_: Type) -> str:
    """`lead+first_call`, a task's row in a flow, is a row of `lead`."""
    return (type_.form or "").partition("+")[0]


def _written(text: str) -> Iterator[str]:
    return (node.text for node in nodes_of(text) if isinstance(node, Name))
