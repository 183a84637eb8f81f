"""What an asker may know at all of the records that link to another (RELATED, see `lowered`).

A sum leaves blanks out, so of a field that its reader sees nowhere it would say 0: it is blank.
"""

from sqlalchemy.orm import Session

from ..expressions.tree import linking
from ..identity.actor import Actor
from ..identity.permissions import access
from .shape import shape_of
from .visible import ever_readable


def may_know(session: Session, actor: Actor, path: tuple[str, ...]) -> bool:
    """Whether the asker reads, in some row, each field on the way of what a formula reads (see
    `Typed.reads`) of records that link here; true of anything else."""
    linked = linking(path[0])
    if linked is None:
        return True
    form_key, link = linked
    if not ever_readable(access(session, actor, form_key), link):
        return False
    for key in path[1:]:
        if not ever_readable(access(session, actor, form_key), key):
            return False
        form_key = shape_of(session, form_key).form.fields[key].link_form or ""
        if not form_key:  # of a sub-form's columns its own field tells
            return True
    return True
