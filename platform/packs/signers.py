"""Whose signature counts here, and what the one at hand is worth."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..events.log import append
from ..identity.actor import Actor
from ..identity.permissions import need
from ..store.errors import Conflict, Malformed, NotFound, Problem
from ..store.session import moment, new_id
from .model import PackSigner
from .read import Pack
from .signature import is_key

#: it came with Careloom; its signer is trusted here; signed by somebody who is not; not signed
OURS, KNOWN, UNKNOWN, UNSIGNED = "ours", "known", "unknown", "unsigned"
STATES = (OURS, KNOWN, UNKNOWN, UNSIGNED)


@dataclass(frozen=True)
class Signed:
    """What a pack's signature is worth. by: the signer's name here, or the key nobody knows."""

    state: str
    by: str = ""

    @property
    def good(self) -> bool:
        """Whether the pack comes in without somebody's word for it."""
        return self.state in (OURS, KNOWN)


def signed(session: Session, pack: Pack) -> Signed:
    """What a pack's signature is worth here, now."""
    if pack.ours:
        return Signed(OURS)
    if not pack.signer:
        return Signed(UNSIGNED)
    name = session.scalar(select(PackSigner.name).where(PackSigner.key == pack.signer))
    return Signed(KNOWN, name) if name else Signed(UNKNOWN, pack.signer)


def need_good(found: Signed, despite: bool) -> None:
    """Raises Conflict where nobody vouches for a pack and nobody says that it may come in."""
    if not found.good and not despite:
        code = f"E_PACK_{found.state.upper()}"
        raise Conflict("E_PACK_SIGNER", [Problem("/signature.json", code, {"key": found.by})])


def trust(session: Session, actor: Actor, name: str, key: str) -> None:
    """From now on packs signed by this public key come in as `name`'s.

    Raises NotAllowed; Malformed when it is no key; Conflict when the name or the key is taken.
    """
    need(session, actor, "packs.apply")
    if not is_key(key):
        raise Malformed("E_PACK_KEY", key=key[:60])
    name = name.strip()[:80]
    taken = select(PackSigner).where((PackSigner.name == name) | (PackSigner.key == key))
    if not name or session.scalar(taken) is not None:
        raise Conflict("E_PACK_SIGNER_TAKEN", name=name)
    row = PackSigner(id=new_id(session), name=name, key=key, at=moment(session), by=actor.person_id)
    session.add(row)
    session.flush()
    append(
        session, "pack:trusted", actor, ("pack:signer", row.id), None, {"name": name, "key": key}
    )


def distrust(session: Session, actor: Actor, name: str) -> None:
    """No longer; what came in stays. Raises NotAllowed, NotFound."""
    need(session, actor, "packs.apply")
    row = session.scalar(select(PackSigner).where(PackSigner.name == name))
    if row is None:
        raise NotFound("E_PACK_NO_SIGNER", name=name[:80])
    data = {"name": row.name, "key": row.key}
    append(session, "pack:distrusted", actor, ("pack:signer", row.id), None, data)
    session.delete(row)
    session.flush()


def signers(session: Session, actor: Actor) -> list[PackSigner]:
    """Those whose signature counts here, by name. Raises NotAllowed."""
    need(session, actor, "packs.read")
    return list(session.scalars(select(PackSigner).order_by(PackSigner.name)))
