"""Records by their date: a day or a week hour by hour, a month day by day.

A day stands side by side for each doctor, room or whatever `rows` names; a week for each day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from ...platform.definitions.fields import Field
from ...platform.records.lists import MOST_ROWS
from ...platform.records.narrow import Condition
from ...platform.records.record import Record
from ...platform.records.spans import span_of
from ...platform.store.session import moment
from .drawn import Choice
from .filters import readable_fields
from .listing import Listing
from .show import link_labels, shown
from .view_kind import serves

SPANS = ("day", "week", "month")
SLOT = 30  # minutes
OPENS, SHUTS = 8, 19  # hours shown though nothing is in them
USUAL_LENGTH = timedelta(minutes=30)
MOST = 1_000
IN_A_DAY = 4  # entries of a day of a month; the rest is behind a link
FACTS = 2


@dataclass(frozen=True)
class Entry:
    """One record of the calendar. start, end: on the reader's clock."""

    url: str
    title: str
    facts: Sequence[str]
    start: datetime
    end: datetime
    hours: str
    badge: str


@dataclass
class Cell:
    """Entries that stand together: they overlap, so they share their slots."""

    first: int
    slots: int
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True)
class Lane:
    """One column: a doctor's day, or a day of the week. new: where one is added to it."""

    key: str
    title: str
    entries: Sequence[Entry]
    today: bool = False
    new: str = ""
    url: str = ""


def places(this: Listing) -> dict[str, str] | None:
    """By which fields records stand where; None when the form has no date."""
    fields = readable_fields(this.form, this.asked)
    found: dict[str, str] = {}
    for place in ("by", "until", "rows"):
        fit = [its for its in fields if serves(its, "calendar", place)]
        wanted = this.wanted.places.get(place)
        chosen = next((its for its in fit if its.key == wanted), None)
        if chosen is None and place == "by" and fit:
            chosen = min(fit, key=lambda its: (not its.required, not its.index))
        if chosen is None and place == "rows" and not wanted:
            chosen = next((its for its in fit if its.type.name == "person" and its.index), None)
        if chosen is None and place == "until":
            chosen = next((its for its in fit if found.get("by", "-") in (its.default or "")), None)
        if chosen is not None:
            found[place] = chosen.key
    if "by" not in found:
        return None
    span = this.wanted.places.get("span", "")
    return {**found, "span": span if span in SPANS else "week"}


def draw(this: Listing) -> dict[str, Any]:
    """`calendar`: span, title, today, previous, next (addresses), spans, by and rows (to choose
    from), lanes and hours or weeks, more (not all are shown)."""
    chosen = places(this)
    if chosen is None:
        return {"calendar": None}
    view = _View(this, chosen)
    drawn = view.month() if view.span == "month" else view.hours()
    return {"calendar": {**view.frame(), **drawn}}


