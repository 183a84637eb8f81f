"""Saved views: a person's own, those shared with a role they hold, those that packs bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ...platform.definitions.published import entries, published
from ...platform.events.log import append
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import access, allowed
from ...platform.identity.roles import role_document
from ...platform.store.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from ...platform.store.session import moment, new_id
from . import events  # noqa: F401  declares them
from .model import RecordView

SHARE = "views.share"
MOST = 100  # of one person
LONGEST_TITLE = 60


@dataclass(frozen=True)
class View:
    """A view somebody may use. key: `view=` in the address; own: they may remove it; role: with
    whom it is shared; first: it is what they see when they ask for nothing."""

    key: str
    title: Any
    document: Mapping[str, Any]
    own: bool = False
    role: str | None = None
    first: bool = False


def views_of(session: Session, actor: Actor, form_key: str) -> list[View]:
    """The views of a form that the actor may use: the packs', the roles', their own."""
    return [*_shipped(session, actor, form_key), *_saved(session, actor, form_key)]


def first_view(found: list[View]) -> View | None:
    """What somebody sees who asks for nothing: their own choice before their role's."""
    return next((view for view in reversed(found) if view.first), None)


def _roles(actor: Actor) -> set[str]:
    return {grant.role for grant in actor.grants}


def _shipped(session: Session, actor: Actor, form_key: str) -> list[View]:
    roles, found = _roles(actor), []
    for entry in entries(session, "view"):
        document = published(session, "view", entry.key).document
        if document.get("form") != form_key:
            continue
        if not document.get("roles") or roles & set(document["roles"]):
            first = bool(roles & set(document.get("first_for", ())))
            found.append(View(entry.key, document["title"], document, first=first))
    return found


def _saved(session: Session, actor: Actor, form_key: str) -> list[View]:
    mine = RecordView.person_id == actor.person_id
    query = (
        select(RecordView)
        .where(RecordView.form == form_key, or_(mine, RecordView.role_key.in_(_roles(actor))))
        .order_by(RecordView.role_key.is_(None), RecordView.title, RecordView.id)
    )
    return [
        View(
            str(row.id),
            row.title,
            row.document,
            own=row.person_id == actor.person_id,
            role=row.role_key,
            first=row.first,
        )
        for row in session.scalars(query)
    ]


def roles_to_share(session: Session, actor: Actor) -> dict[str, Any]:
    """The roles the actor may share a view with, by key: their titles; none without the right."""
    if not allowed(session, actor, SHARE):
        return {}
    return {entry.key: entry.title for entry in entries(session, "role")}


def save_view(
    session: Session,
    actor: Actor,
    form_key: str,
    title: str,
    document: Mapping[str, Any],
    *,
    role: str | None = None,
    first: bool = False,
) -> View:
    """Keep a view under a title; one's own of the same title and readers is replaced.

    Raises Invalid (title), NotAllowed (the form; a role without the right `views.share`),
    NotFound (no such role), Conflict when there are too many.
    """
    access(session, actor, form_key).need("read")
    name = " ".join(title.split())
    if not 0 < len(name) <= LONGEST_TITLE:
        raise Invalid(problems=[Problem("/title", "E_VIEW_TITLE", {"most": LONGEST_TITLE})])
    if role is not None:
        if not allowed(session, actor, SHARE):
            raise NotAllowed(right=SHARE)
        if role_document(session, role) is None:
            raise NotFound(kind="role", key=role)
    assert actor.person_id is not None
    now = moment(session)
    mine = (RecordView.person_id == actor.person_id) & (RecordView.form == form_key)
    readers = RecordView.role_key.is_(None) if role is None else RecordView.role_key == role
    row = session.scalar(select(RecordView).where(mine, readers, RecordView.title == name))
    if row is None:
        if (session.scalar(select(func.count()).where(mine)) or 0) >= MOST:
            raise Conflict("E_VIEWS_MOST", most=MOST)
        row = RecordView(id=new_id(session), form=form_key, title=name, created_at=now)
        row.person_id, row.role_key = actor.person_id, role
        session.add(row)
    row.document, row.first, row.updated_at = dict(document), first, now
    session.flush()
    if first:
        _only_first(session, row)
    _tell(session, actor, "view:saved", row)
    return View(str(row.id), row.title, row.document, own=True, role=role, first=first)


def _only_first(session: Session, row: RecordView) -> None:
    """Of a person's own views, and of a role's, one at most comes first."""
    same = RecordView.role_key == row.role_key
    if row.role_key is None:
        same = RecordView.role_key.is_(None) & (RecordView.person_id == row.person_id)
    query = select(RecordView).where(RecordView.form == row.form, RecordView.id != row.id, same)
    for other in session.scalars(query):
        other.first = False


def remove_view(session: Session, actor: Actor, form_key: str, view_key: str) -> None:
    """Remove one's own view. Raises NotFound for any other."""
    row = session.get(RecordView, int(view_key)) if view_key.isdecimal() else None
    if row is None or row.form != form_key or row.person_id != actor.person_id:
        raise NotFound()
    _tell(session, actor, "view:removed", row)
    session.delete(row)
    session.flush()


def _tell(session: Session, actor: Actor, name: str, row: RecordView) -> None:
    data = {"form": row.form, "title": row.title, "role": row.role_key or ""}
    append(session, name, actor, (f"form:{row.form}", 0), actor.unit_id, data)
