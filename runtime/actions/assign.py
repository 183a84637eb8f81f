"""Who of a role takes a record: the one with the least open work."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, case, func, select

from ...platform.expressions import Env
from ...platform.expressions.operations import BOUND
from ...platform.expressions.sql import to_sql
from ...platform.expressions.tree import Find, Op, walk
from ...platform.identity.actor import SYSTEM
from ...platform.identity.model import Unit
from ...platform.records.lowered import searcher
from ...platform.records.shape import Shape, shape_of
from ...platform.store.hot import Hot
from ...platform.store.kept import kept
from ...platform.store.session import database_of
from ..tasks.actors import staffed_by, station
from .commands import Assign
from .formula import Formula
from .moments import day_began
from .records import change_record
from .sight import Sight

_TURN = Hot(select(Unit.id).where(Unit.id == bindparam("unit")).with_for_update(key_share=True))
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def assign(sight: Sight, wanted: Assign, cause: int | None) -> int | None:
    """Choose and write the person; None when nobody holds the role or all have had their day's.

    Fewest open records first, then longest idle, then the lower id. Two that choose at once take
    turns on the unit's row, so that the second sees the first one's choice.
    """
    session = sight.session
    at = station(session, wanted.role, sight.subject.unit_id)
    if at is None or at.unit is None:
        return None
    people = staffed_by(session, wanted.role, at.unit)
    _TURN(session, {"unit": at.unit})
    loads = {row.person: row for row in _loads(sight, wanted, people)}
    free = [
        person
        for person in people
        if wanted.daily is None or person not in loads or loads[person].today < wanted.daily
    ]
    if not free:
        return None
    chosen = min(free, key=lambda person: _rank(loads.get(person), person))
    values: dict[str, Any] = {wanted.field: chosen}
    if wanted.at is not None:
        values[wanted.at] = sight.now
    change_record(sight, None, values.items(), cause)
    return chosen


def _rank(load: Row[Any] | None, person: int) -> tuple[int, datetime, int]:
    if load is None:
        return (0, LONG_AGO, person)
    return (load.open, load.last or LONG_AGO, person)


def _loads(sight: Sight, wanted: Assign, people: list[int]) -> list[Row[Any]]:
    """For each person with records: how many are open, how many came today, when the last did."""
    shape = shape_of(sight.session, sight.form_key)
    at = ("assign", sight.form_key, wanted, str(sight.zone))
    if _tells_time(wanted.open):
        query = _counting(sight, wanted, shape)
    else:
        query = kept(sight.session, at, lambda: _counting(sight, wanted, shape))
    day = day_began(sight.now, sight.zone)
    given = {"people": people, "day": day, "this": sight.record_id}
    return list(sight.session.execute(query, given))


def _counting(sight: Sight, wanted: Assign, shape: Shape) -> Select[Any]:
    """The question, for `people` other than for the record `this`, since `day` began."""
    table = shape.table
    person = table.c[wanted.field]
    since = table.c[wanted.at] if wanted.at else table.c._updated_at
    today = case((since >= bindparam("day"), 1), else_=0)
    counted = case((_open(sight, wanted, shape), 1), else_=0)
    return (
        select(
            person.label("person"),
            func.sum(counted).label("open"),
            func.sum(today).label("today"),
            func.max(since).label("last"),
        )
        .where(
            person.in_(bindparam("people", expanding=True)),
            table.c._retired_at.is_(None),
            table.c._id != bindparam("this"),
        )
        .group_by(person)
    )


def _tells_time(formula: Formula | None) -> bool:
    """Whether it asks for the hour or the day, or what another record says: no kept question may
    hold that."""
    if formula is None:
        return False
    return any(
        isinstance(node, Find) or (isinstance(node, Op) and node.op in BOUND)
        for node in walk(formula.typed.node)
    )


def _open(sight: Sight, wanted: Assign, shape: Shape) -> ColumnElement[bool]:
    """Which records count as open; without a condition, all."""
    if wanted.open is None:
        return shape.table.c._id.is_not(None)
    dialect = database_of(sight.session).dialect
    env = Env({}, sight.now, sight.zone, lookup=searcher(sight.session, SYSTEM))
    columns = {key: shape.table.c[key] for key in shape.specs}
    lowered: ColumnElement[bool] = to_sql(wanted.open.typed, columns, dialect, env)
    return lowered
