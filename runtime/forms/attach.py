"""Files on a form's pages: taken in as they are posted, offered to be kept, shown to be opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flask import request
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage, MultiDict

from ...platform.definitions.field_file import MOST
from ...platform.definitions.fields import Field
from ...platform.definitions.schema_check import pointer
from ...platform.identity.actor import Actor
from ...platform.records.attachments import own_files
from ...platform.records.shape import shape_of
from ...platform.store.errors import Invalid, Problem
from ...platform.store.file_kinds import ENDINGS, IMAGE_ENDINGS, is_image
from ...platform.store.file_model import FileRow
from ...platform.store.files import add_file, file_rows
from ...platform.web.request import current_database, write
from ...platform.web.uploads import take_in
from .drawn import Choice, DrawnFile


def posted_files(actor: Actor, form_key: str) -> tuple[MultiDict[str, str], list[Problem]]:
    """What was posted, each uploaded file's id among its field's values, and what was refused.

    The files are loose until the record that is posted with them keeps them, so a form that is
    drawn again for another reason still has them.
    """
    if not request.files:
        return request.form, []
    with current_database().read() as session:
        fields = shape_of(session, form_key).form.fields
    typed: MultiDict[str, str] = MultiDict(request.form)
    problems: list[Problem] = []
    for key, uploads in request.files.lists():
        its = fields.get(key)
        given = [upload for upload in uploads if upload.filename]
        if its is None or not its.type.holds_files:
            continue
        if len(given) > most(its):
            problems.append(Problem(pointer(key), "E_FILES_MOST", {"most": most(its)}))
            continue
        for upload in given:
            try:
                typed.add(key, _taken(actor, upload))
            except Invalid as refusal:
                problems += [replace(one, path=pointer(key)) for one in refusal.problems]
    return typed, problems


def _taken(actor: Actor, upload: FileStorage) -> str:
    body = take_in(upload)

    def deed(session: Session) -> str:
        return add_file(session, body, actor.person_id, actor.unit_id).id

    return write(deed)


def most(its: Field) -> int:
    """How many files the field holds."""
    limit: int = its.schema.get("maxItems", MOST)
    return limit


def endings(its: Field) -> tuple[str, ...]:
    """The endings of files the field takes."""
    return IMAGE_ENDINGS if its.type.name == "image" else ENDINGS


def attributes(its: Field) -> dict[str, str]:
    """What the input says of itself to the browser."""
    several = {"multiple": "multiple"} if most(its) > 1 else {}
    return {"accept": ",".join(endings(its)), **several}


def kept_files(
    session: Session, actor: Actor, given: Sequence[str], before: Sequence[str]
) -> list[Choice]:
    """The files a field holds and those just uploaded, each to be kept or left out.

    given: the ids in the page. before: those in the record.
    """
    found = own_files(session, actor, list({*given, *before}), list(before))
    order = list(dict.fromkeys((*before, *given)))
    found.sort(key=lambda row: order.index(row.id))
    return [Choice(row.id, row.name, row.id in given) for row in found]


def drawn_files(session: Session, ids: Sequence[str]) -> list[DrawnFile]:
    """The files of a field its reader may read."""
    rows = file_rows(session, ids)
    return [_drawn(rows[each]) for each in ids if each in rows]


def _drawn(row: FileRow) -> DrawnFile:
    kilobytes = max(1, round(row.size / 1000))
    size = f"{kilobytes} kB" if kilobytes < 1000 else f"{row.size / 1_000_000:.1f} MB"
    return DrawnFile(row.name, f"/api/files/{row.id}", size, is_image(row.type))
