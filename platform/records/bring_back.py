"""A backup into an empty home: read whole and found whole first, then all of it or nothing."""

import gzip
import hashlib
import json
import os
import re
import tarfile
from base64 import b64decode
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from sqlalchemy import Date, LargeBinary, Table, delete, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, CreateTable

from ..definitions.model import DefinitionRow
from ..events.model import Event
from ..identity.model import Person
from ..store.bodies import Bodies
from ..store.database import Database
from ..store.encrypted import keyring
from ..store.errors import Conflict, Malformed
from ..store.model import Base, Moment
from ..store.session import bump_epoch
from ..store.upgrade import newest, upgrade
from .backup import CHUNK, FORMAT, NOT_TAKEN, ROWS, Manifest, form_tables

MEMBER = re.compile(
    r"tables/[a-z0-9_$]{1,63}\.jsonl\.gz|files/[0-9a-f]{32}"
    r"|keys/fields/[a-z0-9-]{1,40}\.key|anchors/[0-9]{4}\.log"
)
LARGEST_MANIFEST = 256 << 20


def read_manifest(tar: tarfile.TarFile) -> Manifest:
    """What the backup says of itself, each member found to be as it says. Raises Malformed."""
    try:
        member = tar.getmember("manifest.json")
        source = tar.extractfile(member)
        if source is None or member.size > LARGEST_MANIFEST:
            raise ValueError
        manifest = Manifest(**json.load(source))
        found = {each.name: each for each in tar.getmembers() if each is not member}
        if manifest.format != FORMAT or len(found) + 1 != len(tar.getmembers()):
            raise ValueError
        if set(found) != set(manifest.members):
            raise ValueError
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed("E_BACKUP") from error
    for name, digest in manifest.members.items():
        if not MEMBER.fullmatch(name) or not found[name].isreg() or _digest(tar, name) != digest:
            raise Malformed("E_BACKUP_BROKEN", name=name[:80])
    return manifest


def _digest(tar: tarfile.TarFile, name: str) -> str:
    digest = hashlib.sha256()
    with _open(tar, name) as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _open(tar: tarfile.TarFile, name: str) -> BinaryIO:
    found = tar.extractfile(name)
    assert found is not None
    return cast(BinaryIO, found)


def bring_back(database: Database, bodies: Bodies, path: Path) -> Manifest:
    """Restore a backup into an empty database and home.

    Raises Malformed for what is no whole backup, Conflict for another release's, for a database
    or home that is not empty, and when keys it needs are neither in it nor here, by their numbers.
    """
    try:
        tar = tarfile.open(path, "r:")
    except (tarfile.TarError, OSError) as error:
        raise Malformed("E_BACKUP") from error
    with tar:
        manifest = read_manifest(tar)
        if manifest.revision != newest():
            raise Conflict("E_BACKUP_RELEASE", theirs=manifest.revision, ours=newest())
        upgrade(database.url)
        with database.read() as session:
            if any(
                session.scalar(select(t).limit(1)) for t in (Person.id, DefinitionRow.id, Event.id)
            ):
                raise Conflict("E_NOT_EMPTY")
        _folders(tar, manifest, database)
        for name in manifest.members:
            if name.startswith("files/"):
                with _open(tar, name) as content:
                    bodies.put(name.removeprefix("files/"), content)
        database.write(lambda session: _tables(session, tar, manifest))
    return manifest


def _folders(tar: tarfile.TarFile, manifest: Manifest, database: Database) -> None:
    """Keys and anchors into their folders; none there is ever replaced by another."""
    for name in manifest.members:
        if not name.startswith(("keys/", "anchors/")):
            continue
        place = database.home / name
        with _open(tar, name) as content:
            body = content.read()
        if place.exists():
            if place.read_bytes() != body:
                raise Conflict("E_NOT_EMPTY")
            continue
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
    missing = sorted(set(manifest.keys) - set(keyring(database.home).numbers()))
    if missing:
        raise Conflict("E_BACKUP_KEYS", keys=", ".join(f"{number}.key" for number in missing))


def _tables(session: Session, tar: tarfile.TarFile, manifest: Manifest) -> None:
    """Every row: the house's own first, for they say which tables the forms have."""
    left = dict(manifest.rows)
    for table in Base.metadata.sorted_tables:
        if table.name not in NOT_TAKEN:
            if table.name != Event.__tablename__:  # nobody takes an event away, and there is none
                session.execute(delete(table))
            _load(session, tar, manifest, table, left)
    bump_epoch(session)
    for key in session.scalars(select(DefinitionRow.key).where(DefinitionRow.kind == "form")):
        for table in form_tables(session, key, manifest.further):
            connection = session.connection()
            connection.execute(CreateTable(table))
            for index in table.indexes:
                connection.execute(CreateIndex(index))
            _load(session, tar, manifest, table, left)
    if left:
        raise Malformed("E_BACKUP_BROKEN", name=min(left))


def _load(
    session: Session,
    tar: tarfile.TarFile,
    manifest: Manifest,
    table: Table,
    left: dict[str, int],
) -> None:
    if table.name not in left:
        return  # an area's that was not there when the backup was made
    own = [
        key.parent
        for key in table.foreign_keys
        if key.column.table.name == table.name and key.parent.nullable
    ]
    blank = dict.fromkeys(table.columns.keys())
    later: list[dict[str, Any]] = []
    count, batch = 0, []
    for row in _lines(tar, manifest, table):
        count += 1
        if own and any(row.get(column.key) is not None for column in own):
            later.append(row)  # it may point to a row of its own table that is yet to come
            row = {key: value for key, value in row.items() if key not in {c.key for c in own}}
        batch.append({**blank, **row})
        if len(batch) == ROWS:
            session.execute(insert(table), batch)
            batch = []
    if batch:
        session.execute(insert(table), batch)
    (identity,) = table.primary_key.columns if own else (None,)
    for row in later:
        values = {column.key: row.get(column.key) for column in own}
        assert identity is not None
        session.execute(update(table).where(identity == row[identity.key]).values(values))
    if left.pop(table.name, None) != count:
        raise Malformed("E_BACKUP_BROKEN", name=table.name)


def _lines(tar: tarfile.TarFile, manifest: Manifest, table: Table) -> Iterator[dict[str, Any]]:
    name = f"tables/{table.name}.jsonl.gz"
    if name not in manifest.members:
        raise Malformed("E_BACKUP_BROKEN", name=name)
    with _open(tar, name) as member, gzip.open(member, "rb") as lines:
        for line in lines:
            yield {key: _revive(table, key, value) for key, value in json.loads(line).items()}


def _revive(table: Table, key: str, value: Any) -> Any:
    kind = table.c[key].type
    if isinstance(kind, Moment):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    return b64decode(value) if isinstance(kind, LargeBinary) else value
