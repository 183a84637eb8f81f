"""What a page draws of a form: plain values, every word already in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Choice:
    """One choice of a field or a filter."""

    key: str
    title: str
    chosen: bool = False


@dataclass(frozen=True)
class DrawnFile:
    """One file to be opened. picture: it is shown as well."""

    name: str
    url: str
    size: str
    picture: bool


@dataclass(frozen=True)
class DrawnField:
    """One field.

    value: what stands in the input. shown: the words when it is only read. fixed: shown although
    it could be written, because the task decided it; `keep` then travels hidden with the form.
    grouped: several controls under one label. files: what a field of files holds, when it is
    read; when it is written they are its choices, each to be kept. out_of_sight: hidden until its
    condition holds. rows: those of a sub-form, each its fields; blank_row: what another begins as.
    """

    key: str
    type: str
    title: str
    help: str = ""
    must: bool = False
    right: str = "write"
    fixed: bool = False
    value: str = ""
    shown: str = ""
    choices: Sequence[Choice] = ()
    files: Sequence[DrawnFile] = ()
    problems: Sequence[str] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    affix: str = ""
    grouped: bool = False
    wide: bool = False
    out_of_sight: bool = False
    keep: str | None = None
    call: str = ""
    url: str = ""
    rows: Sequence[Sequence[DrawnField]] = ()
    blank_row: Sequence[DrawnField] = ()


@dataclass(frozen=True)
class DrawnSection:
    """A part of the layout with the fields its reader may see."""

    key: str
    title: str
    columns: int
    fields: Sequence[DrawnField]

    @property
    def facts(self) -> list[DrawnField]:
        """The fields that hold something, for reading."""
        return [each for each in self.fields if each.shown]


@dataclass(frozen=True)
class Drawn:
    """A form as one page shows it. behaviour: what fill.ts is told; None when only read."""

    sections: Sequence[DrawnSection]
    behaviour: Mapping[str, Any] | None = None

    @property
    def fields(self) -> list[DrawnField]:
        return [each for section in self.sections for each in section.fields]

    @property
    def has_rows(self) -> bool:
        """Whether it has buttons of its own, before which the form's own must come."""
        return any(each.type == "subform" for each in self.fields)

    @property
    def takes_files(self) -> bool:
        """Whether it has to be sent in parts."""
        return any(each.type in ("file", "image") for each in self.fields)
