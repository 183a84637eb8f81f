"""A form's fields as names in an expression."""

from collections.abc import Callable

from ...platform.definitions.fields import Field
from ...platform.definitions.form import Form
from ...platform.expressions import TEXT, Scope, Type, list_of, number, row

FormOf = Callable[[str], Form | None]


def type_of(field: Field) -> Type:
    """The type of a field's values in an expression."""
    name = field.type.expression
    if name == "number":
        return number(field.scale)
    if name == "list":
        return list_of(TEXT)
    if name == "row":
        return row(field.link_form or "")
    return Type(name, scale=field.scale if name == "money" else 0)


def scope_of(form: Form, form_of: FormOf) -> Scope:
    """The fields of a form by key and by label, and the forms its links lead to."""
    labels: dict[str, str] = {}
    for key, field in form.fields.items():
        title = field.title
        for label in [title] if isinstance(title, str) else title.values():
            labels.setdefault(label, key)

    def links(name: str) -> Scope | None:
        linked = form_of(name)
        return None if linked is None else scope_of(linked, form_of)

    return Scope({key: type_of(field) for key, field in form.fields.items()}, labels, links)
