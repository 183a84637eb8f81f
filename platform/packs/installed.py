"""An installed pack: as it was shipped, and as it is in force here; both as files again."""

import json
from collections.abc import Mapping

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from ..definitions.compare import Change, compare
from ..definitions.published import published
from ..identity.actor import Actor
from ..identity.permissions import need
from ..store.errors import NotFound
from .archive import zipped
from .model import InstalledPack, PackFile, PackObject
from .read import FOLDERS, STORIES, Document, Pack, canonical

Name = tuple[str, str]
PLACES = {kind: folder for folder, kind in FOLDERS.items()}


def other_files(pack: Pack) -> dict[str, str]:
    """A pack's files that are no definitions: name -> text."""
    stories = {
        f"{STORIES}/{key}.json": canonical(story).decode() for key, story in pack.stories.items()
    }
    return {**pack.beside, **stories}


def files_of(session: Session, key: str) -> dict[str, str]:
    """The same of an installed pack."""
    rows = session.execute(select(PackFile.name, PackFile.content).where(PackFile.pack == key))
    return {row.name: row.content for row in rows}


def keep_files(session: Session, key: str, files: Mapping[str, str]) -> None:
    """Keep these instead of those there were."""
    session.execute(delete(PackFile).where(PackFile.pack == key))
    rows = [{"pack": key, "name": name, "content": content} for name, content in files.items()]
    if rows:
        session.execute(insert(PackFile), rows)


def as_shipped(session: Session, key: str) -> Pack | None:
    """An installed pack as its maker shipped it; None when it is not installed."""
    row = session.get(InstalledPack, key)
    if row is None:
        return None
    objects = {(each.kind, each.key): each.document for each in _objects(session, key)}
    return _pack(row, objects, files_of(session, key))


def changed_here(session: Session, actor: Actor, key: str) -> list[tuple[Name, list[Change]]]:
    """The definitions of an installed pack that are not in force as they were shipped, and what
    was changed in each. Raises NotFound, NotAllowed."""
    need(session, actor, "packs.read")
    if session.get(InstalledPack, key) is None:
        raise NotFound("E_PACK_NONE", pack=key)
    found = []
    for each in _objects(session, key):
        now = published(session, each.kind, each.key).document
        if changes := compare(each.document, now):
            found.append(((each.kind, each.key), changes))
    return found


def export(session: Session, actor: Actor, key: str) -> bytes:
    """An installed pack as a zip, with what was changed here; the same state gives the same bytes.

    Raises NotFound, NotAllowed.
    """
    need(session, actor, "packs.read")
    row = session.get(InstalledPack, key)
    if row is None:
        raise NotFound("E_PACK_NONE", pack=key)
    objects = {
        (each.kind, each.key): dict(published(session, each.kind, each.key).document)
        for each in _objects(session, key)
    }
    return zipped(files_from(_pack(row, objects, files_of(session, key))))


def _objects(session: Session, key: str) -> list[PackObject]:
    query = select(PackObject).where(PackObject.pack == key)
    return list(session.scalars(query.order_by(PackObject.kind, PackObject.key)))


def _pack(
    row: InstalledPack, objects: Mapping[tuple[str, str], Document], files: Mapping[str, str]
) -> Pack:
    begin = f"{STORIES}/"
    stories = {
        name.removeprefix(begin).removesuffix(".json"): json.loads(content)
        for name, content in files.items()
        if name.startswith(begin)
    }
    beside = {name: text for name, text in files.items() if not name.startswith(begin)}
    return Pack(row.key, row.version, row.manifest, objects, stories, beside)


def files_from(pack: Pack) -> dict[str, bytes]:
    """A pack as the files that `pack_of` reads."""
    files = {"pack.json": canonical(pack.manifest)}
    roles = [pack.objects[at] for at in sorted(pack.objects) if at[0] == "role"]
    if roles:
        files["roles.json"] = canonical({"format": 1, "roles": roles})
    for (kind, key), document in pack.objects.items():
        if kind != "role":
            files[f"{PLACES[kind]}/{key}.json"] = canonical(document)
    for name, text in other_files(pack).items():
        files[name] = text.encode()
    return files
