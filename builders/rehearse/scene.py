"""The scene of a rehearsal: this house without its records, the drafts in force, a clock that is
turned by hand. It is thrown away afterwards."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from ...platform.definitions.kinds import Document
from ...platform.definitions.publish import publish_document
from ...platform.events.view_log import watching
from ...platform.identity.actor import SYSTEM
from ...platform.outbound.addresses import Allowed
from ...platform.outbound.client import Answer
from ...platform.records.hollow import Hollow
from ...platform.store import jobs
from ...platform.store.clock import TurnedClock
from ...platform.store.database import Database, open_database
from ...platform.store.errors import Invalid, Problem
from ...platform.store.scratch import scratch
from ...runtime.channels.connections import Wanted, set_connection
from ...runtime.stories.cast import FAR, Cast

MOST_MOMENTS = 500
"""So many things may fall due while the clock is turned on once: years of a clinic's visits."""


@contextmanager
def scene(
    house: Hollow, drafts: Sequence[tuple[str, Document]], zone: ZoneInfo, begin: datetime
) -> Iterator[Cast]:
    """Set it up. drafts: (kind, document), put in force there one after the other. begin: where
    the clock begins, aware UTC.

    What is seen there is no look at a record of this house. Raises Invalid when a draft could not
    be published, each problem under `/drafts/KIND/KEY`.
    """
    with scratch("rehearsal") as home, watching():
        url = f"sqlite:///{home / 'careloom.db'}"
        database = open_database(url, home, TurnedClock(begin))
        try:
            house.put(database)
            for kind, document in drafts:
                _put_in_force(database, kind, document)
            jobs.run(database)
            yield Cast(database, zone, most_moments=MOST_MOMENTS)
        finally:
            database.close()


def answers(cast: Cast, key: str, answer: Answer) -> None:
    """From now on the other system of this connection says so; nobody is called."""
    cast.client.answers[key] = answer
    wanted = Wanted(key, f"{FAR}{key}")
    cast.database.write(lambda session: set_connection(session, SYSTEM, Allowed(), key, wanted))


def _put_in_force(database: Database, kind: str, document: Document) -> None:
    try:
        database.write(lambda session: publish_document(session, SYSTEM, kind, document))
    except Invalid as refusal:
        place = f"/drafts/{kind}/{document['key']}"
        problems = [Problem(place + one.path, one.code, one.params) for one in refusal.problems]
        raise Invalid("E_REHEARSAL_DRAFT", problems) from None
