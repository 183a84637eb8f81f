"""A role in words: its rights over the platform, and what its people may do with each form's
records. Shared by the pages of roles, the page that explains, and the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ..definitions.form import Form
from ..definitions.form_scope import readable_form
from ..identity.permissions import Reason
from ..identity.roles import role_document
from ..identity.rules import ACTIONS, RIGHTS, leading_of, scope_of
from ..identity.tree import tree
from .titles import title_of
from .words import say, say_or, text


@dataclass(frozen=True)
class RuleWords:
    """One rule in words. fields: one line for each right that some fields have."""

    key: str
    actions: str
    rows: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class FormWords:
    """What a role may do with one form's records. title: of the form, or its key without one."""

    key: str
    title: str
    rules: tuple[RuleWords, ...]


def role_title(session: Session, key: str, tongue: str) -> str:
    """What a role is called; its key when it is not there any more."""
    return text((role_document(session, key) or {}).get("title"), tongue) or key


def unit_title(session: Session, unit_id: int | None, tongue: str) -> str:
    """What a unit is called."""
    place = tree(session).places.get(unit_id) if unit_id is not None else None
    return text(place.title, tongue) if place else ""


def right_words(session: Session, right: str, tongue: str) -> str:
    """A right over the platform, `reports.read:leads` with what it is about by its title."""
    name, _, what = right.partition(":")
    words = say_or(tongue, f"right.{name}", name)
    if not what:
        return words
    kind = name.partition(".")[0].removesuffix("s")
    about = say(tongue, "right.every") if what == "*" else title_of(session, kind, what, tongue)
    return words + say(tongue, "page.colon") + about


def forms_words(session: Session, document: Mapping[str, Any], tongue: str) -> list[FormWords]:
    """What a role may do with each form's records."""
    return [
        _form_words(session, key, rules, tongue)
        for key, rules in sorted(document.get("forms", {}).items())
    ]


def _form_words(
    session: Session, key: str, rules: Sequence[Mapping[str, Any]], tongue: str
) -> FormWords:
    form = readable_form(session, key)
    lines = tuple(
        RuleWords(
            rule["key"],
            actions_words(rule["actions"], tongue),
            rows_words(session, *scope_of(rule), (leading_of(rule) or {}).get("form"), tongue),
            tuple(fields_words(form, rule.get("fields", {}), tongue)),
        )
        for rule in rules
    )
    return FormWords(key, text(form.title, tongue) if form else key, lines)


def actions_words(actions: Iterable[str], tongue: str) -> str:
    """Read, create, …: in the order in which they are always said."""
    named = [say(tongue, f"action.{each}") for each in ACTIONS if each in set(actions)]
    return say(tongue, "page.comma").join(named)


def rows_words(
    session: Session, scope: str, where: str | None, leading: str | None, tongue: str
) -> str:
    """Which rows a scope reaches; with `leading`, those to which that form's records lead."""
    rows = say(tongue, f"scope.{scope}")
    if where is None:
        return rows
    if leading is None:
        return say(tongue, "scope.where", rows=rows, where=where)
    known = readable_form(session, leading)
    title = leading if known is None else known.title
    return say(tongue, "scope.from", form=text(title, tongue), rows=rows, where=where)


def fields_words(form: Form | None, fields: Mapping[str, str], tongue: str) -> Iterable[str]:
    """The fields under each right, the least first: `Partly hidden: mobile, name`."""
    for right in RIGHTS:
        named = [field_title(form, key, tongue) for key, its in fields.items() if its == right]
        if named:
            words, colon = say(tongue, f"field_right.{right}"), say(tongue, "page.colon")
            yield words + colon + say(tongue, "page.comma").join(named)


def field_title(form: Form | None, key: str, tongue: str) -> str:
    """What a field is called; `*` is all the others."""
    if key == "*":
        return say(tongue, "field_right.others")
    known = form.fields.get(key) if form is not None else None
    return text(known.title, tongue) if known else key


def reason_words(session: Session, reason: Reason, tongue: str) -> str:
    """Why one rule does or does not let somebody do something with a record, as a sentence."""
    return say(
        tongue,
        "why.covers" if reason.covers else "why.covers_not",
        role=role_title(session, reason.role, tongue),
        unit=unit_title(session, reason.unit_id, tongue),
        actions=actions_words(reason.actions, tongue),
        rows=rows_words(session, reason.scope, reason.where, reason.leading, tongue),
    )


def verdict_words(name: str, label: str, may: Sequence[str], tongue: str) -> str:
    """What somebody may do with a record, as a sentence."""
    if not may:
        return say(tongue, "why.nothing", name=name, label=label)
    return say(tongue, "why.may", name=name, label=label, actions=actions_words(may, tongue))
