"""Every story of every pack that comes with Careloom is true, on both databases."""

import shutil
from pathlib import Path

import pytest
from prepared import Templates, copied, dropped

from careloom.platform.packs.library import shipped
from careloom.platform.packs.story import Told
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import open_database
from careloom.platform.store.errors import NotFound
from careloom.runtime.stories.play import play
from careloom.runtime.stories.stage import FOUNDED, prove

from .stages import builder, standing

STORIES = [(key, name) for key in shipped() for name in sorted(standing(key)[-1].stories)]
AT_LEAST = {
    "in_time",
    "overdue",
    "overdue_over_night",
    "wrong_number",
    "seven_attempts",
    "shared_phone",
    "same_owner",
    "urgent_same_day",
    "moved",
    "no_show_twice",
    "nurture_reactivated",
    "recycled_twice",
    "large_plan",
    "think_then_accept",
    "to_the_deal",
    "other_branch",
}


def played(pack: str, name: str, bare: str, templates: Templates, home: Path) -> Told:
    template = templates.of(bare, builder(pack), TurnedClock(FOUNDED))
    shutil.copytree(template.home, home)
    url = copied(template.url, home)
    database = open_database(url, home, TurnedClock(FOUNDED))
    try:
        return play(database, standing(pack)[-1].stories[name])
    finally:
        database.close()
        if database.dialect == "postgresql":
            dropped(url)


@pytest.mark.parametrize(("pack", "name"), STORIES)
def test_a_story_is_true_on_sqlite(
    pack: str, name: str, sqlite_template: Path, templates: Templates, tmp_path: Path
) -> None:
    told = played(pack, name, f"sqlite:///{sqlite_template}", templates, tmp_path / "home")
    assert told.passed, told.failures


@pytest.mark.parametrize(("pack", "name"), STORIES)
def test_a_story_is_true_on_postgresql(
    pack: str,
    name: str,
    postgresql: str,
    postgresql_template: str,
    templates: Templates,
    tmp_path: Path,
) -> None:
    bare = f"{postgresql}/{postgresql_template}"
    told = played(pack, name, bare, templates, tmp_path / "home")
    assert told.passed, told.failures


def test_the_follow_up_keeps_at_least_these_promises() -> None:
    assert AT_LEAST <= set(standing("dental")[-1].stories)


def test_an_unknown_story_is_told() -> None:
    with pytest.raises(NotFound):
        prove(standing("dental"), ["never_written"])
