"""Calls that are due, sent: beside the worker, so that nobody waits for another system.

Taking and settling are transactions of their own; between them no transaction is open. Who dies
there leaves a lease that ends, and the call is sent again under the same Idempotency-Key.
"""

import logging
import threading
import time

from sqlalchemy.orm import Session

from ...platform.outbound.client import Client
from ...platform.store.database import Database
from ...platform.store.session import moment
from ..channels import wake
from ..channels.deliver import Came, Parcel, anything_to_send, send, settle, take
from ..timers.set import NewTimer, set_timers
from .looker import Looker

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Calls that one process sends at the same time, over all connections."""


def send_due(database: Database, client: Client) -> int:
    """Send what is due now, one after the other; returns how many calls were tried."""
    count = 0
    while parcels := taken(database, AT_ONCE):
        for parcel in parcels:
            carry(database, client, parcel)
        count += len(parcels)
    return count


def taken(database: Database, most: int) -> list[Parcel]:
    """Calls to be sent, taken for this process; asked by reading first, as idling is."""
    with database.read() as session:
        if not anything_to_send(session):
            return []
    return database.write(lambda session: take(session, most))


def carry(database: Database, client: Client, parcel: Parcel) -> None:
    """Send one that was taken, and write down what came of it."""
    try:
        came = send(client, parcel, database.clock.now())
    except Exception:
        log.exception("call %s", parcel.id)
        came = Came(trouble="E_CALL_BROKEN")
    database.write(lambda session: settled(session, parcel, came))


def settled(session: Session, parcel: Parcel, came: Came) -> None:
    """What is over falls due for its instance, in the same transaction."""
    over = settle(session, parcel, came)
    if over is not None:
        set_timers(session, [NewTimer(moment(session), "call", over.instance_id, over.call)])


class Caller:
    """The thread of a process that takes calls, and those that send them."""

    name = "careloom-calls"

    def __init__(self, database: Database, client: Client) -> None:
        self.database = database
        self.client = client
        self._looker = Looker(self.name, self._look)
        self._sending: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin, and listen for calls that were asked for."""
        wake.listeners.append(self._looker.nudge)
        self._looker.start()

    def leave(self) -> None:
        """Take nothing more; what is being sent is finished, or its lease ends."""
        wake.listeners.remove(self._looker.nudge)
        self._looker.leave()

    def join(self, until: float) -> bool:
        """Wait for what is being sent until then (of the monotonic clock); whether it has ended."""
        ended = [self._looker.join(until)]
        for thread in list(self._sending):
            thread.join(max(0, until - time.monotonic()))
            ended.append(not thread.is_alive())
        return all(ended)

    def _look(self) -> None:
        with self._lock:
            room = AT_ONCE - len(self._sending)
        for parcel in taken(self.database, room) if room > 0 else ():
            thread = threading.Thread(target=self._one, args=(parcel,), daemon=True)
            with self._lock:
                self._sending.add(thread)
            thread.start()

    def _one(self, parcel: Parcel) -> None:
        try:
            carry(self.database, self.client, parcel)
        except Exception:
            log.exception("call %s is sent again when its lease ends", parcel.id)
        finally:
            with self._lock:
                self._sending.discard(threading.current_thread())
            self._looker.nudge()
