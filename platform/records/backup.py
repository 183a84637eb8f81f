"""A whole Careloom in one file, taken while it serves: rows, attached files, keys, anchors.

One reading transaction sees one state of everything, however long it takes; what people write
meanwhile is not in it. The rows go as lines of JSON, table by table, so a backup of either kind of
database can be restored into the other. The file is a plain tar, for its owner's eyes only:

    tables/NAME.jsonl.gz   files/ID   keys/…   anchors/…   manifest.json (last: counts and digests)
"""

import gzip
import hashlib
import json
import os
import tarfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from sqlalchemy import Table, inspect, select
from sqlalchemy.orm import Session

from ..definitions.published import entries
from ..events.model import ChainEnd
from ..store.bodies import Bodies, Missing
from ..store.child_rows import child_table
from ..store.columns import ColumnSpec, storage_of
from ..store.database import Database
from ..store.encrypted import keyring
from ..store.errors import Unavailable
from ..store.file_model import FileRow, FileState
from ..store.model import Base
from ..store.tables import form_table, table_name
from ..store.upgrade import newest
from .reshape import columns_of, every_version

FORMAT = 1
#: leases of living processes, sign-ins and answers kept for repeats: nothing of another machine's
NOT_TAKEN = ("node", "sign_in", "half_sign_in", "sign_in_attempt", "answer")
CHUNK = 1 << 20
ROWS = 500


@dataclass
class Manifest:
    """What is in a backup. members: name -> SHA-256; rows: table -> how many; further: table ->
    the columns that no version tells of which this release can read, each with its storage."""

    made_at: str
    revision: str
    seq: int
    keys: list[int]
    with_keys: bool
    rows: dict[str, int] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    further: dict[str, dict[str, str]] = field(default_factory=dict)
    format: int = FORMAT


def back_up(database: Database, bodies: Bodies, path: Path, with_keys: bool = True) -> Manifest:
    """Write a backup: beside its name, synced, then renamed. Raises Unavailable when a file that
    a record keeps has lost its bytes (`careloom check` says which)."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            with tarfile.open(fileobj=out, mode="w") as tar, database.snapshot() as session:
                manifest = _fill(session, database, bodies, tar, with_keys)
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _fill(
    session: Session, database: Database, bodies: Bodies, tar: tarfile.TarFile, with_keys: bool
) -> Manifest:
    ring = keyring(database.home)
    ring.blind("", "")  # the key of the blind index is made, if nothing has asked for it yet
    end = session.scalar(select(ChainEnd.seq)) or 0
    now = database.clock.now().isoformat()
    manifest = Manifest(now, newest(), end, ring.numbers() or [ring.newest()], with_keys)
    swept = _files(session, bodies, tar, manifest)
    for table in tables_of(session, manifest.further):
        with TemporaryFile() as spool:
            with gzip.open(spool, "wb", compresslevel=5) as lines:
                rows = _rows(session, table)
                manifest.rows[table.name] = sum(
                    lines.write(line) > 0
                    for row in rows
                    if not (table.name == FileRow.__tablename__ and row["id"] in swept)
                    for line in [_line(row)]
                )
            _add(tar, manifest, f"tables/{table.name}.jsonl.gz", spool)
    folders = ["anchors", *(["keys/fields"] if with_keys else [])]
    for folder in folders:
        for found in sorted((database.home / folder).glob("*")):
            if found.is_file() and not found.name.startswith("."):
                with found.open("rb") as content:
                    _add(tar, manifest, f"{folder}/{found.name}", content)
    told = {name: value for name, value in vars(manifest).items() if value or name != "further"}
    _add(tar, None, "manifest.json", BytesIO(json.dumps(told, indent=1).encode()))
    return manifest


def tables_of(session: Session, further: dict[str, dict[str, str]]) -> Iterator[Table]:
    """Every table to be taken, those that others point to first: the house's own, then each
    form's and its sub-forms' with all columns any version had; what is found besides is put into
    `further`."""
    for table in Base.metadata.sorted_tables:
        if table.name not in NOT_TAKEN:
            yield table
    for entry in entries(session, "form"):
        for table in form_tables(session, entry.key, {}):
            if found := _further(session, table):
                further[table.name] = found
        yield from form_tables(session, entry.key, further)


def form_tables(
    session: Session, form_key: str, further: Mapping[str, Mapping[str, str]]
) -> Iterator[Table]:
    """A form's table and its sub-forms', with all columns any version had, and those `further`."""
    versions = every_version(session, form_key)
    specs = columns_of(versions)
    yield form_table(form_key, (*specs, *_specs(further.get(table_name(form_key)))))
    subs = {key: None for form in versions for key, its in form.fields.items() if its.rows}
    for key in subs:
        known = [its.rows for form in versions if (its := form.fields.get(key)) and its.rows]
        specs = columns_of(known)
        table = child_table(form_key, key, tuple(specs))
        yield child_table(form_key, key, (*specs, *_specs(further.get(table.name))))


def _further(session: Session, table: Table) -> dict[str, str]:
    """The columns that the database has of a table and that we do not know, with their storage:
    of a version that a later release published, or that is damaged."""
    there = inspect(session.connection()).get_columns(table.name)
    found = {each["name"]: storage_of(each["type"]) for each in there}
    return {name: storage for name, storage in found.items() if name not in table.columns}


def _specs(further: Mapping[str, str] | None) -> Iterator[ColumnSpec]:
    """An encrypted one stands before its blind index, whose name says of what it is one."""
    for name, storage in (further or {}).items():
        if not name.startswith("_"):
            blind = ColumnSpec(name, storage).blind in (further or {})
            yield ColumnSpec(name, storage, encrypted=blind)


def _rows(session: Session, table: Table) -> Iterator[Any]:
    query = select(table).order_by(*table.primary_key.columns)
    return iter(session.execute(query, execution_options={"yield_per": ROWS}).mappings())


def _line(row: Any) -> bytes:
    kept = {key: _plain(value) for key, value in row.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return b64encode(value).decode() if isinstance(value, bytes) else value


def _files(session: Session, bodies: Bodies, tar: tarfile.TarFile, manifest: Manifest) -> set[str]:
    """Every attached file's bytes; the ids of those loose ones that were swept meanwhile."""
    swept = set()
    for file_id, state in session.execute(select(FileRow.id, FileRow.state)).all():
        try:
            body = bodies.open(file_id)
        except Missing:
            if state == FileState.KEPT:
                raise Unavailable("E_FILE_MISSING", file=file_id) from None
            swept.add(file_id)
            continue
        with body:
            _add(tar, manifest, f"files/{file_id}", body)
    return swept


def _add(tar: tarfile.TarFile, manifest: Manifest | None, name: str, content: IO[bytes]) -> None:
    """Put one member in, with its digest in the manifest."""
    digest = hashlib.sha256()
    content.seek(0)
    while chunk := content.read(CHUNK):
        digest.update(chunk)
    info = tarfile.TarInfo(name)
    info.size, info.mode = content.tell(), 0o600
    content.seek(0)
    tar.addfile(info, content)
    if manifest is not None:
        manifest.members[name] = digest.hexdigest()
