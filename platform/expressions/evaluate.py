"""Resolved tree to a Python function: one closure per node, built once, called per record.

No text is ever run: closures only call each other and the functions of `operations.py`. What
they answer is held to the plain tree walk in `walk.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, getcontext, setcontext
from typing import Any

from .arithmetic import ZERO, own_context
from .check import Typed
from .counting import charge, is_group
from .environment import Env, Frame, Inner, Row, Search
from .errors import Blank
from .operations import OPERATIONS
from .quick import METHODS, OPERATORS, Build, Closure, Signs, is_light, quick
from .quick_rows import summed
from .reading import reader
from .tree import Const, Each, Field, Find, Hop, Keep, Op, Resolved, size


def compile(typed: Typed) -> Callable[[Env], Any]:
    """A function of one record's surroundings. It answers Decimal, str, bool, date, aware UTC
    datetime, timedelta, list, a row or its id, or None for blank, and raises ExpressionError
    (E_STEPS, E_ROWS) only when a limit is passed."""
    light = is_light(typed.node)
    closure = build(typed.node, METHODS if light else OPERATORS)
    steps = size(typed.node)
    numeric = typed.type.kind == "number"

    def evaluate_light(env: Env) -> Any:
        env.steps = steps
        value = closure(env)
        return value if value or not numeric or value is None else ZERO

    def evaluate(env: Env) -> Any:
        env.steps = steps
        callers = getcontext()
        setcontext(own_context())
        try:
            value = closure(env)
        finally:
            setcontext(callers)
        return value if value or not numeric or value is None else ZERO

    return evaluate_light if light else evaluate


def once(node: Resolved, frame: Frame) -> Any:
    """The value of a node by closures made for this one time."""
    callers = getcontext()
    setcontext(own_context())
    try:
        return build(node, OPERATORS)(frame)
    finally:
        setcontext(callers)


def build(node: Resolved, signs: Signs) -> Closure:
    """The closure of one node. signs: how its arithmetic is done, see `quick.is_light`."""

    def inner(part: Resolved) -> Closure:
        return build(part, signs)

    if isinstance(node, Const):
        return _const(node.value)
    if isinstance(node, Field):
        return _field(node)
    if isinstance(node, Op):
        if node.op == "list_sum" and isinstance(node.args[0], Each):
            return summed(node.args[0], inner)
        return quick(node, inner, signs) or _op(node, inner)
    if isinstance(node, Hop):
        return _hop(node, inner)
    if isinstance(node, Each):
        return _each(node, inner)
    if isinstance(node, Keep):
        return _keep(node, inner)
    if isinstance(node, Find):
        return _find(node, inner)
    return _group


def _const(value: Any) -> Closure:
    kept = None if value == "" else value
    return lambda frame: kept


def _group(frame: Frame) -> Sequence[Row]:
    return frame.env.rows


def _field(node: Field) -> Closure:
    key, read = node.key, reader(node.type)
    if node.up == 0:
        if node.type.kind == "number":

            def number(frame: Frame) -> Any:
                value = frame.values.get(key)
                return value if type(value) is Decimal else read(value)

            return number
        if node.type.kind == "text":

            def text(frame: Frame) -> Any:
                value = frame.values.get(key)
                if type(value) is str and value.isascii():
                    return value or None
                return read(value)

            return text
        return lambda frame: read(frame.values.get(key))

    def outer(frame: Frame) -> Any:
        around = frame.outer
        return None if around is None else read(around.values.get(key))

    return outer


def _hop(node: Hop, build: Build) -> Closure:
    base, key, read = build(node.base), node.key, reader(node.type)
    form = node.base.type.form or ""

    def hop(frame: Frame) -> Any:
        found = base(frame)
        if found is None:
            return None
        row = found if hasattr(found, "get") else follow(frame.env, form, found)
        return None if row is None else read(row.get(key))

    return hop


def follow(env: Env, form: str, key: Any) -> Row | None:
    """The record behind a link, asked for once per evaluation."""
    if (form, key) not in env.followed:
        env.followed[form, key] = env.follow(form, key)
    return env.followed[form, key]


def _op(node: Op, build: Build) -> Closure:
    special = SPECIAL.get(node.op)
    args = [build(arg) for arg in node.args]
    if special is not None:
        return special(args)
    operation = OPERATIONS[node.op]
    face = _zoned(operation.face) if operation.zone else _plain(operation.face)
    if not operation.strict:
        return lambda frame: face(frame, [arg(frame) for arg in args])
    otherwise = operation.otherwise
    if len(args) == 1:
        (only,) = args

        def one(frame: Frame) -> Any:
            value = only(frame)
            return otherwise if value is None else face(frame, (value,))

        return one

    def several(frame: Frame) -> Any:
        values = [arg(frame) for arg in args]
        for value in values:
            if value is None:
                return otherwise
        return face(frame, values)

    return several


def _plain(face: Callable[..., Any]) -> Callable[[Frame, Sequence[Any]], Any]:
    def call(frame: Frame, values: Sequence[Any]) -> Any:
        try:
            return face(*values)
        except (Blank, ArithmeticError) as error:
            return note(frame, error)

    return call


def _zoned(face: Callable[..., Any]) -> Callable[[Frame, Sequence[Any]], Any]:
    def call(frame: Frame, values: Sequence[Any]) -> Any:
        try:
            return face(*values, frame.env.zone)
        except (Blank, ArithmeticError) as error:
            return note(frame, error)

    return call


def note(frame: Frame, error: Exception) -> None:
    """The result is blank, and why is kept as a warning."""
    code = error.code if isinstance(error, Blank) else "E_RANGE"
    if code not in frame.env.warnings:
        frame.env.warnings.append(code)


def _if(args: list[Closure]) -> Closure:
    if len(args) == 3:
        condition, value, otherwise = args
        return lambda frame: value(frame) if condition(frame) else otherwise(frame)
    cases = list(zip(args[:-1:2], args[1::2], strict=True))
    last = args[-1]

    def choose(frame: Frame) -> Any:
        for condition, value in cases:
            if condition(frame):
                return value(frame)
        return last(frame)

    return choose


def _switch(args: list[Closure]) -> Closure:
    subject, last = args[0], args[-1]
    cases = list(zip(args[1:-1:2], args[2:-1:2], strict=True))
    equal = OPERATIONS["eq"].face

    def choose(frame: Frame) -> Any:
        value = subject(frame)
        for case, result in cases:
            if equal(value, case(frame)):
                return result(frame)
        return last(frame)

    return choose


def _and(args: list[Closure]) -> Closure:
    if len(args) == 2:
        left, right = args
        return lambda frame: left(frame) and right(frame)
    return lambda frame: all(arg(frame) for arg in args)


def _or(args: list[Closure]) -> Closure:
    if len(args) == 2:
        left, right = args
        return lambda frame: left(frame) or right(frame)
    return lambda frame: any(arg(frame) for arg in args)


def _ifblank(args: list[Closure]) -> Closure:
    def first(frame: Frame) -> Any:
        for arg in args:
            value = arg(frame)
            if value is not None:
                return value
        return None

    return first


def _has_role(args: list[Closure]) -> Closure:
    (role,) = args
    return lambda frame: role(frame) in frame.env.me.roles


SPECIAL: dict[str, Callable[[list[Closure]], Closure]] = {
    "if": _if,
    "switch": _switch,
    "and": _and,
    "or": _or,
    "ifblank": _ifblank,
    "has_role": _has_role,
    "today": lambda args: lambda frame: frame.env.today,
    "now": lambda args: lambda frame: frame.env.now,
    "me": lambda args: lambda frame: frame.env.me.person_id,
    "myorg": lambda args: lambda frame: frame.env.me.unit_id,
}


def _each(node: Each, build: Build) -> Closure:
    rows, body = build(node.rows), build(node.body)
    cost, grouped, place = size(node.body), is_group(node.rows), node.place

    def each(frame: Frame) -> Any:
        found = rows(frame) or ()
        charge(frame.env, found, cost, grouped, place)
        inner = Inner({}, frame.env, frame)
        values = []
        for inner.values in found:
            value = body(inner)
            if value is not None:
                values.append(value)
        return values or None

    return each


def _keep(node: Keep, build: Build) -> Closure:
    rows, where = build(node.rows), build(node.where)
    cost, grouped, place = size(node.where), is_group(node.rows), node.place

    def keep(frame: Frame) -> Any:
        found = rows(frame) or ()
        charge(frame.env, found, cost, grouped, place)
        inner = Inner({}, frame.env, frame)
        kept = []
        for row in found:
            inner.values = row
            if where(inner):
                kept.append(row)
        return kept or None

    return keep


def _find(node: Find, build: Build) -> Closure:
    where, body, form = build(node.where), build(node.body), node.form

    def find(frame: Frame) -> Any:
        inner = Inner({}, frame.env, frame)

        def matches(row: Row) -> bool:
            inner.values = row
            return bool(where(inner))

        row = frame.env.lookup(form, Search(matches, node.where, frame))
        if row is None:
            return None
        inner.values = row
        return body(inner)

    return find
