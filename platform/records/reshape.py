"""Publishing a form shapes its tables: its own, and one for each sub-form. Nothing is dropped.

What cannot be done shortly is left to jobs: an index on a table that has rows already, values to
be computed anew because their formula is another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from ..definitions.form import Form, read_form
from ..definitions.kinds import Publishing
from ..definitions.model import VersionRow
from ..definitions.schema_check import pointer
from ..store import jobs
from ..store.change import Change, Impossible, NotUnique, carry_out, plan
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
    before = read_form(going.before) if going.before is not None else None
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
    _refuse(("properties",), _turned(ever, after))
    own = specs_of(after)
    was = None if before is None else specs_of(before)
    changes, refused = plan(was, own, columns_of(ever))
    _refuse(("properties",), refused)
    yield Reshaping(("properties",), form_table(after.key, own), changes)
    for key, its in after.fields.items():
        if its.rows is None:
            continue
        specs, at = specs_of(its.rows), ("properties", key, "items", "properties")
        known = [rows for form in ever if (rows := _rows(form, key))]
        there = _rows(before, key) if before is not None else None
        live = specs_of(there) if there else ()
        changes, refused = plan(live if known else None, specs, columns_of(known))
        _refuse(at, refused)
        yield Reshaping(at, child_table(after.key, key, specs), changes)


def _rows(form: Form, key: str) -> Form | None:
    its = form.fields.get(key)
    return None if its is None else its.rows


def _turned(ever: Sequence[Form], after: Form) -> Iterator[Impossible]:
    """Fields that were a column and are to be a table of rows, or the other way round."""
    for key, its in after.fields.items():
        for form in ever:
            was = form.fields.get(key)
            if was is not None and (was.rows is None) != (its.rows is None):
                yield Impossible(key, ColumnSpec(key, was.storage), ColumnSpec(key, its.storage))
                break


def _refuse(at: tuple[str, ...], refused: Sequence[Impossible] | Iterator[Impossible]) -> None:
    problems = [
        Problem(
            pointer(*at, no.key, "x-widget"),
            "E_COLUMN_CHANGE",
            {"was": no.was.storage, "now": no.now.storage},
        )
        for no in refused
    ]
    if problems:
        raise Invalid(problems=problems)


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
    for key, index in later.items():
        about = ".".join((*its.at[1:2], key))
        jobs.ask(session, INDEX, form_key, about, {"index": index})


def every_version(session: Session, form_key: str) -> list[Form]:
    """Every version there was of a form, the oldest first."""
    query = (
        select(VersionRow.document)
        .where(VersionRow.kind == "form", VersionRow.key == form_key)
        .order_by(VersionRow.version)
    )
    return [read_form(document) for document in session.execute(query).scalars()]


def columns_of(forms: Sequence[Form]) -> list[ColumnSpec]:
    """Every column any of the versions had, as its newest version had it."""
    specs: dict[str, ColumnSpec] = {}
    for form in forms:
        specs |= {spec.key: spec for spec in specs_of(form)}
    return list(specs.values())
