"""How far today's leads have got: through the running flows, by the hands of who works there.

`today` in the content says what each lead of a branch waits for. What is done already is missed by
nobody, and what is missing is done: it hangs on the lead's place in the day, not on what waits now.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from ...platform.identity.actor import SYSTEM, Actor, actor_of
from ...platform.records.lists import MOST_ROWS, list_records
from ...platform.records.record import Record
from ...platform.records.shape import shape_of
from ...platform.records.submit import submit
from ...platform.store.database import Database
from ...platform.store.session import moment
from ..flows.complete import complete
from ..tasks.model import tasks
from ..tasks.worklist import MOST, worklist
from ..work.dispatch import drain
from .past import Story, Values
from .write import SOURCE, Branch, there

SLOT = timedelta(minutes=15)
Content = Mapping[str, Any]


@dataclass(frozen=True)
class Lead:
    """One of today's leads: its record, whence it came, what for, and the deeds behind it."""

    id: int
    channel: str
    project: str
    behind: Collection[str]


def _nothing(_session: Session, _lead: Lead, _made_of: Content) -> Values:
    return {}


@dataclass(frozen=True)
class Deed:
    """A step of a flow and the part of who completes it. fill: its values, beside those that the
    content has under the deed's name."""

    step: str
    part: str
    fill: Callable[[Session, Lead, Content], Values] = _nothing
    outcome: str | None = None


def _called(session: Session, lead: Lead, _made_of: Content) -> Values:
    now = moment(session)
    later = (now + timedelta(hours=3)).isoformat()
    return {"lead": str(lead.id), "started_at": now.isoformat(), "next_at": later}


def _booked(session: Session, lead: Lead, _made_of: Content) -> Values:
    """The quarter of an hour that comes; the one that has begun for who will be through with it."""
    now = moment(session)
    begun = now - timedelta(seconds=now.timestamp() % SLOT.total_seconds())
    return {"start_at": (begun if "present" in lead.behind else begun + SLOT).isoformat()}


def _examined(_session: Session, lead: Lead, made_of: Content) -> Values:
    return {"diagnosis": [made_of["diagnoses"][lead.project]]}


def _presented(_session: Session, lead: Lead, made_of: Content) -> Values:
    _, price, words = made_of["projects"][lead.project]
    item = {"item": lead.project, "qty": "1", "list_price": str(price)}
    return {"diagnosis": words, "items": [item]}


#: In the order they are done. The arrival is a record of its own, which no task asks for.
DEEDS = {
    "not_reached": Deed("first_call", "agent", _called),
    "first_call": Deed("first_call", "agent", _called),
    "invite": Deed("invite", "agent", _booked, "booked"),
    "arrival": Deed("arrival", "desk"),
    "greet": Deed("greet", "desk"),
    "register": Deed("register", "desk"),
    "exam": Deed("exam", "doctor", _examined),
    "present": Deed("present", "consultant", _presented),
}
_WAY = tuple(DEEDS)[1:]
BEHIND = {
    **{step: _WAY[:place] for place, step in enumerate(_WAY)},
    "retry": ("not_reached",),
    "approval": _WAY,
    "pay": _WAY,
}
"""What waits -> the deeds behind it."""


def go_through(
    database: Database, made_of: Content, days: Collection[tuple[Branch, list[Story]]]
) -> None:
    """Take each of these leads up to what it waits for."""
    for name in DEEDS:
        for branch, told in days:
            with database.read() as session:
                writes = _to_do(session, made_of, branch, told, name)
            for write in writes:
                database.write(write)
        drain(database)


def _to_do(
    session: Session, made_of: Content, branch: Branch, told: list[Story], name: str
) -> list[Callable[[Session], object]]:
    """What is left of a deed, each for a transaction of its own."""
    deed, said = DEEDS[name], made_of["deeds"][name]
    actor = actor_of(session, int(branch.people[deed.part]))
    leads = {
        lead.id: lead
        for lead in _leads(session, branch, told, made_of["today"][branch.code])
        if name in lead.behind
    }
    visits = _linked(session, "appointment", "lead", leads)
    if name == "arrival":
        here = _linked(session, "checkin", "appointment", [visit.id for visit in visits])
        served = {each.values["appointment"] for each in here}
        return [
            partial(_arrive, actor, said | {"how_know": leads[visit.values["lead"]].channel}, visit)
            for visit in visits
            if visit.id not in served
        ]
    about = leads | {visit.id: leads[visit.values["lead"]] for visit in visits}
    mine = tasks.c.step_key == deed.step, tasks.c.subject_id.in_(about)
    asked = worklist(session, actor, MOST, only=mine).items
    return [partial(_do, actor, made_of, name, task.id, about[task.subject_id]) for task in asked]


def _leads(
    session: Session, branch: Branch, told: list[Story], today: Sequence[Mapping[str, str]]
) -> Iterator[Lead]:
    for place, key in there(session, branch, told).items():
        lead = told[place].lead
        yield Lead(key, lead["channel"], lead["project"][0], BEHIND[today[place]["waits"]])


def _do(
    actor: Actor, made_of: Content, name: str, task_id: int, lead: Lead, session: Session
) -> None:
    deed = DEEDS[name]
    values = made_of["deeds"][name] | deed.fill(session, lead, made_of)
    complete(session, actor, task_id, values, deed.outcome)


def _arrive(actor: Actor, said: Values, visit: Record, session: Session) -> None:
    of = {"appointment": str(visit.id), "customer": str(visit.values["customer"])}
    submit(session, actor, "checkin", said | of, source=SOURCE)


def _linked(session: Session, form: str, field: str, to: Collection[int]) -> list[Record]:
    """The records whose link leads to one of these."""
    which = shape_of(session, form).table.c[field].in_(to)
    return list(list_records(session, SYSTEM, form, limit=MOST_ROWS, extra=[which]).items)
