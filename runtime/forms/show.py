"""A form and a record's values -> what a page draws, choices filled in; and what was posted back.

Nothing here decides: rights come from the door, and the door checks again what is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ...platform.definitions.faults import Fault
from ...platform.definitions.field_number import show_plain
from ...platform.definitions.field_rows import most_rows
from ...platform.definitions.field_time import in_minutes
from ...platform.definitions.fields import Field
from ...platform.definitions.form import Form
from ...platform.definitions.options import Options
from ...platform.identity.actor import Actor
from ...platform.records.choices import choices_of, labels, offer
from ...platform.records.record import Record
from ...platform.store.errors import NotUnderstood, Problem
from ...platform.web.parts import Trouble
from ...platform.web.words import say, text
from .attach import attributes, drawn_files, endings, kept_files, most
from .drawn import Choice, Drawn, DrawnField, DrawnFile, DrawnSection
from .row_fields import draw_rows, posted_rows

PILLS = 6  # more choices than this are picked from a list
LINKS_OFFERED = 50
WITH_CHOICES = ("choice", "choices", "yesno", "file", "image")
INPUT_TIME = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True)
class Reader:
    """Who looks, in which language, on which clock."""

    session: Session
    actor: Actor
    language: str
    zone: tzinfo

    def say(self, key: str, **params: Any) -> str:
        return say(self.language, key, **params)

    def text(self, label: Any) -> str:
        return text(label, self.language)


@dataclass(frozen=True)
class Filling:
    """What stands in a form being filled in.

    values: Python values by field. typed: what was posted, shown again as it was. fixed: fields
    the page decides; problems: by field, in words.
    """

    rights: Mapping[str, str]
    values: Mapping[str, Any] = field(default_factory=dict)
    typed: MultiDict[str, str] | None = None
    fixed: Collection[str] = ()
    problems: Mapping[str, Sequence[str]] = field(default_factory=dict)


def draw_fill(reader: Reader, form: Form, filling: Filling) -> tuple[DrawnSection, ...]:
    """The sections of a form to be filled in; fields that may not be seen are left out."""
    return _sections(reader, form, lambda its: _fill_field(reader, its, filling))


def draw_read(reader: Reader, record: Record) -> Drawn:
    """A record to be read."""
    named = link_labels(reader, record.form, [record])

    def one(its: Field) -> DrawnField | None:
        right = record.rights[its.key]
        if right == "hidden":
            return None
        words = shown(reader, its, record.values.get(its.key), right, named)
        right = "masked" if right == "masked" else "read"
        if its.rows is not None and right == "read":
            return _sub_read(reader, record, its)
        return DrawnField(
            its.key,
            its.type.name,
            reader.text(its.title),
            right=right,
            shown=words,
            files=_files(reader, its, record.values.get(its.key), right),
            wide=its.type.name in ("longtext", "image"),
            call=words if its.type.name == "phone" and right != "masked" else "",
            url=_link_url(its, record.values.get(its.key), right),
        )

    return Drawn(_sections(reader, record.form, one))


def _sub_read(reader: Reader, record: Record, its: Field) -> DrawnField:
    return _sub_form(reader, its, Filling(record.rights, record.values), False)


def rows_read(reader: Reader, record: Record, its: Field) -> Sequence[Sequence[DrawnField]]:
    """The rows of a sub-form whose whole content may be read; none of any other field."""
    if its.rows is None or record.rights[its.key] not in ("read", "write"):
        return ()
    return _sub_read(reader, record, its).rows


def _files(reader: Reader, its: Field, value: Any, right: str) -> list[DrawnFile]:
    if not its.type.holds_files or right == "masked" or not value:
        return []
    return drawn_files(reader.session, value)


def _link_url(its: Field, value: Any, right: str) -> str:
    if right == "masked" or value is None:
        return ""
    if its.link_form:
        return f"/records/{its.link_form}/{value}"
    return str(value) if its.type.name == "url" else ""


def _sections(reader: Reader, form: Form, one: Any) -> tuple[DrawnSection, ...]:
    drawn = []
    for part in form.layout:
        fields = [made for key in part.fields if (made := one(form.fields[key])) is not None]
        if fields:
            drawn.append(DrawnSection(part.key, reader.text(part.title), part.columns, fields))
    return tuple(drawn)


def _fill_field(reader: Reader, its: Field, filling: Filling) -> DrawnField | None:
    right = filling.rights[its.key]
    if right == "hidden" or (its.written_by_flow and filling.values.get(its.key) is None):
        return None
    value = filling.values.get(its.key)
    writable = right == "write" and its.by_people
    if its.rows is not None and right != "masked":
        return _sub_form(reader, its, filling, writable)
    fixed = writable and its.key in filling.fixed
    kind = its.type.name
    typed = None if filling.typed is None or fixed else filling.typed.getlist(its.key)
    given = typed if typed is not None else input_texts(its, value, reader.zone)
    choices: list[Choice] = []
    if writable and not fixed and its.type.holds_files:
        choices = kept_files(reader.session, reader.actor, given, value or [])
    elif writable and not fixed:
        choices = choices_to_draw(reader, its, given)
    grouped = kind in ("yesno", "choices") or (kind == "choice" and len(choices) <= PILLS)
    generated = its.type.generated and value is None
    return DrawnField(
        key=its.key,
        type=kind,
        title=reader.text(its.title),
        help=reader.text(its.help) or _limits(reader, its),
        must=its.required,
        right="masked" if right == "masked" else "write" if writable or generated else "read",
        fixed=fixed,
        value="" if kind in WITH_CHOICES else (given[0] if given else ""),
        shown="" if writable and not fixed else _shown_alone(reader, its, value, right),
        choices=choices,
        files=[] if writable and not fixed else _files(reader, its, value, right),
        problems=filling.problems.get(its.key, ()),
        attributes=_attributes(its),
        grouped=grouped,
        wide=kind in ("longtext", "choices", "file", "image") or (grouped and len(choices) > 4),
        keep=given[0] if fixed and given else None,
    )


def _sub_form(reader: Reader, its: Field, filling: Filling, writable: bool) -> DrawnField:
    rows, blank = draw_rows(
        its, filling, writable, lambda each, inner: _fill_field(reader, each, inner)
    )
    return DrawnField(
        its.key,
        its.type.name,
        reader.text(its.title),
        help=reader.text(its.help),
        must=its.required,
        right="write" if writable else "read",
        shown=" " if rows and not writable else "",
        problems=filling.problems.get(its.key, ()),
        attributes={"most": str(most_rows(its))},
        grouped=True,
        wide=True,
        rows=rows,
        blank_row=blank,
    )


def _limits(reader: Reader, its: Field) -> str:
    if not its.type.holds_files:
        return ""
    return reader.say("page.file.limits", allowed=" ".join(endings(its)), most=most(its))


def _attributes(its: Field) -> dict[str, str]:
    if its.type.holds_files:
        return attributes(its)
    kind = its.type.name
    found = {"data-offer": f"/records/{its.link_form}/offer"} if its.link_form else {}
    if its.type.storage == "scaled":
        found["inputmode"] = "numeric" if its.scale == 0 and kind == "number" else "decimal"
    if kind == "phone":
        found["inputmode"] = "tel"
    if its.type.longest:
        found["maxlength"] = str(min(its.type.longest, its.schema.get("maxLength", 20_000)))
    if kind == "datetime":
        found["step"] = "60"
    return found


def _ids(texts: Iterable[str]) -> set[int]:
    """What was typed for links, as far as it may be an id at all."""
    return {int(at) for at in texts if at.isdecimal() and len(at) < 20 and int(at) < 2**63}


def choices_to_draw(reader: Reader, its: Field, given: Sequence[str]) -> list[Choice]:
    """The choices of a field in the reader's language, those given marked."""
    if its.type.name == "yesno":
        pairs = [("true", reader.say("page.field.yes")), ("false", reader.say("page.field.no"))]
    elif its.link_form:
        pairs = _offered(reader, its.link_form, given)
    else:
        known = choices_of(reader.session, its)
        titles = known.titles if isinstance(known, Options) else {}
        pairs = [(key, reader.text(title)) for key, title in titles.items()]
    return [Choice(key, title, key in given) for key, title in pairs]


