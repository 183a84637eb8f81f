"""Grounds for stories on either kind of database: built once, copied for each story."""

from collections.abc import Callable
from functools import cache
from typing import Any

from careloom.platform.events.log import subscribe
from careloom.platform.packs.library import found, grounds
from careloom.platform.packs.read import Pack
from careloom.platform.store.database import Database
from careloom.runtime.flows.follow import wants
from careloom.runtime.stories.stage import build
from careloom.runtime.work.dispatch import CONSUMER, EVENTS


@cache
def standing(key: str) -> tuple[Pack, ...]:
    """A shipped pack after those it stands on."""
    pack, find = found(key)
    return tuple(grounds(pack, find))


@cache
def builder(key: str) -> Callable[[Database], Any]:
    """What builds the ground of a pack's stories; the same function each time."""

    def built(database: Database) -> None:
        subscribe(CONSUMER, EVENTS, wants)
        build(database, standing(key))

    return built
