"""Where packs are found: those that come with Careloom, and those a pack stands on."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..store.errors import Invalid, NotFound, Problem
from .model import InstalledPack
from .plan import GOES_IN, compared, version_of
from .read import Pack, read_pack

SHIPPED = Path(__file__).resolve().parents[2] / "blueprints"

#: a pack by its key, or None
Find = Callable[[str], Pack | None]


def shipped() -> dict[str, Path]:
    """The packs that come with Careloom: key -> folder."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob("*/pack.json"))}


def shipped_pack(key: str) -> Pack:
    """A pack that comes with Careloom. Raises NotFound."""
    folder = shipped().get(key)
    if folder is None:
        raise NotFound("E_PACK_NONE", pack=key)
    return replace(read_pack(folder), ours=True)


def at_hand(session: Session) -> list[tuple[Pack, str | None]]:
    """The packs that come with Careloom and would bring something new, each with the version that
    is installed here: a later one, or the same with definitions that are not what is here."""
    query = select(InstalledPack.key, InstalledPack.version)
    installed = {row.key: row.version for row in session.execute(query)}
    every = [(shipped_pack(key), installed.get(key)) for key in shipped()]
    return [(pack, here) for pack, here in every if here is None or _is_newer(session, pack, here)]


def _is_newer(session: Session, pack: Pack, here: str) -> bool:
    if version_of(pack.version) != version_of(here):
        return version_of(pack.version) > version_of(here)
    return any(step.action in (*GOES_IN, "remove") for step in compared(session, pack))


def found(named: str) -> tuple[Pack, Find]:
    """A pack by its folder, its zip, or the key of a shipped one; and where what it stands on is
    looked for: beside it, then among the shipped. Raises NotFound, Malformed."""
    there = os.path.exists(named)  # says no, too, where one may not look: in root's own folder
    pack = read_pack(Path(named)) if there else shipped_pack(named)
    path = Path(named) if there else shipped()[named]

    def find(key: str) -> Pack | None:
        beside = path.resolve().parent / key
        if (beside / "pack.json").is_file():
            return read_pack(beside)
        return shipped_pack(key) if key in shipped() else None

    return pack, find


def grounds(pack: Pack, find: Find) -> list[Pack]:
    """The pack after all it stands on, each after what that stands on.

    Raises Invalid when one is missing or too old, or when they stand on one another in a circle.
    """
    order: list[Pack] = []
    _stand(pack, find, order, ())
    return order


def _stand(pack: Pack, find: Find, order: list[Pack], under: tuple[str, ...]) -> None:
    for key, wanted in sorted(pack.manifest.get("requires", {}).items()):
        least = str(wanted).removeprefix(">=")
        there = next((each for each in order if each.key == key), None)
        if there is None and key not in under:
            there = find(key)
            if there is not None:
                _stand(there, find, order, (*under, pack.key))
        if there is None or version_of(there.version) < version_of(least):
            params = {"pack": key, "version": least}
            raise Invalid(problems=[Problem("/pack.json/requires", "E_PACK_REQUIRES", params)])
    if pack not in order:
        order.append(pack)
