"""Bring a pack in: its stories first, in a database of their own, then all of it at once."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

from ..identity.actor import Actor
from ..identity.permissions import need
from ..store.database import Database
from ..store.errors import Conflict, Problem
from .apply import apply_pack
from .installed import as_shipped, files_from
from .library import grounds
from .plan import Name, Plan, plan
from .read import Pack
from .signers import need_good
from .story import Told, play

MOST_KEPT = 4
_told: dict[str, list[Told]] = {}
"""What came of the stories of the last few packs asked, by their digest."""


def prove(database: Database, pack: Pack) -> list[Told]:
    """Play a pack's stories on the ground of what it requires, as that was shipped to here.

    Slow, so never inside a read or a write; whoever has just looked at the plan waits once only.
    Raises Invalid when something required is missing.
    """
    if not pack.stories:
        return []
    with database.read() as session:
        standing = grounds(pack, lambda key: as_shipped(session, key))
    known = _digest(standing)
    if known not in _told:
        told = play(standing)
        while len(_told) >= MOST_KEPT:
            _told.pop(next(iter(_told)))
        _told[known] = told
    return _told[known]


def _digest(packs: Sequence[Pack]) -> str:
    """What decides how stories end: every file of every pack."""
    made = hashlib.sha256()
    for each in packs:
        for name, content in sorted(files_from(each).items()):
            made.update(f"{name}\0{len(content)}\0".encode() + content)
    return made.hexdigest()


def look(database: Database, pack: Pack, take: Collection[Name] = ()) -> tuple[Plan, list[Told]]:
    """The plan, and what came of the stories; a plan with problems has none played."""
    with database.read() as session:
        found = plan(session, pack, take)
    return found, [] if found.problems else prove(database, pack)


def judge(
    database: Database,
    actor: Actor,
    pack: Pack,
    take: Collection[Name] = (),
    despite: bool = False,
    unsigned: bool = False,
) -> tuple[list[Told], dict[str, Any]]:
    """Whether a pack may come in: what came of its stories, and the same in numbers for the trail.

    despite: somebody says that it may although some are not true; unsigned: although nobody who
    is trusted here vouches for it. Raises NotAllowed, and Conflict with what is in the way.
    """
    with database.read() as session:
        need(session, actor, "packs.apply")
    found, told = look(database, pack, take)
    need_good(found.signed, unsigned)
    passed = sum(each.passed for each in told)
    failed = len(told) - passed
    if failed and not despite:
        raise Conflict("E_PACK_STORIES", failures(told), failed=failed, all=len(told))
    return told, {"passed": passed, "all": len(told), "despite": failed > 0}


def bring_in(
    database: Database,
    actor: Actor,
    pack: Pack,
    take: Collection[Name] = (),
    despite: bool = False,
    unsigned: bool = False,
) -> Plan:
    """Apply a pack that may come in. Raises what `judge` and `apply_pack` raise."""
    _, stories = judge(database, actor, pack, take, despite, unsigned)
    return database.write(lambda session: apply_pack(session, actor, pack, take, stories))


def failures(told: Sequence[Told]) -> list[Problem]:
    """What failed in all of them."""
    return [problem for each in told for problem in each.failures]
