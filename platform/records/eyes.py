"""Records as one actor may see them, each of them asked for once."""

from sqlalchemy.orm import Session

from ..identity.actor import Actor
from ..store.errors import NotFound
from .lists import get
from .record import Record


class Eyes:
    """For as long as one answer is made. known: a record that was asked for already."""

    def __init__(self, session: Session, actor: Actor, *known: Record) -> None:
        self.session = session
        self.actor = actor
        self._seen: dict[tuple[str, int], Record | None] = {
            (record.form.key, record.id): record for record in known
        }

    def record(self, form: str, number: int) -> Record | None:
        """A record; None when there is none, or the actor may not see it."""
        at = (form, number)
        if at not in self._seen:
            try:
                self._seen[at] = get(self.session, self.actor, form, number)
            except NotFound:
                self._seen[at] = None
        return self._seen[at]
