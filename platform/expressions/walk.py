"""The reference: one plain walk over the resolved tree, slow and easy to read.

Nothing in the house calls it but the tests, which hold the compiled closures to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .check import Typed
from .counting import charge, is_group
from .environment import Env, Frame, Inner, Search
from .errors import Blank
from .evaluate import follow, note
from .operations import OPERATIONS
from .reading import reader
from .tree import Const, Each, Field, Find, Group, Hop, Keep, Op, Resolved, size


def evaluate(typed: Typed, env: Env) -> Any:
    """What `evaluate.compile(typed)(env)` answers."""
    env.steps = size(typed.node)
    return walk(typed.node, env)


def walk(node: Resolved, frame: Frame) -> Any:
    """The value of one node."""
    if isinstance(node, Const):
        return None if node.value == "" else node.value
    if isinstance(node, Field):
        here: Frame | None = frame
        for _ in range(node.up):
            here = here.outer if here is not None else None
        return None if here is None else reader(node.type)(here.values.get(node.key))
    if isinstance(node, Group):
        return frame.env.rows
    if isinstance(node, Hop):
        found = walk(node.base, frame)
        if found is None or hasattr(found, "get"):
            row = found
        else:
            row = follow(frame.env, node.base.type.form or "", found)
        return None if row is None else reader(node.type)(row.get(node.key))
    if isinstance(node, Each | Keep):
        return _rows(node, frame)
    if isinstance(node, Find):
        where, form = node.where, node.form

        def matches(row: Any) -> bool:
            return bool(walk(where, Inner(row, frame.env, frame)))

        row = frame.env.lookup(form, Search(matches, where, frame))
        return None if row is None else walk(node.body, Inner(row, frame.env, frame))
    return _operation(node, frame)


def _rows(node: Each | Keep, frame: Frame) -> Any:
    rows = walk(node.rows, frame) or ()
    body = node.body if isinstance(node, Each) else node.where
    charge(frame.env, rows, size(body), is_group(node.rows), node.place)
    found = []
    for row in rows:
        value = walk(body, Inner(row, frame.env, frame))
        if isinstance(node, Keep):
            if value:
                found.append(row)
        elif value is not None:
            found.append(value)
    return found or None


def _operation(node: Op, frame: Frame) -> Any:
    lazy = _LAZY.get(node.op)
    if lazy is not None:
        return lazy(node, frame)
    operation = OPERATIONS[node.op]
    args = [walk(arg, frame) for arg in node.args]
    if operation.strict and None in args:
        return operation.otherwise
    try:
        return operation.face(*args, *([frame.env.zone] if operation.zone else []))
    except (Blank, ArithmeticError) as error:
        return note(frame, error)


def _if(node: Op, frame: Frame) -> Any:
    args = node.args
    for at in range(0, len(args) - 1, 2):
        if walk(args[at], frame):
            return walk(args[at + 1], frame)
    return walk(args[-1], frame)


def _switch(node: Op, frame: Frame) -> Any:
    subject, args = walk(node.args[0], frame), node.args[1:]
    for at in range(0, len(args) - 1, 2):
        if OPERATIONS["eq"].face(subject, walk(args[at], frame)):
            return walk(args[at + 1], frame)
    return walk(args[-1], frame)


def _ifblank(node: Op, frame: Frame) -> Any:
    return next((v for v in (walk(arg, frame) for arg in node.args) if v is not None), None)


_LAZY: dict[str, Callable[[Op, Frame], Any]] = {
    "if": _if,
    "switch": _switch,
    "and": lambda node, frame: all(walk(arg, frame) for arg in node.args),
    "or": lambda node, frame: any(walk(arg, frame) for arg in node.args),
    "ifblank": _ifblank,
    "today": lambda node, frame: frame.env.today,
    "now": lambda node, frame: frame.env.now,
    "me": lambda node, frame: frame.env.me.person_id,
    "myorg": lambda node, frame: frame.env.me.unit_id,
    "has_role": lambda node, frame: walk(node.args[0], frame) in frame.env.me.roles,
}
