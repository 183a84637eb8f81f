"""Take the last apply of a pack back: earlier documents are published again, nothing is deleted."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..definitions.kinds import holding_last
from ..definitions.known import coming
from ..definitions.publish import publish_document
from ..definitions.published import published
from ..events.log import append
from ..identity.actor import Actor
from ..identity.permissions import need
from ..store.errors import Conflict, NotFound
from ..store.session import moment
from .installed import keep_files
from .model import InstalledPack, PackApply, PackObject
from .plan import Name

BACK = ("upgrade", "take")


@dataclass(frozen=True)
class Taken:
    """What was taken back. kept: changed here since, so they stay; stay: they were new then, and
    a definition in use is not deleted."""

    version: str
    back: list[Name]
    kept: list[Name]
    stay: list[Name]


def last_apply(session: Session, key: str) -> PackApply | None:
    """The apply that a rollback would take back."""
    query = (
        select(PackApply)
        .where(PackApply.pack == key, PackApply.undone_at.is_(None))
        .order_by(PackApply.id.desc())
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def roll_back(session: Session, actor: Actor, key: str) -> Taken:
    """The state before the last apply, as new versions. What was changed here since is kept.

    Raises NotAllowed, NotFound, Conflict when there was nothing before, Invalid.
    """
    need(session, actor, "packs.apply")
    row = session.get(InstalledPack, key)
    if row is None:
        raise NotFound("E_PACK_NONE", pack=key)
    last = last_apply(session, key)
    if last is None or last.before is None:
        raise Conflict("E_PACK_FIRST", pack=key)
    objects: list[dict[str, Any]] = last.undo["objects"]
    back = [each for each in objects if each["action"] in BACK]
    kept = [each for each in back if _version(session, each) != each["now"]]
    back = [each for each in back if each not in kept]
    documents = {
        _name(each): dict(published(session, *_name(each), each["was"]).document) for each in back
    }
    with coming(documents):
        for each in holding_last(back, lambda each: str(each["kind"])):
            document = documents[_name(each)]
            now = publish_document(session, actor, each["kind"], document, vouched=True).version
            _restore(session, each, now)
    for each in objects:
        if each["action"] in ("remove", "same"):
            _restore(session, each)
    row.version, row.manifest = last.before, last.undo["manifest"]
    keep_files(session, key, last.undo["files"])
    last.undone_at = moment(session)
    session.flush()
    data = {"key": key, "version": last.before, "steps": len(back)}
    append(session, "pack:rolled_back", actor, (f"pack:{key}", row.id), None, data)
    stay = [_name(each) for each in objects if each["action"] == "add"]
    return Taken(last.before, [_name(each) for each in back], [_name(each) for each in kept], stay)


def _name(each: dict[str, Any]) -> Name:
    return each["kind"], each["key"]


def _version(session: Session, each: dict[str, Any]) -> int:
    return published(session, *_name(each)).version


def _restore(session: Session, each: dict[str, Any], now: int | None = None) -> None:
    """The shipped document as it was known before; `now` when it is in force again as a version."""
    shipped = each["shipped"]
    row = session.get(PackObject, _name(each))
    if shipped is None:
        if row is not None and each["action"] != "add":
            session.delete(row)
    else:
        if row is None:
            row = PackObject(kind=each["kind"], key=each["key"])
            session.add(row)
        for name, value in shipped.items():
            setattr(row, name, value)
        if now is not None and each["action"] == "upgrade":
            row.published = now
    session.flush()