def _offered(reader: Reader, form_key: str, given: Sequence[str]) -> list[tuple[str, str]]:
    """Records to choose from, those given among them. Of a form that this version cannot read
    nothing is offered, and what is given stays."""
    try:
        offered = offer(reader.session, reader.actor, form_key, "", LINKS_OFFERED)
    except NotUnderstood:
        return [(str(at), f"#{at}") for at in sorted(_ids(given))]
    missing = _ids(given) - {at for at, _ in offered}
    named = labels(reader.session, reader.actor, form_key, missing)
    return [(str(at), label) for at, label in (*named.items(), *offered)]


def link_labels(reader: Reader, form: Form, records: Sequence[Record]) -> dict[str, dict[int, str]]:
    """Link field -> record -> what it is called, asked once for many records."""
    found = {}
    for key, target in form.links.items():
        ids = {
            record.values[key]
            for record in records
            if isinstance(record.values.get(key), int) and record.rights[key] != "masked"
        }
        found[key] = labels(reader.session, reader.actor, target, ids)
    return found


def shown(
    reader: Reader, its: Field, value: Any, right: str, named: Mapping[str, Mapping[int, str]]
) -> str:
    """A value in words. A masked one comes masked already."""
    if value is None:
        return ""
    if right == "masked":
        return str(value)
    if its.link_form:
        return named.get(its.key, {}).get(value, "")
    words = its.show(
        in_minutes(value), reader.language, choices_of(reader.session, its), reader.zone
    )
    return in_yuan(words) if its.type.name == "money" else words


