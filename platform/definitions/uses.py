"""Where a definition, and each of its fields, is used: by everything else that is in force."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ..store.errors import NotFound, NotUnderstood, Problem, Refusal
from ..store.kept import kept
from .check import fits_schema
from .form import Form, form_of, read_form
from .form_scope import Resolve, coming_forms, published_forms
from .kinds import KINDS, Document, Use
from .known import known
from .published import entries, published
from .schema_check import pointer
from .understood import MISREAD


@dataclass(frozen=True)
class UsedBy:
    """One place that names a definition, or a field of it. path: the place in that document."""

    field: str | None
    kind: str
    key: str
    title: Any
    path: str


def uses_of(session: Session, kind: str, key: str) -> list[UsedBy]:
    """Where a definition in force is used, its own formulas among it; first where it is named as
    a whole, then field by field. Raises NotFound."""
    published(session, kind, key)
    found = kept(session, "uses", lambda: _all(session)).get((kind, key), [])
    return sorted(found, key=lambda use: (use.field or "", use.kind, use.key, use.path))


def _all(session: Session) -> dict[tuple[str, str], list[UsedBy]]:
    resolve = published_forms(session)
    found: dict[tuple[str, str], list[UsedBy]] = {}
    for entry in entries(session):
        document = published(session, entry.kind, entry.key).document
        for use in _named_in(entry.kind, document, resolve):
            by = UsedBy(use.field, entry.kind, entry.key, entry.title, use.path)
            found.setdefault((use.kind, use.key), []).append(by)
    return found


def _named_in(kind: str, document: Mapping[str, Any], resolve: Resolve) -> Iterable[Use]:
    """Nothing for a document whose kind is not here any more, or that this version cannot read."""
    its = KINDS.get(kind)
    if its is None or its.uses is None:
        return ()
    try:
        return list(its.uses(document, resolve))
    except Refusal:
        return ()
    except MISREAD:
        if fits_schema(kind, dict(document)):
            raise
        return ()


def _live(document: Mapping[str, Any]) -> set[str]:
    return {key for key, its in read_form(document).fields.items() if its.live}


def _columns(before: Mapping[str, Any], after: Document) -> dict[str, set[str]]:
    """The columns that each sub-form which is still there no longer has."""
    found = {}
    for key, its in after["properties"].items():
        was = before["properties"].get(key, {})
        if its["x-widget"] == was.get("x-widget") == "subform":
            gone = was["items"]["properties"].keys() - its["items"]["properties"].keys()
            if gone:
                found[key] = gone
    return found


def _with_columns(after: Document, before: Document) -> Document:
    """A sub-form with the columns it no longer has."""
    columns = {**before["items"]["properties"], **after["items"]["properties"]}
    return {**after, "items": {**after["items"], "properties": columns}}


def removed_in_use(session: Session, document: Document) -> list[Problem]:
    """The fields a form, or a sub-form of it, no longer has, or no longer keeps (most that use a
    kept value have no way to ask for a live one), and others still use: a problem for each place.

    What comes in the same pack is read as it will be, so whatever it mends is no problem.
    """
    key = document["key"]
    try:
        in_force = published(session, "form", key)
        form_of(in_force)
    except (NotFound, NotUnderstood):  # whatever could not be read, nobody can use
        return []
    before = in_force.document
    old, new = before["properties"], document["properties"]
    gone = old.keys() - new.keys()
    gone |= _live(document) & (old.keys() - _live(before))
    columns = _columns(before, document)
    if not gone and not columns:
        return []
    both = {**new, **{key: old[key] for key in gone}}
    both |= {key: _with_columns(both[key], old[key]) for key in columns}
    whole = read_form({**document, "properties": both})
    titles = {key: (old[key]["x-title"], pointer("properties", key)) for key in gone}
    for rows, some in columns.items():
        for name in some:
            title = old[rows]["items"]["properties"][name]["x-title"]
            place = pointer("properties", rows, "items", "properties", name)
            titles[f"{rows}.{name}"] = title, place
    others = coming_forms(session)

    def resolve(form: str) -> Form | None:
        return whole if form == key else others(form)

    found = []
    for entry in entries(session):
        other = known(session, entry.kind, entry.key)
        if other is None or (entry.kind, entry.key) == ("form", key):
            continue  # of itself the form's own check tells
        if other is not published(session, entry.kind, entry.key).document:
            if not fits_schema(entry.kind, dict(other)):
                continue  # it comes in the same pack, and its own check will tell
        for use in _named_in(entry.kind, other, resolve):
            if (use.kind, use.key) == ("form", key) and use.field in titles:
                its, at = titles[use.field]
                by = {"kind": entry.kind, "key": entry.key, "by": entry.title, "at": use.path}
                found.append(Problem(at, "E_FIELD_IN_USE", {"name": use.field, "title": its, **by}))
    return sorted(found, key=lambda problem: (problem.path, *map(str, problem.params.values())))
