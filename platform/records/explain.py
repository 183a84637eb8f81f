"""Why somebody may, or may not, do something with a record: for who administers people."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy.orm import Session

from ..identity.actor import Actor, actor_of
from ..identity.permissions import Reason, access, need, why
from ..identity.reach import in_reach
from ..store.errors import NotFound, NotSignedIn
from .lists import get
from .record import Record
from .shape import shape_of

#: what can be done with a record that is there
WITH_A_RECORD = ("read", "change", "retire", "export")


@dataclass(frozen=True)
class Explained:
    """What a person may do with a record, and every rule of theirs on its form.

    record: as the asker sees it. rights: the person's on each field that the asker is shown.
    """

    record: Record
    person: Actor
    may: tuple[str, ...]
    rights: Mapping[str, str]
    reasons: tuple[Reason, ...]


def explain(
    session: Session, actor: Actor, form_key: str, record_id: int, person_id: int
) -> Explained:
    """Needs the right `people.read`, and reading the record. Raises NotFound, NotAllowed.

    A disabled person may do nothing, so they are not found.
    """
    need(session, actor, "people.read")
    record = get(session, actor, form_key, record_id)
    in_reach(session, actor, person_id, "people.read")
    try:
        person = actor_of(session, person_id)
    except NotSignedIn as error:
        raise NotFound("E_NO_PERSON") from error
    shape = shape_of(session, form_key)
    row = shape.read(session, record_id)
    assert row is not None
    look = partial(shape.look, row)
    about = (row["_owner"], row["_unit"])
    asked = access(session, person, form_key)
    told = [key for key, right in record.rights.items() if right != "hidden"]
    return Explained(
        record,
        person,
        tuple(action for action in WITH_A_RECORD if asked.may_with(action, *about, look)),
        asked.rights_with(*about, told, look=look),
        tuple(why(session, person, form_key, *about, look)),
    )
