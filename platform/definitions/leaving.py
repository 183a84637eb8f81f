"""What a definition takes out of the reach of rights and encryption: a warning, and no problem.

A call tells another system, a message is a text of its own, a sheet is paper. Each may be meant; so
it is said when a draft is checked and published, and in a pack's plan, for every field that its
form marks as personal, medical or encrypted, or that follows from one.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from ..store.errors import Phrase, Problem
from .form import Form
from .form_scope import Resolve, coming_forms, scope_of
from .kinds import KINDS, Use
from .named import fields_of, uses_of_formula

CODES = {"call": "E_PLAIN_CALL", "message": "E_PLAIN_MESSAGE", "print": "E_PLAIN_PRINT"}


class Leaving(NamedTuple):
    """That the value of a field leaves. how: see CODES. path: the part that takes it out. to: over
    which connection."""

    how: str
    path: str
    use: Use
    to: str = ""


class Guarded(NamedTuple):
    """A field that is marked. level: personal, medical or encrypted."""

    form: str
    field: str
    level: str


def warnings(session: Session, kind: str, document: Mapping[str, Any]) -> list[Problem]:
    """A warning for each part of a sound document that takes marked fields out, in order."""
    leaves = KINDS[kind].leaves
    if leaves is None:
        return []
    resolve = coming_forms(session)
    found: dict[tuple[str, str, str], dict[Guarded, None]] = {}
    for how, path, use, to in leaves(session, document):
        marked = dict.fromkeys(_guarded(use, resolve, set()))
        found.setdefault((path, how, to), {}).update(marked)
    told = []
    for (path, how, to), marked in found.items():
        fields = tuple(_said(each, resolve) for each in marked)
        if fields:
            told.append(Problem(path, CODES[how], {"fields": fields, "to": to}))
    return told


def _guarded(use: Use, resolve: Resolve, seen: set[tuple[str, str]]) -> Iterator[Guarded]:
    """The marked fields that a field is, or follows from."""
    key = use.field or ""
    rows, _, column = key.rpartition(".")
    form = f"{use.key}.{rows}" if rows else use.key
    target = fields_of(form, resolve)
    its = target.fields.get(column) if target is not None else None
    if target is None or its is None or (use.key, key) in seen:
        return
    seen.add((use.key, key))
    if level := _level(target, column):
        yield Guarded(form, column, level)
    elif rows and (base := resolve(use.key)) is not None and (level := _level(base, rows)):
        yield Guarded(use.key, rows, level)
    elif its.value is not None:
        names = scope_of(target, resolve, valued=True)
        for source in uses_of_formula(its.value, "", names, form, resolve):
            yield from _guarded(source, resolve, seen)


def _level(form: Form, key: str) -> str:
    its = form.fields[key]
    return "encrypted" if its.encrypted else its.sensitive if its.sensitive != "none" else ""


def _said(each: Guarded, resolve: Resolve) -> Phrase:
    form = fields_of(each.form, resolve)
    assert form is not None
    params = {"field": form.fields[each.field].title, "form": form.title}
    return Phrase(f"leaves.{each.level}", params)
