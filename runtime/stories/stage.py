"""Where stories are played: a small organisation with the packs in force, thrown away after."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from ...platform.events.view_log import watching
from ...platform.identity import grants
from ...platform.identity.actor import SYSTEM
from ...platform.identity.people import add_person
from ...platform.identity.tree import unit_by_code
from ...platform.identity.units import add_unit, set_intake
from ...platform.packs.apply import apply_pack
from ...platform.packs.read import Pack
from ...platform.packs.story import Told
from ...platform.store import jobs
from ...platform.store.clock import TurnedClock
from ...platform.store.database import Database, open_database
from ...platform.store.errors import NotFound
from ...platform.store.scratch import scratch
from ...platform.store.upgrade import upgrade
from .play import play

GROUP, BRANCH, OTHER = "group", "branch_1", "branch_2"
TITLES = {
    GROUP: {"zh-CN": "集团", "en": "Group"},
    BRANCH: {"zh-CN": "第一分院", "en": "Branch 1"},
    OTHER: {"zh-CN": "第二分院", "en": "Branch 2"},
}
FOUNDED = datetime(2025, 6, 1, tzinfo=UTC)
"""Before any story begins."""


def build(database: Database, packs: Sequence[Pack]) -> None:
    """A group with two branches, the packs, and at each branch a person for each of their roles.

    At the first branch they are called like their role, at the second `ROLE@branch_2`. What
    arrives without a branch is the first one's. Raises what applying a pack raises.
    """
    database.write(_organise)
    for pack in packs:
        database.write(lambda session, pack=pack: apply_pack(session, SYSTEM, pack))  # type: ignore[misc]
    roles = sorted({key for pack in packs for kind, key in pack.objects if kind == "role"})
    database.write(lambda session: _settle(session, roles))
    jobs.run(database)


def _organise(session: Session) -> None:
    group = add_unit(session, SYSTEM, GROUP, TITLES[GROUP], "group").id
    first, _ = (
        add_unit(session, SYSTEM, code, TITLES[code], "branch", group).id
        for code in (BRANCH, OTHER)
    )
    set_intake(session, SYSTEM, group, first)


def _settle(session: Session, roles: Sequence[str]) -> None:
    for code, ending in ((BRANCH, ""), (OTHER, f"@{OTHER}")):
        at = unit_by_code(session, code).id
        for role in roles:
            person = add_person(session, SYSTEM, role + ending, role + ending, at).id
            grants.give(session, SYSTEM, person, role, at)


def prove(packs: Sequence[Pack], names: Sequence[str] | None = None) -> list[Told]:
    """Play the stories of the last pack, each in a copy of one SQLite file made for it.

    names: only these. Raises NotFound for a name that is none, and what applying a pack raises.
    """
    stories = packs[-1].stories
    for name in names or ():
        if name not in stories:
            raise NotFound("E_STORY_UNKNOWN", story=name)
    chosen = [stories[key] for key in sorted(names or stories)]
    if not chosen:
        return []
    told = []
    with scratch("stories") as folder, watching():
        ground = folder / "ground"
        with _opened(ground) as database:
            upgrade(database.url)
            build(database, packs)
        for number, story in enumerate(chosen):
            home = folder / str(number)
            shutil.copytree(ground, home)
            with _opened(home) as database:
                told.append(play(database, story))
            shutil.rmtree(home)
    return told


@contextmanager
def _opened(home: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{home / 'careloom.db'}", home, TurnedClock(FOUNDED))
    try:
        yield database
    finally:
        database.close()
