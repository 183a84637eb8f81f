"""What a condition read when it was asked, kept so that people can be told later."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...platform.expressions.tree import Each, Field, Find, Group, Hop, Keep, walk
from .commands import Named
from .formula import Formula
from .sight import Sight

MOST = 8


def reasons(sight: Sight, formula: Formula, names: Mapping[str, Named]) -> list[dict[str, Any]]:
    """Each field it names: whose it is, where it stands in the text, and what was in it.

    form, id, key: the record and its field, by which its reader's rights are asked. path: as the
    text says it. value: as JSON. Of a step's own word (`outcome`) the form is empty.
    """
    if formula.typed is None:
        return []
    found = {path: part for path, part in _read(sight, formula, names)}
    return [{"path": path, **part} for path, part in list(found.items())[:MOST]]


def fields_read(
    sight: Sight, formula: Formula, names: Mapping[str, Named]
) -> list[dict[str, str]] | None:
    """Every field of a record it names: {form, id, key}; None where that cannot be told one by one,
    because it goes through rows, searches, or follows a link of a link."""
    if formula.typed is None:
        return None
    env, found = sight.env(names), []
    for node in walk(formula.typed.node):
        if isinstance(node, Find | Each | Keep | Group):
            return None
        if isinstance(node, Field):
            if node.up:
                return None
            if node.key in sight.subject.form.fields:
                found.append((sight.form_key, sight.record_id, node.key))
        elif isinstance(node, Hop):
            if not isinstance(node.base, Field):
                return None
            base, linked = node.base.type.form or "", env.values.get(node.base.key)
            if linked and (form := base.partition("+")[0]):
                found.append((form, linked, node.key))
    return [{"form": form, "id": str(one), "key": key} for form, one, key in dict.fromkeys(found)]


def _read(
    sight: Sight, formula: Formula, names: Mapping[str, Named]
) -> Iterator[tuple[str, dict[str, Any]]]:
    env = sight.env(names)
    hopped = {id(node.base) for node in walk(formula.typed.node) if isinstance(node, Hop)}
    for node in walk(formula.typed.node):
        if isinstance(node, Field) and node.up == 0 and id(node) not in hopped:
            form, record = sight.form_key, sight.record_id
            if node.key in sight.subject.form.fields:
                yield node.key, _part(sight, form, record, node.key, env.values.get(node.key))
        elif isinstance(node, Hop) and isinstance(node.base, Field) and node.base.up == 0:
            base, linked = node.base.type.form or "", env.values.get(node.base.key)
            row = env.follow(base, linked) or {}
            form = base.partition("+")[0]
            path = f"{node.base.key}.{node.key}"
            yield path, _part(sight, form, linked, node.key, row.get(node.key))


def _part(sight: Sight, form: str, record: Any, key: str, value: Any) -> dict[str, Any]:
    found = sight.record(form, int(record)) if form and record else None
    field = found.form.fields.get(key) if found is not None else None
    if field is None:
        return {"form": "", "id": "", "key": key, "value": None if value is None else str(value)}
    given = field.give(value) if value is not None else None
    return {"form": form, "id": str(record), "key": key, "value": given}
