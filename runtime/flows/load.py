"""Flows in force, compiled: once a version, kept until definitions change."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from ...platform.definitions.form_scope import published_forms
from ...platform.definitions.published import entries, published
from ...platform.definitions.understood import MISREAD, misread
from ...platform.store.kept import kept
from ..steps.graph import Graph
from .definition import compile_flow
from .scope import FlowFormulas


def flow(session: Session, key: str, version: int | None = None) -> Graph:
    """The flow in force, or a version of it. Raises NotFound, NotUnderstood, Newer."""
    return kept(session, ("flow", key, version), lambda: _compile(session, key, version))


def _compile(session: Session, key: str, version: int | None) -> Graph:
    definition = published(session, "flow", key, version)
    document, number = definition.document, definition.version
    try:
        return compile_flow(document, number, FlowFormulas(document, published_forms(session)))
    except MISREAD as error:
        raise misread("flow", key, number, document, error) from error


def started_by(session: Session, event: str, form_key: str) -> Sequence[str]:
    """The keys of the flows that such an event about such a record may start, by key."""
    starts = kept(session, "flow starts", lambda: _starts(session))
    return starts.get((event, form_key), ())


def _starts(session: Session) -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for entry in entries(session, "flow"):
        document = published(session, "flow", entry.key).document
        at = _starting_at(document)
        if at is not None:
            found[at] = (*found.get(at, ()), entry.key)
    return found


def _starting_at(document: Mapping[str, Any]) -> tuple[str, str] | None:
    """The event that starts a flow, and the form it is about; a document that is damaged so that
    nobody can tell starts nothing."""
    try:
        return document["start"]["on"], document["subject"]
    except (KeyError, TypeError):
        return None
