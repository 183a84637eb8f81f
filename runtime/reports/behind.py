"""The records behind a number: an address that asks for them, and the conditions it was counted by.

Both come from the same places as the number itself, so the list holds as many records as it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from ...platform.identity.actor import Actor
from ...platform.identity.permissions import need
from ...platform.records.behind import NAME, PREFIX, ROOMS, Behind
from ...platform.store.errors import Malformed
from ...platform.web.words import say, text
from .definition import OVER_RECORDS, Dimension, Measure, Report, report_of
from .groups import called, key_text, value_of
from .lens import Condition, Lens, lens_of
from .measures import counted
from .question import BLANK, GROUP, Question, question_of

ROOM = "report"
NUMBER = "number"


def url_behind(
    report: Report, question: Question, measure: str, at: Mapping[str, Any] | None = None
) -> str:
    """The address of the records behind a number. at: the group's keys by dimension."""
    arguments = {NUMBER: measure} | question.arguments()
    for dimension, key in (at or {}).items():
        arguments[GROUP + dimension] = BLANK if key is None else key_text(key)
    told = {NAME: f"{ROOM}:{report.key}"} | {PREFIX + k: v for k, v in arguments.items()}
    return f"/records/{report.form}?{urlencode(told)}"


def tell(
    session: Session, actor: Actor, key: str, arguments: Mapping[str, str], language: str
) -> Behind:
    """See `platform.records.behind.Tell`."""
    need(session, actor, f"reports.read:{key}")
    report = report_of(session, key)
    lens = lens_of(session, actor, report)
    question = question_of(arguments)
    measure = _measure(report, arguments.get(NUMBER, ""))
    words = [text(report.title, language)]
    wanted = lens.wanted(question)
    if measure is not None:
        words.append(text(measure.title, language))
        wanted += _behind(lens, measure, wanted)
    for dimension in report.dimensions:
        given = arguments.get(GROUP + dimension.key)
        if given:
            group = _key(lens, dimension, given)
            wanted.append(_in_group(lens, dimension, group))
            words.append(_name(lens, dimension, group, language))
    return Behind(report.form, tuple(wanted), " · ".join(words))


def _measure(report: Report, key: str) -> Measure | None:
    """The measure over records that a number is counted by; of a ratio, what it is divided by."""
    if not key:
        return None
    found = next((each for each in report.measures if each.key == key), None)
    if found is None:
        raise Malformed("E_REPORT_MEASURE", name=key[:40])
    if found.kind in OVER_RECORDS:
        return found
    return report.measure(found.by or found.of)


def _behind(lens: Lens, measure: Measure, wanted: list[Condition]) -> list[Condition]:
    return next([*each.behind] for each in counted(lens, wanted) if each.key == measure.key)


def _key(lens: Lens, dimension: Dimension, given: str) -> Any:
    """A group's key as an address says it."""
    if given == BLANK:
        return None
    is_bool = lens.field(dimension.field).storage == "bool"
    return given == "true" if is_bool else given


def _in_group(lens: Lens, dimension: Dimension, key: Any) -> Condition:
    column = lens.group(dimension)
    if key is None:
        return column.is_(None)
    value = value_of(lens, dimension, key)
    return column.is_(value) if isinstance(value, bool) else column == value


def _name(lens: Lens, dimension: Dimension, key: Any, language: str) -> str:
    if key is None:
        return say(language, "page.blank")
    return called(lens, dimension, {key}, language).get(key) or f"#{key}"


ROOMS[ROOM] = tell
