"""The fields a formula names, its own and those behind links, by the form they belong to."""

from collections.abc import Iterator

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
from .form_scope import Resolve
from .kinds import Use
from .live import nodes_of


def uses_of_formula(text: str, at: str, scope: Scope, form: str, resolve: Resolve) -> Iterator[Use]:
    """What a formula over a form's records names. at: the formula's JSON pointer.

    One that does not hold any more is read by its bare names, so that none gets lost.
    """
    try:
        named = set(_named(check(text, scope).node, (form,)))
    except ExpressionError:
        named = {(form, name) for name in _written(text)}
    for its_form, key in sorted(named):
        target = resolve(its_form)
        if target is not None and key in target.fields:
            yield Use("form", its_form, key, at)


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
