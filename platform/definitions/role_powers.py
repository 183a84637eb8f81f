"""What a role gives to whoever holds it."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from ..identity.rules import leading_of, scope_of
from ..store.errors import Phrase
from .form_scope import coming_forms
from .known import known
from .powers import Power
from .role_uses import uses_of_role
from .schema_check import pointer

WRITING = ("create", "change")
SHOWING = {"read", "change"}
EVERY = "*"


def powers_of_role(session: Session, document: Mapping[str, Any]) -> Iterator[Power]:
    """Its rights over the platform, each rule's actions and fields, and what its scopes read: they
    are the clinic's rules, so they read every field."""
    for position, right in enumerate(document.get("rights", ())):
        yield Power("right", pointer("rights", position), right)
    for form, rules in document.get("forms", {}).items():
        for position, rule in enumerate(rules):
            yield from _rule(session, form, rule, pointer("forms", form, position))
    for use in uses_of_role(document, coming_forms(session)):
        if use.field is not None and "/scope/" in use.path:
            field = use.field.partition(".")[0]  # a column has the right of its sub-form
            yield Power("read", use.path, "read", use.key, field, "read", ("if",))


def _rule(session: Session, form: str, rule: Mapping[str, Any], at: str) -> Iterator[Power]:
    into, to = _rows(session, rule)
    for action in rule["actions"]:
        yield Power("may", f"{at}/actions", action, form, into=into, to=to)
    written = [action for action in WRITING if action in rule["actions"]]
    fields, named = _fields(session, form), rule.get("fields", {})
    default = named.get(EVERY, "write" if written else "read")
    for key in dict.fromkeys((*fields, *named)):
        level = named.get(key, default)
        path = f"{at}/fields/{key}" if key in named else f"{at}/fields"
        if level != "hidden" and SHOWING & set(rule["actions"]):
            seen = "masked" if level == "masked" else "read"
            yield Power("see", path, "read", form, key, seen, into, to)
        for action in written if level == "write" else ():
            yield Power("enter", path, action, form, key, "write", into, to)


def _fields(session: Session, form: str) -> list[str]:
    """The form's fields, those that a rule does not name among them."""
    return list((known(session, "form", form) or {}).get("properties", (EVERY,)))


def _rows(session: Session, rule: Mapping[str, Any]) -> tuple[tuple[str, ...], Phrase]:
    """Which records a rule is about: every one, those of a scope, and of these the ones for which
    something holds."""
    scope, text = scope_of(rule)
    led = leading_of(rule)
    rows = Phrase(f"scope.{scope}")
    if led is not None:
        title = (known(session, "form", led["form"]) or {}).get("x-title", led["form"])
        params = {"form": title, "rows": rows, "where": text}
        into = ("rows", "from", led["form"], led["link"], led.get("via", ""), scope, text or "")
        return into, Phrase("scope.from", params)
    if text is not None:
        return ("rows", scope, text), Phrase("scope.where", {"rows": rows, "where": text})
    return ("rows",) if scope == "all" else ("rows", scope), rows
