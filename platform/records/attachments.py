"""Files in records: whose may be put into a field, which record keeps them, who may have them."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from ..definitions.form import Form
from ..definitions.schema_check import pointer
from ..identity.actor import Actor
from ..store.errors import NotFound, Problem
from ..store.file_kinds import is_image
from ..store.file_model import FileRow, FileState
from ..store.files import file_rows, keep_files
from .lists import get
from .record import READABLE


def file_problems(
    session: Session,
    actor: Actor,
    form: Form,
    changed: Mapping[str, Any],
    record_id: int | None,
) -> list[Problem]:
    """Files (in the `changed` fields) that are not the writer's loose ones nor this field's own,
    and what is no picture where one is wanted. What is somebody else's is as good as not there."""
    fields = dict(_file_fields(form, changed))
    rows = file_rows(session, [file_id for ids in fields.values() for file_id in ids])
    problems, taken = [], set()
    for key, ids in fields.items():
        for file_id in ids:
            row = rows.get(file_id)
            if row is None or file_id in taken or not _usable(row, actor, form, key, record_id):
                problems.append(Problem(pointer(key), "E_FILE_GONE"))
            elif form.fields[key].type.name == "image" and not is_image(row.type):
                problems.append(Problem(pointer(key), "E_FILE_IMAGE", {"name": row.name}))
            taken.add(file_id)
    return problems


def _file_fields(form: Form, values: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for key, field in form.fields.items():
        if field.type.holds_files and values.get(key):
            yield key, values[key]


def _usable(row: FileRow, actor: Actor, form: Form, key: str, record_id: int | None) -> bool:
    """Loose and the writer's own, or kept in this very field of this very record."""
    if row.state == FileState.LOOSE:
        return row.by == actor.person_id
    return record_id is not None and (row.form, row.record_id, row.field) == (
        form.key,
        record_id,
        key,
    )


def keep_attached(
    session: Session, actor: Actor, form: Form, record_id: int, changed: Mapping[str, Any]
) -> None:
    """The loose files of the `changed` fields become this record's, in the same transaction.

    A file taken out of its field stays the record's, for its history shows it. Raises Conflict.
    """
    for key, ids in _file_fields(form, changed):
        rows = file_rows(session, ids)
        new = [id for id in ids if id not in rows or rows[id].state == FileState.LOOSE]
        if new:
            keep_files(session, new, actor.person_id, form.key, record_id, key)


def find_file(session: Session, actor: Actor, file_id: str) -> FileRow:
    """A file the actor may have now: a loose one of their own, or one in a field they may read.

    Raises NotFound for any other, whether or not it exists.
    """
    row = file_rows(session, [file_id]).get(file_id)
    if row is None or not _may_have(session, actor, row):
        raise NotFound()
    return row


def _may_have(session: Session, actor: Actor, row: FileRow) -> bool:
    if row.form is None or row.record_id is None:
        return row.by is not None and row.by == actor.person_id
    try:
        record = get(session, actor, row.form, row.record_id)
    except NotFound:
        return False
    return record.rights.get(row.field or "") in READABLE


def own_files(session: Session, actor: Actor, given: list[str], kept: list[str]) -> list[FileRow]:
    """What a page may show again of the ids posted to it: the record's, and the actor's loose."""
    rows = file_rows(session, given)
    return [
        rows[file_id]
        for file_id in dict.fromkeys(given)
        if file_id in rows
        and (
            file_id in kept
            or (rows[file_id].state == FileState.LOOSE and rows[file_id].by == actor.person_id)
        )
    ]
