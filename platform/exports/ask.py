"""Ask for an export that needs a second person's yes; say yes or no; see what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from ..events.log import append
from ..identity.actor import Actor, actor_of
from ..identity.permissions import allowed, held_at
from ..records.take import columns_of
from ..records.trail import RIGHT as TRAIL
from ..store.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, Problem
from ..store.locks import exclusive
from ..store.session import moment, new_id
from .allow import RIGHT, anybody, may_answer
from .events import SUBJECT
from .free import needs_yes
from .model import Export, State, Way, exports
from .question import Question

DAYS, HOURS = 7, 24
WAITS = timedelta(days=DAYS)
"""How long a question waits for its answer."""
HOLDS = timedelta(hours=HOURS)
"""How long a yes holds."""
MOST_OPEN = 10
"""Questions of one person that wait at the same time."""
SHORTEST, LONGEST = 2, 300
"""Letters of a reason; what is said with an answer may be as long."""


def margin(counted: int) -> int:
    """How many rows more than were counted a file may have: records go on coming in meanwhile."""
    return max(20, counted // 20)


def ask(
    session: Session, actor: Actor, question: Question, reason: str, *, free: int | None
) -> Export:
    """Ask for a file. free: how many rows leave without, see `free.needs_yes`.

    Raises NotAllowed, Invalid (the reason), and Conflict: it needs no yes, nobody could say it, or
    too much was asked already.
    """
    count = question.count(session, actor)
    reason = _said(reason, "/reason", SHORTEST)
    if actor.person_id is None or not needs_yes(session, actor, question.form, free, count):
        raise Conflict("E_EXPORT_NEEDS_NO_YES")
    if not anybody(session, actor, question.form):
        raise Conflict("E_EXPORT_NOBODY")
    exclusive(session, f"exports of {actor.person_id}")
    now = moment(session)
    if _open_of(session, actor.person_id, now) >= MOST_OPEN:
        raise Conflict("E_EXPORT_MANY_ASKED", most=MOST_OPEN)
    row = Export(
        id=new_id(session),
        form=question.form,
        kind=question.kind,
        way=Way.ASKED,
        state=State.ASKED,
        person_id=actor.person_id,
        unit_id=actor.unit_id,
        asked_at=now,
        until=now + WAITS,
        question=question.stored(),
        columns=columns_of(session, actor, question.form),
        counted=count,
        most=count + margin(count),
        reason=reason,
        words="",
    )
    session.add(row)
    session.flush()
    data = {"form": row.form, "rows": count, "reason": reason}
    append(session, "export:asked", actor, (SUBJECT, row.id), row.unit_id, data)
    return row


def _said(words: str, path: str, shortest: int) -> str:
    words = " ".join(words.split())
    if not words and shortest:
        raise Invalid(problems=[Problem(path, "E_REQUIRED")])
    if len(words) < shortest:
        raise Invalid(problems=[Problem(path, "E_TOO_SHORT", {"least": shortest})])
    if len(words) > LONGEST:
        raise Invalid(problems=[Problem(path, "E_TOO_LONG", {"most": LONGEST})])
    return words


def _open_of(session: Session, person_id: int, now: datetime) -> int:
    its = (Export.person_id == person_id, Export.state == State.ASKED, Export.until > now)
    return session.scalar(select(func.count()).select_from(Export).where(*its)) or 0


def answer(session: Session, actor: Actor, export_id: int, yes: bool, words: str = "") -> Export:
    """Say yes or no to somebody else's question; of two who answer at once the first counts.

    Raises NotFound, NotAllowed, Invalid, and Conflict where it was answered or has lapsed.
    """
    row = find(session, actor, export_id)
    if not _may(session, actor, row):
        own = row.person_id == actor.person_id
        raise NotAllowed("E_EXPORT_OWN") if own else NotAllowed(right=RIGHT)
    words = _said(words, "/words", 0)
    now = moment(session)
    until = now + HOLDS if yes else now
    answering = (
        update(exports)
        .where(exports.c.id == row.id, exports.c.state == State.ASKED, exports.c.until > now)
        .values(
            state=State.ALLOWED if yes else State.REFUSED,
            answered_by=actor.person_id,
            answered_at=now,
            until=until,
            words=words,
        )
    )
    if not session.execute(answering.returning(exports.c.id)).all():
        raise Conflict("E_EXPORT_ANSWERED")
    session.refresh(row)
    data = {"form": row.form, "rows": row.counted, "words": words}
    if yes:
        data["until"] = until.isoformat()
    name = "export:allowed" if yes else "export:refused"
    append(session, name, actor, (SUBJECT, row.id), row.unit_id, data)
    return row


def state_of(row: Export, now: datetime) -> State:
    """Where it stands now."""
    state = State(row.state)
    waiting = state in (State.ASKED, State.ALLOWED)
    return State.LAPSED if waiting and (row.until is None or row.until <= now) else state


def may(session: Session, actor: Actor, row: Export) -> set[str]:
    """What the actor may do with it now: `answer`, `take`."""
    state = state_of(row, moment(session))
    if state == State.ASKED and _may(session, actor, row):
        return {"answer"}
    if state == State.ALLOWED and row.person_id == actor.person_id:
        return {"take"}
    return set()


def _may(session: Session, actor: Actor, row: Export) -> bool:
    if row.person_id is None:
        return False
    try:
        return may_answer(session, actor, actor_of(session, row.person_id), row.form)
    except NotSignedIn:  # the asker is disabled: nothing is to be said yes to
        return False


def find(session: Session, actor: Actor, export_id: int) -> Export:
    """An export that was asked for: one's own, one that is or was one's to answer, or for who reads
    the trail of its unit. Raises NotFound."""
    row = session.get(Export, export_id)
    if row is None or row.way != Way.ASKED:
        raise NotFound()
    known = actor.person_id is not None and actor.person_id in (row.person_id, row.answered_by)
    if known or _may(session, actor, row) or allowed(session, actor, TRAIL, row.unit_id):
        return row
    raise NotFound()


def to_answer(session: Session, actor: Actor) -> list[Export]:
    """What waits for this person's answer, the oldest first."""
    if not held_at(session, actor, RIGHT):
        return []
    now = moment(session)
    query = select(Export).where(
        Export.state == State.ASKED, Export.until > now, Export.person_id != actor.person_id
    )
    found = session.scalars(query.order_by(Export.until, Export.id)).all()
    return [row for row in found if _may(session, actor, row)]


def answered_lately(session: Session, actor: Actor) -> list[Export]:
    """Answers to this person's questions within the last day that nothing was made of yet."""
    since = moment(session) - HOLDS
    query = select(Export).where(
        Export.person_id == actor.person_id,
        Export.way == Way.ASKED,
        Export.state.in_((State.ALLOWED, State.REFUSED)),
        Export.answered_at > since,
    )
    return list(session.scalars(query.order_by(Export.id)))


def mine(
    session: Session, actor: Actor, before: int | None = None, limit: int = 50
) -> tuple[Sequence[Export], int | None]:
    """What this person asked or answered, or is asked, the newest first; and where to go on."""
    asked = [row.id for row in to_answer(session, actor)]
    its = or_(
        Export.person_id == actor.person_id,
        Export.answered_by == actor.person_id,
        Export.id.in_(asked),
    )
    query = select(Export).where(and_(Export.way == Way.ASKED, its))
    if before is not None:
        query = query.where(Export.id < before)
    found = session.scalars(query.order_by(Export.id.desc()).limit(limit + 1)).all()
    return found[:limit], found[limit - 1].id if len(found) > limit else None
