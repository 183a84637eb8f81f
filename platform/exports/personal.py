"""Whether a form's records are about people: then many of them leave by a second person's yes only.

A field says so by `x-sensitive`, by being encrypted, or by its type. A link says so too where the
records it leads to are about people, for an export has their names.
"""

from sqlalchemy.orm import Session

from ..definitions.fields import Field
from ..definitions.form import Form
from ..records.shape import shape_of
from ..store.errors import Refusal

TYPES = ("phone", "email", "id_card")


def holds_personal(session: Session, form_key: str) -> bool:
    """Whether the form holds personal data. Raises NotFound."""
    form = shape_of(session, form_key).form
    if _personal(form):
        return True
    links = {its.link_form for its in _fields(form) if its.link_form} - {form_key}
    return any(_leads_to_people(session, link) for link in sorted(links))


def _leads_to_people(session: Session, form_key: str) -> bool:
    """A form that cannot be read is taken to be about people: nobody can say that it is not."""
    try:
        return _personal(shape_of(session, form_key).form)
    except Refusal:
        return True


def _personal(form: Form) -> bool:
    return any(
        its.sensitive != "none" or its.encrypted or its.type.name in TYPES for its in _fields(form)
    )


def _fields(form: Form) -> list[Field]:
    """Those of its sub-forms' rows among them."""
    inner = [each for its in form.fields.values() if its.rows for each in _fields(its.rows)]
    return [*form.fields.values(), *inner]
