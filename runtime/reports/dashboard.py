"""A dashboard: reports side by side under one filter bar; what it is and what makes it sound."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ...platform.definitions.form_scope import Resolve
from ...platform.definitions.kinds import Document, Kind, Use
from ...platform.definitions.known import known
from ...platform.definitions.options import Text
from ...platform.definitions.schema_check import pointer, schema, twice
from ...platform.definitions.understood import understood
from ...platform.store.errors import Problem
from .definition import Report, read_report

WHOLE = 12  # columns of the grid


@dataclass(frozen=True)
class Item:
    """A report on a dashboard. width: of twelve columns; by: its dimension, "" for its first;
    place: where it stands on a phone, counted from 1."""

    key: str
    report: str
    width: int
    by: str
    place: int


@dataclass(frozen=True)
class Dashboard:
    """A dashboard's version; its items in the order of a desktop."""

    key: str
    title: Text
    help: Text | None
    period: str
    filters: tuple[str, ...]
    items: tuple[Item, ...]


def dashboard_of(session: Session, key: str) -> Dashboard:
    """The dashboard in force. Raises NotFound, NotUnderstood."""
    return understood(session, "dashboard", key, read_dashboard)


def read_dashboard(document: Mapping[str, Any]) -> Dashboard:
    """A dashboard from its document, which has passed its check."""
    keys = [item["key"] for item in document["items"]]
    order = document.get("phone", keys)
    return Dashboard(
        document["key"],
        document["title"],
        document.get("help"),
        document.get("period", "all"),
        tuple(document.get("filters", ())),
        tuple(
            Item(
                item["key"],
                item["report"],
                item.get("width", WHOLE),
                item.get("by", ""),
                order.index(item["key"]) + 1,
            )
            for item in document["items"]
        ),
    )


def check_dashboard(session: Session, document: Document) -> list[Problem]:
    """Its reports are there, and each offers the dashboard's filters and a date; on a phone no
    item is left out."""
    found = [
        Problem(pointer("items", number, "key"), "E_KEY_TWICE", {"name": key})
        for number, key in twice(item["key"] for item in document["items"])
    ]
    keys = {item["key"] for item in document["items"]}
    if "phone" in document and sorted(document["phone"]) != sorted(keys):
        found.append(Problem("/phone", "E_DASHBOARD_PHONE"))
    for number, item in enumerate(document["items"]):
        sought = known(session, "report", item["report"])
        if sought is None:
            at = pointer("items", number, "report")
            found.append(Problem(at, "E_DASHBOARD_REPORT", {"name": item["report"]}))
            continue
        found += _item(document, item, read_report(sought), number)
    return found


def _item(document: Document, item: Document, report: Report, number: int) -> Iterator[Problem]:
    at = pointer("items", number, "report")
    for key in document.get("filters", ()):
        if key not in report.filters:
            yield Problem(at, "E_DASHBOARD_FILTER", {"name": report.key, "filter": key})
    if "period" in document and report.date is None:
        yield Problem(at, "E_DASHBOARD_DATE", {"name": report.key})
    if "by" in item and item["by"] not in {each.key for each in report.dimensions}:
        yield Problem(pointer("items", number, "by"), "E_REPORT_BY", {"name": item["by"]})


def uses_of_dashboard(document: Mapping[str, Any], resolve: Resolve) -> Iterator[Use]:
    """The reports on it."""
    for number, item in enumerate(document["items"]):
        yield Use("report", item["report"], None, pointer("items", number, "report"))


DASHBOARD = Kind(
    "dashboard",
    schema("dashboard"),
    check_dashboard,
    order=80,
    uses=uses_of_dashboard,
    read=lambda session, key, _document: dashboard_of(session, key),
)
