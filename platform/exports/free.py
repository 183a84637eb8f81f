"""How much somebody takes out without asking: so many different records of a form within a day.

Counted over the day, or a list that is cut in pieces would leave piece by piece.
"""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..events.model import View
from ..identity.actor import Actor
from ..store.session import moment
from .model import Export, Way
from .personal import holds_personal

DAY = timedelta(hours=24)


def needs_yes(session: Session, actor: Actor, form_key: str, free: int | None, count: int) -> bool:
    """Whether so many records may be more than leave without a yes.

    free: how many do; None for any number. Those taken freely within the last day are added to
    these, as if all were different; `beyond` is sure.
    """
    if free is None or not holds_personal(session, form_key):
        return False
    return count + len(_lately(session, actor, form_key)) > free


def beyond(session: Session, actor: Actor, form_key: str, free: int, ids: Collection[int]) -> bool:
    """Whether these records, and those taken freely within the last day, are more."""
    return len(_lately(session, actor, form_key) | set(ids)) > free


def _lately(session: Session, actor: Actor, form_key: str) -> set[int]:
    """The records of the form that the actor took out freely within the last day."""
    since = moment(session) - DAY
    made = select(Export.done_at).where(
        Export.person_id == actor.person_id,
        Export.asked_at > since,
        Export.way == Way.FREE,
        Export.form == form_key,
    )
    shown = select(View.ids).where(
        View.person_id == actor.person_id,
        View.at > since,
        View.at.in_(made),
        View.form == form_key,
        View.purpose == "export",
    )
    return {int(number) for ids in session.scalars(shown) for number in ids}
