"""What a reader asks of a report: its period, filters and dimension, as an address says them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ...platform.definitions.faults import Fault
from ...platform.definitions.field_time import read_date
from ...platform.store.errors import Malformed
from .definition import Dimension, Report
from .periods import PERIODS, days_of

CUSTOM = "custom"
FILTER = "f."
GROUP = "g."
#: how an address says that a group's field is not filled in
BLANK = "~"


@dataclass(frozen=True)
class Question:
    """period: one of PERIODS, `custom` with since and until (days, both included), or "" for the
    report's own. filters: values by field. by: which dimension is shown, "" for the first."""

    period: str = ""
    since: date | None = None
    until: date | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    by: str = ""

    def arguments(self) -> dict[str, str]:
        """The question as an address says it."""
        found = {"period": self.period}
        if self.period == CUSTOM:
            found["from"] = self.since.isoformat() if self.since else ""
            found["until"] = self.until.isoformat() if self.until else ""
        found |= {FILTER + key: value for key, value in self.filters.items()}
        found["by"] = self.by
        return {key: value for key, value in found.items() if value}

    def days(self, report: Report, today: date) -> tuple[date | None, date | None]:
        """The first and the last day asked for; None where there is no limit."""
        if report.date is None:
            return None, None
        if self.period == CUSTOM:
            return self.since, self.until
        return days_of(self.period or report.period, today)

    def dimensions(self, report: Report) -> tuple[Dimension, ...]:
        """The dimensions its answer is grouped by. Raises Malformed for one that is not there."""
        if self.by and self.by not in {each.key for each in report.dimensions}:
            raise Malformed("E_REPORT_BY", name=self.by[:40])
        if not report.one_at_a_time:
            return report.dimensions
        chosen = [each for each in report.dimensions if each.key == self.by]
        return tuple(chosen or report.dimensions[:1])


def question_of(arguments: Mapping[str, str]) -> Question:
    """The question an address asks. Days given make it a custom period. Raises Malformed."""
    since, until = _day(arguments, "from"), _day(arguments, "until")
    period = arguments.get("period", "")
    if since or until:
        period = period if period in PERIODS else CUSTOM
    elif period == CUSTOM:
        period = ""
    if period not in ("", CUSTOM, *PERIODS):
        raise Malformed("E_REPORT_PERIOD", name=period[:40])
    if period != CUSTOM:
        since = until = None
    if since and until and until < since:
        raise Malformed("E_DATE_RANGE")
    filters = {
        key.removeprefix(FILTER): value.strip()[:100]
        for key, value in arguments.items()
        if key.startswith(FILTER) and value.strip()
    }
    return Question(period, since, until, filters, arguments.get("by", "")[:40])


def _day(arguments: Mapping[str, str], name: str) -> date | None:
    """A day of the address. Raises Malformed for what is no day."""
    text = arguments.get(name, "")
    if not text:
        return None
    try:
        return read_date(text)
    except Fault as fault:
        raise Malformed(fault.code, name=name) from fault


def today_of(moment: datetime, time_zone: str) -> date:
    """Which day it is on the reader's clock."""
    return moment.astimezone(ZoneInfo(time_zone)).date()
