"""Publishing a form shapes its tables: its own, and one for each sub-form. Nothing is dropped.

What cannot be done shortly is left to jobs: an index on a table that has rows already, values to
be computed anew because their formula is another.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from ..definitions.fields import Field
from ..definitions.form import Form, read_form, read_partly
from ..definitions.kinds import Publishing
from ..definitions.model import VersionRow
from ..definitions.schema_check import pointer
from ..definitions.understood import MISREAD
from ..store import jobs
from ..store.change import Change, NotUnique, TooLarge, carry_out, plan
from ..store.child_rows import child_table
from ..store.columns import ColumnSpec
from ..store.errors import Invalid, Problem
from ..store.locks import exclusive, wait_shortly
from ..store.tables import form_table
from .later import INDEX, RECOMPUTE, formulas_differ
from .shape import publishing, specs_of


@dataclass(frozen=True)
class Reshaping:
    """What is to be done to one table. at: where its fields stand in the form's document."""

    at: tuple[str, ...]
    table: Table
    changes: Sequence[Change]


def shape_table(session: Session, going: Publishing) -> list[Problem]:
    """The effect of publishing a form. Returns what changed, one entry for each column.

    Raises Invalid for a change that would lose data, naming the field.
    """
    after = read_form(going.document, going.version)
    before = None if going.before is None else _read(after.key, going.before)
    tables = list(_plans(session, before, after))
    wait_shortly(session)
    exclusive(session, publishing(after.key))
    told = []
    for each in tables:
        _carry_out(session, after.key, each)
        told += [
            Problem(pointer(*each.at, change.key), f"C_{change.kind.upper()}")
            for change in each.changes
            if change.key
        ]
    if before is not None:
        told += _sub_forms(before, after)
        if formulas_differ(before, after):
            jobs.ask(session, RECOMPUTE, after.key)
        if before.label != after.label:
            jobs.ask(session, "found_by", after.key)
    return told


def _plans(session: Session, before: Form | None, after: Form) -> Iterator[Reshaping]:
    """The form's own table, then its sub-forms', each as it is to become."""
    ever = every_version(session, after.key)
    at = ("properties",)
    _refuse(at, ever, after, _turned(ever, after))
    own = specs_of(after)
    was = None if before is None else specs_of(before)
    changes, refused = plan(was, own, columns_of(ever))
    _refuse(at, ever, after, refused)
    yield Reshaping(at, form_table(after.key, own), changes)
    for key, its in after.fields.items():
        if its.rows is None:
            continue
        specs, within = specs_of(its.rows), (*at, key, "items", "properties")
        known = [rows for form in ever if (rows := _rows(form, key))]
        _refuse(within, known, its.rows, _turned(known, its.rows))
        there = _rows(before, key) if before is not None else None
        live = specs_of(there) if there else ()
        changes, refused = plan(live if known else None, specs, columns_of(known))
        _refuse(within, known, its.rows, refused)
        yield Reshaping(within, child_table(after.key, key, specs), changes)


def _rows(form: Form, key: str) -> Form | None:
    its = form.fields.get(key)
    return None if its is None else its.rows


def _newest(ever: Sequence[Form], key: str) -> Field | None:
    """A field as the newest version had it that had it at all."""
    return next((form.fields[key] for form in reversed(ever) if key in form.fields), None)


def _turned(ever: Sequence[Form], after: Form) -> Iterator[str]:
    """Fields that are kept alike and would mean something else: a column made a table of rows, a
    link that is to lead elsewhere, files made choices; or the other way round."""
    for key, its in after.fields.items():
        was = _newest(ever, key)
        if was is not None and _meant(was) != _meant(its):
            yield key


def _meant(its: Field) -> tuple[Any, ...]:
    leads_to = (its.type.name, its.link_form) if its.storage == "reference" else ()
    return its.rows is None, its.type.holds_files, leads_to


def _refuse(at: tuple[str, ...], ever: Sequence[Form], after: Form, refused: Iterable[str]) -> None:
    problems = [
        Problem(
            pointer(*at, key, "x-widget"),
            "E_COLUMN_CHANGE",
            {"was": _called(was), "now": _called(after.fields[key])},
        )
        for key in refused
        if (was := _newest(ever, key)) is not None
    ]
    if problems:
        raise Invalid(problems=problems)


def _called(its: Field) -> str:
    """What a designer wrote that decides how the field is kept: `money x-scale 2`."""
    words = [its.type.name]
    if its.link_form:
        words.append(its.link_form)
    if its.type.storage == "scaled":
        words.append(f"x-scale {its.scale}")
    return " ".join([*words, *(["x-encrypted"] if its.encrypted else [])])


def _sub_forms(before: Form, after: Form) -> Iterator[Problem]:
    """Sub-forms that came or went as a whole."""
    for key, its in after.fields.items():
        if its.rows is not None and key not in before.fields:
            yield Problem(pointer("properties", key), "C_ADD")
    for key, its in before.fields.items():
        if its.rows is not None and key not in after.fields:
            yield Problem(pointer("properties", key), "C_RETIRE")


def _carry_out(session: Session, form_key: str, its: Reshaping) -> None:
    try:
        later = carry_out(session, its.table, its.changes)
    except NotUnique as error:
        at = pointer(*its.at, str(error), "x-column")
        raise Invalid(problems=[Problem(at, "E_NOT_UNIQUE_YET")]) from error
    except TooLarge as error:
        at = pointer(*its.at, str(error), "x-scale")
        raise Invalid(problems=[Problem(at, "E_NO_ROOM")]) from error
    for key, index in later.items():
        about = ".".join((*its.at[1:2], key))
        jobs.ask(session, INDEX, form_key, about, {"index": index})


def every_version(session: Session, form_key: str) -> list[Form]:
    """Every version there was of a form, the oldest first, each as far as it is understood."""
    query = (
        select(VersionRow.document, VersionRow.version)
        .where(VersionRow.kind == "form", VersionRow.key == form_key)
        .order_by(VersionRow.version)
    )
    return [_read(form_key, document, version) for document, version in session.execute(query)]


def _read(form_key: str, document: Mapping[str, Any], version: int = 0) -> Form:
    try:
        return read_form(document, version)
    except MISREAD:
        return read_partly(form_key, document, version)


def columns_of(forms: Sequence[Form]) -> list[ColumnSpec]:
    """Every column any of the versions had, as its newest version had it."""
    specs: dict[str, ColumnSpec] = {}
    for form in forms:
        specs |= {spec.key: spec for spec in specs_of(form)}
    return list(specs.values())
