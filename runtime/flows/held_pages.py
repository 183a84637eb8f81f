"""The open tasks in one person's hands, for whoever may give them to somebody else."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import bindparam, func, literal, select, union
from sqlalchemy.orm import Session

from ...platform.identity.actor import Actor
from ...platform.identity.model import Person
from ...platform.identity.permissions import allowed
from ...platform.identity.reach import in_reach
from ...platform.store.session import moment
from ...platform.web.person_links import Link
from ...platform.web.request import language, reading, who
from ...platform.web.routes import route
from ...platform.web.words import say
from ..forms.pages import reader_of
from ..tasks.hold import found
from ..tasks.model import TaskState, task_actors, tasks
from ..tasks.offer import NEVER
from ..tasks.worklist import task_row
from .cards import cards
from .hand_over import ASSIGN, may_hand_over

area = Blueprint("held", __name__)

SHOWN = 50
# Written out in the statement: SQLite takes the index of open tasks only where it sees they are.
OPEN = tasks.c.state == bindparam("open", TaskState.OPEN, literal_execute=True)


def held_by(session: Session, actor: Actor, person_id: int, most: int = SHOWN) -> list[int]:
    """Open tasks that this person alone has, held or asked of them by name, soonest due first: as
    many of them as the actor may give to somebody else."""
    due = func.coalesce(tasks.c.due_at, literal(NEVER, tasks.c.due_at.type))
    held = select(tasks.c.id, due.label("due")).where(
        OPEN, tasks.c.holder_id == person_id
    )  # whether or not they still have the role by which it came to them
    named = (
        select(tasks.c.id, task_actors.c.sort_at.label("due"))
        .join(tasks, tasks.c.id == task_actors.c.task_id)
        .where(task_actors.c.open, task_actors.c.person_id == person_id)
        .where(tasks.c.holder_id.is_(None))
    )
    both = union(held, named).subquery()
    query = select(both.c.id).order_by(both.c.due, both.c.id).limit(most)
    ids = dict.fromkeys(session.scalars(query))
    return [one for one in ids if may_hand_over(session, actor, found(session, one))]


def about_person(session: Session, actor: Actor, person: Person) -> list[Link]:
    """For the person's page: how many tasks they have, when there are any to be given on."""
    if not allowed(session, actor, ASSIGN, person.unit_id):
        return []
    count = len(held_by(session, actor, person.id))
    words = say(language(), "page.held.link", count=f"{count}+" if count == SHOWN else count)
    return [Link(f"/people/{person.id}/tasks", words, "list-checks")] if count else []


@route(area, "/people/<id:person_id>/tasks", needs=ASSIGN, endpoint="held")
def show(person_id: int) -> ResponseReturnValue:
    """`pages/held.html`: person, back, tasks (cards that lead to handing them over)."""
    session, actor = reading(), who()
    person = in_reach(session, actor, person_id, ASSIGN)
    rows = [task_row(session, actor, one) for one in held_by(session, actor, person_id)]
    drawn = [
        replace(card, url=f"{card.url}/hand-over")
        for card in cards(reader_of(session, actor), rows, moment(session))
    ]
    may_see = allowed(session, actor, "people.read", person.unit_id)
    back = f"/people/{person_id}" if may_see else "/"
    return render_template("pages/held.html", person=person, back=back, tasks=drawn)
