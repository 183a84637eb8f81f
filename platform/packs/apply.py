"""Carry out a plan in one transaction, through publishing; killed, it leaves the old state."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.orm import Session

from ..definitions.kinds import holding_last
from ..definitions.known import coming
from ..definitions.publish import publish_document
from ..definitions.published import published
from ..events.log import append
from ..identity.actor import Actor
from ..identity.permissions import need
from ..store.errors import Invalid
from ..store.session import moment, new_id
from .installed import files_of, keep_files, other_files
from .model import InstalledPack, PackApply, PackObject
from .plan import GOES_IN, Name, Plan, Step, going_in, plan
from .read import Pack

UNPROVEN: Mapping[str, Any] = {"passed": 0, "all": 0, "despite": False}


def apply_pack(
    session: Session,
    actor: Actor,
    pack: Pack,
    take: Collection[Name] = (),
    stories: Mapping[str, Any] = UNPROVEN,
) -> Plan:
    """Plan once more and do it: what the reader was shown may be old by now.

    take: as in `plan`; what else was changed here is kept. stories: what came of them, for the
    trail. Raises Invalid with every problem; then nothing is done. Applying the same again changes
    nothing.
    """
    need(session, actor, "packs.apply")
    found = plan(session, pack, take)
    if found.problems:
        raise Invalid(problems=found.problems)
    undo: list[dict[str, Any]] = []
    with coming(going_in(pack, found.steps)):
        for step in holding_last(found.steps, lambda step: step.kind):
            undo += _carry_out(session, actor, pack, step)
    _install(session, actor, found, undo, stories)
    return found


def _carry_out(session: Session, actor: Actor, pack: Pack, step: Step) -> list[dict[str, Any]]:
    """Do one step; what taking it back needs, if it did anything."""
    row = session.get(PackObject, (step.kind, step.key))
    shipped = _shipped(row)
    if step.action == "remove":
        session.delete(row)
        session.flush()
        return [{"action": "remove", "kind": step.kind, "key": step.key, "shipped": shipped}]
    if step.action not in (*GOES_IN, "same"):
        return []  # the base of a later merge stays what the local one was made from
    document = pack.objects[step.kind, step.key]
    was = None
    if step.action in GOES_IN:
        was = None if step.action == "add" else published(session, step.kind, step.key).version
        now = publish_document(session, actor, step.kind, document, vouched=True).version
    else:
        now = published(session, step.kind, step.key).version
        if row is not None and (row.pack, row.document) == (pack.key, document):
            return []
    if row is None:
        row = PackObject(kind=step.kind, key=step.key)
        session.add(row)
    row.pack, row.pack_version = pack.key, pack.version
    row.document, row.published = document, now
    session.flush()
    done = {"action": step.action, "kind": step.kind, "key": step.key}
    return [{**done, "was": was, "now": now, "shipped": shipped}]


def _shipped(row: PackObject | None) -> dict[str, Any] | None:
    if row is None:
        return None
    names = ("pack", "pack_version", "document", "published")
    return {name: getattr(row, name) for name in names}


def _install(
    session: Session,
    actor: Actor,
    found: Plan,
    undo: list[dict[str, Any]],
    stories: Mapping[str, Any],
) -> None:
    pack = found.pack
    row = session.get(InstalledPack, pack.key)
    files, before = other_files(pack), files_of(session, pack.key)
    if row is not None and not undo and (row.manifest, before) == (dict(pack.manifest), files):
        return
    session.add(
        PackApply(
            id=new_id(session),
            pack=pack.key,
            version=pack.version,
            before=found.before,
            at=moment(session),
            by=actor.person_id,
            stories=dict(stories),
            undo={"objects": undo, "manifest": row.manifest if row else None, "files": before},
        )
    )
    if row is None:
        row = InstalledPack(key=pack.key, id=new_id(session))
        session.add(row)
    row.version, row.manifest = pack.version, dict(pack.manifest)
    row.applied_at, row.applied_by = moment(session), actor.person_id
    keep_files(session, pack.key, files)
    session.flush()
    done = sum(found.count(action) for action in GOES_IN)
    data = {
        "key": pack.key,
        "version": pack.version,
        "steps": done,
        "signed": found.signed.state,
        "by": found.signed.by,
    }
    append(session, "pack:applied", actor, (f"pack:{pack.key}", row.id), None, data)
