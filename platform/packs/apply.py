"""Carry out a plan in one transaction, through publishing; killed, it leaves the old state."""

from sqlalchemy.orm import Session

from ..definitions.known import coming
from ..definitions.publish import publish_document
from ..events.log import append
from ..identity.actor import Actor
from ..identity.permissions import need
from ..store.errors import Conflict, Invalid, Problem
from ..store.session import moment, new_id
from .model import InstalledPack, PackObject
from .plan import Plan, Step, plan
from .read import Pack


def apply_pack(session: Session, actor: Actor, pack: Pack) -> Plan:
    """Plan once more and do it: what the reader was shown may be old by now.

    Raises Invalid with every problem and Conflict when something was changed both here and in
    the pack; then nothing is done. Applying the same again changes nothing.
    """
    need(session, actor, "packs.apply")
    found = plan(session, pack)
    if found.problems:
        raise Invalid(problems=found.problems)
    clashes = [step for step in found.steps if step.action == "conflict"]
    if clashes:
        raise Conflict(
            "E_PACK_CONFLICT",
            [Problem(f"/{step.kind}s/{step.key}", "E_PACK_CONFLICT") for step in clashes],
        )
    with coming(pack.objects):
        for step in found.steps:
            if step.action in ("add", "upgrade"):
                document = pack.objects[step.kind, step.key]
                version = publish_document(session, actor, step.kind, document)
                _remember(session, pack, step, version.version)
    _install(session, actor, found)
    return found


def _remember(session: Session, pack: Pack, step: Step, version: int) -> None:
    row = session.get(PackObject, (step.kind, step.key))
    if row is None:
        row = PackObject(kind=step.kind, key=step.key)
        session.add(row)
    row.pack, row.pack_version = pack.key, pack.version
    row.document, row.published = pack.objects[step.kind, step.key], version
    session.flush()


def _install(session: Session, actor: Actor, found: Plan) -> None:
    pack = found.pack
    if found.before == pack.version and not (found.count("add") or found.count("upgrade")):
        return
    row = session.get(InstalledPack, pack.key)
    if row is None:
        row = InstalledPack(key=pack.key, id=new_id(session))
        session.add(row)
    row.version, row.manifest = pack.version, dict(pack.manifest)
    row.applied_at, row.applied_by = moment(session), actor.person_id
    session.flush()
    done = found.count("add") + found.count("upgrade")
    data = {"key": pack.key, "version": pack.version, "steps": done}
    append(session, "pack:applied", actor, (f"pack:{pack.key}", row.id), None, data)
