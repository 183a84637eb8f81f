"""Which published flows call over which connection."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from ...platform.definitions.published import entries, published


def flows_by_connection(session: Session) -> dict[str, list[Any]]:
    """Connection -> the titles of the flows that name it, set up or not."""
    found: dict[str, list[Any]] = {}
    for entry in entries(session, "flow"):
        named = set(_named(published(session, "flow", entry.key).document))
        for key in named:
            found.setdefault(key, []).append(entry.title)
    return found


def _named(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if node.get("kind") == "call" and isinstance(node.get("connection"), str):
            yield node["connection"]
        for inner in node.values():
            yield from _named(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _named(inner)