class _View:
    """One span of a calendar, with its records."""

    def __init__(self, this: Listing, chosen: Mapping[str, str]) -> None:
        self.this, self.chosen, self.span = this, chosen, chosen["span"]
        self.by = this.form.fields[chosen["by"]]
        self.zone = this.reader.zone
        self.today = moment(this.reader.session).astimezone(self.zone).date()
        self.on = _day(this.wanted.places.get("on", "")) or self.today
        self.first, self.last = self._span()
        self.records, self.more = self._read()
        self.entries = [self._entry(record) for record in self.records]

    def _span(self) -> tuple[date, date]:
        if self.span == "day":
            return self.on, self.on
        if self.span == "week":
            return span_of("this_week", self.on)
        first, last = span_of("this_month", self.on)
        return span_of("this_week", first)[0], span_of("this_week", last)[1]

    def _read(self) -> tuple[list[Record], bool]:
        within = Condition(self.by.key, "between", (self.first.isoformat(), self.last.isoformat()))
        found: list[Record] = []
        cursor = None
        while True:
            page = self.this.page(MOST_ROWS, within, sort=[self.by.key], cursor=cursor)
            found += page.items
            cursor = page.next
            if cursor is None or len(found) >= MOST:
                self.named = link_labels(self.this.reader, self.this.form, found)
                return found, cursor is not None

    def _entry(self, record: Record) -> Entry:
        start = self._moment(record, "by")
        assert start is not None
        end = self._moment(record, "until") or start + USUAL_LENGTH
        end = max(end, start + timedelta(minutes=1))
        besides = set(self.chosen.values())
        fields = [its for its in self.this.fields if its.key not in besides]
        standing = next((f for f in fields if f.type.name == "choice" and f.index), None)
        words = [
            said for its in fields if its is not standing and (said := self._words(record, its))
        ]
        whole = self.by.storage == "date"
        hours = "" if whole else f"{start:%H:%M}–{end:%H:%M}"
        title = words[0] if words else self.this.reader.say("page.blank")
        title = title.removesuffix(f" {start:%m-%d %H:%M}")  # where it stands says that already
        badge = self._words(record, standing) if standing else ""
        url = f"{self.this.url}/{record.id}"
        return Entry(url, title, words[1 : 1 + FACTS], start, end, hours, badge)

    def _words(self, record: Record, its: Field) -> str:
        value = record.values.get(its.key)
        return shown(self.this.reader, its, value, record.rights[its.key], self.named)

    def _moment(self, record: Record, place: str) -> datetime | None:
        key = self.chosen.get(place)
        value = record.values.get(key) if key else None
        if isinstance(value, datetime):
            return value.astimezone(self.zone)
        if isinstance(value, date):
            return datetime.combine(value, time(), self.zone)
        return None

    def url(self, **places: str) -> str:
        """The same calendar with something changed."""
        found = {**self.chosen, "on": self.on.isoformat(), **places}
        return self.this.wanted.url(self.this.url, places=found)

    def frame(self) -> dict[str, Any]:
        """What stands above every span."""
        reader, this = self.this.reader, self.this
        step = {"day": 1, "week": 7}.get(self.span)
        if step:
            before, after = self.on - timedelta(days=step), self.on + timedelta(days=step)
        else:
            before = span_of("last_month", self.on)[0]
            after = span_of("next_month", self.on)[0]
        fields = readable_fields(this.form, this.asked)
        here = (
            self.on <= self.today <= self.last
            if self.span == "day"
            else (self.first <= self.today <= self.last)
        )
        return {
            "span": self.span,
            "title": self._title(),
            "on": self.on.isoformat(),
            "here": here,
            "today": self.url(on=self.today.isoformat()),
            "previous": self.url(on=before.isoformat()),
            "next": self.url(on=after.isoformat()),
            "spans": [
                {
                    "url": self.url(span=each),
                    "words": reader.say(f"page.calendar.{each}"),
                    "current": each == self.span,
                }
                for each in SPANS
            ],
            "by": self._fit(fields, "by"),
            "rows": self._fit(fields, "rows"),
            "carried": list(replace(this.wanted, places={}).pairs(("cursor", "add"))),
            "kept": [("span", self.span), ("on", self.on.isoformat())]
            + [("until", key) for key in [self.chosen.get("until")] if key],
            "total": len(self.records),
            "more": self.more,
        }

    def _fit(self, fields: Sequence[Field], place: str) -> list[Choice]:
        return [
            Choice(its.key, self.this.reader.text(its.title), its.key == self.chosen.get(place))
            for its in fields
            if serves(its, "calendar", place)
        ]

    def _title(self) -> str:
        reader = self.this.reader
        if self.span == "day":
            return reader.say("page.calendar.on", day=self.on, weekday=self._weekday(self.on))
        if self.span == "week":
            return reader.say("page.calendar.between", first=self.first, last=self.last)
        return reader.say("page.calendar.in_month", year=self.on.year, month=self.on.month)

    def _weekday(self, day: date) -> str:
        return self.this.reader.say(f"page.calendar.weekday.{day.isoweekday()}")

    # ---- a day or a week: lanes, hour by hour

    def hours(self) -> dict[str, Any]:
        """`lanes` (title, entries, cells) and `rows_of_time`: one for each half hour, with the
        cells that begin in it; None where the cell above reaches down."""
        lanes = self._people() if self.span == "day" else self._days()
        if self.by.storage == "date":
            return {"lanes": lanes, "times": []}
        first, last = self._open()
        cells = [_cells(lane.entries, first, last) for lane in lanes]
        times = []
        for slot in range((last - first) * 60 // SLOT):
            minutes = first * 60 + slot * SLOT
            row = [_at(lane, slot) for lane in cells]
            times.append({"hour": f"{minutes // 60:02}:{minutes % 60:02}", "cells": row})
        return {"lanes": lanes, "times": times}

    def _open(self) -> tuple[int, int]:
        """The hours that are shown: those of a clinic's day, and more where something is."""
        starts = [entry.start.hour for entry in self.entries]
        ends = [
            24 if entry.end.date() > entry.start.date() else entry.end.hour + (entry.end.minute > 0)
            for entry in self.entries
        ]
        return min([OPENS, *starts]), max([SHUTS, *ends])

    def _days(self) -> list[Lane]:
        days = [self.first + timedelta(days=at) for at in range(7)]
        return [
            Lane(
                day.isoformat(),
                f"{self._weekday(day)} {day.month}/{day.day}",
                [entry for entry in self.entries if entry.start.date() == day],
                day == self.today,
                self._new(day),
                self.url(span="day", on=day.isoformat()),
            )
            for day in days
        ]

    def _people(self) -> list[Lane]:
        key = self.chosen.get("rows")
        if key is None:
            new = self._new(self.on)
            return [Lane("", self._title(), self.entries, self.on == self.today, new)]
        its = self.this.form.fields[key]
        lanes: dict[str, tuple[Any, list[Entry]]] = {}
        for record, entry in zip(self.records, self.entries, strict=True):
            words = self._words(record, its)
            lanes.setdefault(words, (record.values.get(key), []))[1].append(entry)
        blank = self.this.reader.say("page.calendar.nobody", field=self.this.reader.text(its.title))
        if not lanes:
            return [Lane("", self._title(), [], self.on == self.today, self._new(self.on))]
        return [
            Lane(words, words or blank, entries, False, self._new(self.on, key, value))
            for words, (value, entries) in sorted(
                lanes.items(), key=lambda one: (not one[0], one[0])
            )
        ]

    def _new(self, day: date, key: str | None = None, value: Any = None) -> str:
        """Where a record of this day, and of this doctor, is begun."""
        if not self.this.asked.may("create"):
            return ""
        at = day.isoformat() if self.by.storage == "date" else f"{day.isoformat()}T09:00"
        more = f"&v.{key}={value}" if key and isinstance(value, (int, str)) else ""
        return f"{self.this.url}/new?v.{self.by.key}={at}{more}"

    # ---- a month: weeks of days

    def month(self) -> dict[str, Any]:
        """`weekdays` and `weeks`: their days with day, entries, rest, url, today, outside."""
        by_day: dict[date, list[Entry]] = {}
        for entry in self.entries:
            by_day.setdefault(entry.start.date(), []).append(entry)
        days = [self.first + timedelta(days=at) for at in range((self.last - self.first).days + 1)]
        drawn = [self._month_day(day, by_day.get(day, [])) for day in days]
        return {
            "weekdays": [self._weekday(day) for day in days[:7]],
            "weeks": [drawn[at : at + 7] for at in range(0, len(drawn), 7)],
        }

    def _month_day(self, day: date, entries: Sequence[Entry]) -> dict[str, Any]:
        return {
            "day": day.day,
            "words": f"{day.isoformat()} {self._weekday(day)}",
            "entries": entries[:IN_A_DAY],
            "count": len(entries),
            "rest": max(len(entries) - IN_A_DAY, 0),
            "url": self.url(span="day", on=day.isoformat()),
            "today": day == self.today,
            "outside": day.month != self.on.month,
        }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _cells(entries: Sequence[Entry], opens: int, shuts: int) -> list[Cell]:
    """Entries in their order; those that overlap share one cell."""
    cells: list[Cell] = []
    most = (shuts - opens) * 60 // SLOT
    for entry in entries:
        first = ((entry.start.hour - opens) * 60 + entry.start.minute) // SLOT
        minutes = (entry.end - entry.start).total_seconds() / 60 + entry.start.minute % SLOT
        slots = min(max(-(-int(minutes) // SLOT), 1), most - first)
        if cells and first < cells[-1].first + cells[-1].slots:
            cell = cells[-1]
            cell.slots = max(cell.slots, first + slots - cell.first)
        else:
            cell = Cell(first, slots)
            cells.append(cell)
        cell.entries.append(entry)
    return cells


def _at(cells: Sequence[Cell], slot: int) -> Cell | None:
    """The cell that begins in a slot, an empty one where nothing is, None under a longer one."""
    for cell in cells:
        if cell.first == slot:
            return cell
        if cell.first < slot < cell.first + cell.slots:
            return None
    return Cell(slot, 1)
