"""Whether an expression's value can stand in a field."""

from ...platform.definitions.fields import Field
from ...platform.definitions.form_scope import type_of
from ...platform.expressions import Type


def fits(found: Type, field: Field) -> bool:
    """By type alone; whether a choice has the option, say, the door judges when it is written."""
    wanted = type_of(field)
    if found.name in ("blank", "any"):
        return True
    if field.rows is not None:  # rows of its own kind; others are made by `each`
        return found == wanted
    if wanted.name == "row":
        return found.name == "row" and (found.form or "").partition("+")[0] == wanted.form
    if wanted.name == "list":
        return found.name in ("list", "text")  # one choice alone stands for a list of one
    return found.kind == wanted.kind
