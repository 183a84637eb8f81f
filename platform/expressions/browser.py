"""Resolved tree as JSON for runtime/src/evaluate.ts. The browser never gets the text.

    {"format": 1, "type": "number", "steps": 7, "node": NODE, "calendar": {…} when days are worked}

    NODE: {"const": JSON, "kind": K}  {"field": key, "kind": K, "up": 0}  {"op": name, "args": […]}
          {"hop": key, "kind": K, "base": NODE, "form": name}  {"group": true}
          {"each": NODE, "rows": NODE, "cost": n}  {"keep": NODE, "rows": NODE, "cost": n}
          {"find": form, "where": NODE, "body": NODE}
    K: a type's name, "time" for a time of day, "list:" and the items' K for a list.

Numbers are strings, dates and moments ISO text. `cost` is what a row counts in steps.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from . import workdays
from .arithmetic import text_of
from .check import Typed
from .days import micros_of
from .scope import Type
from .tree import Const, Each, Field, Find, Group, Hop, Keep, Op, Resolved, size, walk

CALENDAR_OPS = frozenset({"workday", "networkdays"})


def to_json(typed: Typed) -> dict[str, Any]:
    """The checked expression for the browser."""
    made: dict[str, Any] = {
        "format": 1,
        "type": kind_of(typed.type),
        "steps": size(typed.node),
        "node": _node(typed.node),
    }
    if any(isinstance(node, Op) and node.op in CALENDAR_OPS for node in walk(typed.node)):
        made["calendar"] = {
            "first": workdays.FIRST.isoformat(),
            "last": workdays.LAST.isoformat(),
            "off": [day.isoformat() for day in workdays.days_off()],
            "on": [day.isoformat() for day in workdays.days_on()],
        }
    return made


def kind_of(kind: Type) -> str:
    """A type as the browser names it."""
    if kind.name == "list":
        return f"list:{kind_of(kind.of)}" if kind.of is not None else "list:any"
    return "time" if kind.name == "text" and kind.form == "time" else kind.kind


def _node(node: Resolved) -> dict[str, Any]:
    if isinstance(node, Const):
        return {"const": plain(node.value), "kind": kind_of(node.type)}
    if isinstance(node, Field):
        return {"field": node.key, "kind": kind_of(node.type), "up": node.up}
    if isinstance(node, Op):
        return {"op": node.op, "args": [_node(arg) for arg in node.args]}
    if isinstance(node, Hop):
        form = node.base.type.form or ""
        return {
            "hop": node.key,
            "kind": kind_of(node.type),
            "base": _node(node.base),
            "form": form,
        }
    if isinstance(node, Each):
        return {"each": _node(node.body), "rows": _node(node.rows), "cost": size(node.body)}
    if isinstance(node, Keep):
        return {"keep": _node(node.where), "rows": _node(node.rows), "cost": size(node.where)}
    if isinstance(node, Find):
        return {"find": node.form, "where": _node(node.where), "body": _node(node.body)}
    assert isinstance(node, Group)
    return {"group": True}


def plain(value: Any) -> Any:
    """A value in the JSON shape the browser's evaluator takes and answers."""
    if isinstance(value, Decimal):
        return text_of(value)
    if isinstance(value, datetime):
        text = value.astimezone(UTC).isoformat()
        return text.replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(micros_of(value))
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    return value