def in_yuan(amount: str) -> str:
    """An amount with its sign of money, behind a minus."""
    return f"-¥{amount[1:]}" if amount.startswith("-") else f"¥{amount}"


def _shown_alone(reader: Reader, its: Field, value: Any, right: str) -> str:
    named: Mapping[str, Mapping[int, str]] = {}
    if its.link_form and isinstance(value, int) and right != "masked":
        found = labels(reader.session, reader.actor, its.link_form, {value})
        named = {its.key: found}
    return shown(reader, its, value, right, named)


def input_texts(its: Field, value: Any, zone: tzinfo) -> list[str]:
    """A Python value as its input holds it."""
    if value is None:
        return []
    kind = its.type.name
    if its.type.json == "array":
        return [str(key) for key in value]
    if kind == "yesno":
        return ["true" if value else "false"]
    if kind == "percent":
        return [show_plain(Decimal(value).scaleb(2), max(its.scale - 2, 0))]
    if kind in ("number", "money"):
        return [show_plain(value, its.scale) if kind == "number" else f"{value:.{its.scale}f}"]
    if kind == "datetime":
        return [value.astimezone(zone).strftime(INPUT_TIME)]
    return [str(its.give(value))]


def posted(
    form: Form, typed: MultiDict[str, str], rights: Mapping[str, str], zone: tzinfo
) -> dict[str, Any]:
    """What a page sent -> JSON values for the door, of the fields the page let people write.

    What cannot be read goes on as it was typed, so that the door says what is wrong with it.
    """
    values: dict[str, Any] = {}
    for key, its in form.fields.items():
        if rights[key] != "write" or not its.by_people:
            continue
        if its.rows is not None:
            values[key] = posted_rows(its, typed, zone, _json)
            continue
        given = [text.strip() for text in typed.getlist(key) if text.strip()]
        values[key] = _json(its, given, zone) if given else None
    return values


def _json(its: Field, given: list[str], zone: tzinfo) -> Any:
    kind = its.type.name
    if its.type.json == "array":
        return given
    if kind == "yesno":
        return {"true": True, "false": False}.get(given[0], given[0])
    if kind in ("choice", "person", "unit", "link", "longtext"):
        return given[0]
    cell = given[0] + "%" if kind == "percent" and not given[0].endswith("%") else given[0]
    try:
        return its.bring(cell, None, zone)
    except Fault:
        return given[0]


def troubles(reader: Reader, form: Form | None, problems: Sequence[Problem]) -> list[Trouble]:
    """A refusal's problems as the lines of the summary, in the order of the form."""
    found = []
    for problem in problems:
        key, *inner = problem.path.removeprefix("/").split("/")
        its = form.fields.get(key) if form else None
        title = reader.text(its.title) if its else ""
        if its is not None and its.rows is not None and inner:
            title += " " + reader.say("page.rows.row", number=int(inner[0]) + 1)
            if (cell := its.rows.fields.get(inner[-1])) is not None:
                title += " " + reader.text(cell.title)
                key = f"{key}.{inner[0]}.{inner[-1]}"
        words = reader.say(f"problem.{problem.code}", **problem.params)
        found.append(Trouble(words, key if its else "", title))
    order = {its.key: at for at, its in enumerate(form.ordered)} if form else {}
    return sorted(found, key=lambda one: order.get(one.key.split(".")[0], len(order)))


def by_field(found: Sequence[Trouble]) -> dict[str, list[str]]:
    """The same by field, to stand beside each."""
    grouped: dict[str, list[str]] = {}
    for one in found:
        if one.key:
            grouped.setdefault(one.key, []).append(one.words)
    return grouped
