"""What a form names: lists, the forms its links lead to, and fields, its own among them."""

from collections.abc import Iterator, Mapping
from typing import Any

from .form import Form, read_form
from .form_scope import Resolve, scope_of, scopes_of
from .kinds import Use
from .named import use_of, uses_of_formula
from .schema_check import pointer

FORMULAS = ("x-visible", "x-enabled", "x-required", "x-value", "x-default")


def uses_of_form(document: Mapping[str, Any], resolve: Resolve) -> Iterator[Use]:
    """Its `x-layout` and `required` are left out: they only say where and whether a field is."""
    form = read_form(document)

    def here(key: str) -> Form | None:
        return form if key == form.key else resolve(key)

    scope = scope_of(form, here)
    yield from _fields(form, here, ("properties",))
    for word in ("x-label", "x-unit", "x-owner"):
        if word in document:
            yield Use("form", form.key, document[word], f"/{word}")
    for number, name in enumerate(form.listed):
        yield Use("form", form.key, name, pointer("x-listed", number))
    for number, group in enumerate(form.match):
        for position, (name, _) in enumerate(group):
            yield Use("form", form.key, name, pointer("x-match", number, position))
    for number, rule in enumerate(form.rules):
        at = ("x-rules", str(number))
        yield from uses_of_formula(rule.condition, pointer(*at, "if"), scope, form.key, here)
        if rule.field is not None:
            yield Use("form", form.key, rule.field, pointer(*at, "field"))


def _fields(form: Form, here: Resolve, at: tuple[str, ...]) -> Iterator[Use]:
    """What the fields of a form, or of a sub-form's rows, name."""
    scope = scopes_of(form, here)
    for key, field in form.fields.items():
        its = (*at, key)
        options = field.options or {}
        for kind in ("list", "form"):
            if kind in options:
                yield Use(kind, options[kind], None, pointer(*its, "x-options", kind))
        for word in FORMULAS:
            if word in field.schema:
                text, place = field.schema[word], pointer(*its, word)
                yield from uses_of_formula(text, place, scope(word), form.key, here)
        yield from _fill(form, field.schema.get("x-fill"), its)
        if field.rows is not None:
            yield from _fields(field.rows, here, (*its, "items", "properties"))


def _fill(form: Form, fill: Mapping[str, Any] | None, at: tuple[str, ...]) -> Iterator[Use]:
    """x-fill: values come with a choice into fields of this form. An item's data is not a field."""
    if fill is None:
        return
    yield use_of(form.key, fill["from"], pointer(*at, "x-fill", "from"))
    linked = form.links.get(fill["from"])
    for target, source in fill["map"].items():
        path = pointer(*at, "x-fill", "map", target)
        yield use_of(form.key, target, path)
        if linked is not None:
            yield Use("form", linked, source, path)
