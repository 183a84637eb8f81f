"""What somebody typed into a search box -> the records it finds, in their own eyes.

A record is found by its name, the name's pinyin or initials, its number, the last digits of a
phone, a whole ID number. One that has no name of its own (an appointment) is found by the records
it is linked to.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, false, func, or_, select
from sqlalchemy.orm import Session

from ..definitions.fields import Field
from ..definitions.form_scope import readable_form
from ..identity.actor import Actor
from ..identity.permissions import Access, access
from ..store.found_by import COLUMN as FOUND_BY
from .shape import Shape, shape_of
from .visible import readable, visible

#: SQLite refuses longer patterns, and no name is as long as this
LONGEST = 4_000
LAST_DIGITS = 4
MOBILE, ID_NUMBER = 11, 18

Ways = Iterator[ColumnElement[bool]]


def search_clause(
    session: Session, actor: Actor, asked: Access, shape: Shape, text: str
) -> ColumnElement[bool]:
    """The rows that a text finds; none for one that is too long."""
    wanted = text.strip()
    if len(wanted) > LONGEST:
        return false()
    return or_(
        false(),
        *_own(asked, shape, shape.table, wanted),
        *_linked(session, actor, asked, shape, wanted),
    )


def _own(asked: Access, shape: Shape, table: FromClause, text: str) -> Ways:
    """By what stands in the record itself."""
    form = shape.form
    if form.label is not None:
        yield from _named(asked, shape, table, form.fields[form.label], text)
    for key, its in form.fields.items():
        if its.type.generated and key != form.label:
            yield _holds(visible(asked, shape, key, table), text)
        elif its.type.name == "phone":
            yield from _phone(asked, shape, table, its, text)
        elif its.type.name == "id_card" and its.encrypted and len(text) == ID_NUMBER:
            yield readable(asked, shape, key, table) & shape.equals(key, text.upper(), table)


def _named(asked: Access, shape: Shape, table: FromClause, label: Field, text: str) -> Ways:
    """By the record's name, as far as the asker may read it."""
    if label.storage != "text" or label.encrypted:
        return
    column: ColumnElement[Any] = table.c[FOUND_BY]
    plain = " ".join(text.lower().split())
    ways = [column.contains(plain, autoescape=True)]
    if " " in plain:  # zhou nv shi
        ways.append(column.contains(plain.replace(" ", ""), autoescape=True))
    yield and_(readable(asked, shape, label.key, table), or_(*ways))


def _phone(asked: Access, shape: Shape, table: FromClause, its: Field, text: str) -> Ways:
    """By its last digits; by the last four alone where no more than these are shown."""
    if not (text.isascii() and text.isdigit() and len(text) >= LAST_DIGITS):
        return
    if its.encrypted:  # it answers nothing but whether it is this very number
        if len(text) == MOBILE:
            yield readable(asked, shape, its.key, table) & shape.equals(its.key, text, table)
        return
    least = "masked" if len(text) == LAST_DIGITS else "read"
    yield visible(asked, shape, its.key, table, least).endswith(text)


def _holds(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    return func.lower(column).contains(text.lower(), autoescape=True)


def _linked(session: Session, actor: Actor, asked: Access, shape: Shape, text: str) -> Ways:
    """By the records it is linked to, as the asker may find these; only where it has no name of
    its own, for a lead is not meant by the name of whoever recommended it."""
    label = shape.form.fields.get(shape.form.label or "")
    if label is not None and not label.type.generated:
        return
    for key, target in shape.form.links.items():
        theirs = access(session, actor, target)
        if not theirs.may("read") or readable_form(session, target) is None:
            continue
        there = shape_of(session, target)
        table = there.table.alias()
        ways = list(_own(theirs, there, table, text))
        if ways:
            ids = select(table.c._id).where(theirs.rows("read", table), or_(*ways))
            yield visible(asked, shape, key).in_(ids)
