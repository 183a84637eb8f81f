"""Roles: what their people may do with each form's records, and their platform rights."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from ..identity.forms import forms
from ..identity.roles import save_role
from ..identity.rules import leading_of, scope_of
from ..store.errors import Problem
from .kinds import Document, Kind, Publishing
from .known import known
from .role_powers import powers_of_role
from .role_uses import uses_of_role
from .schema_check import At, missing, pointer, schema, twice

WRITING = frozenset({"create", "change"})


def check_role(session: Session, document: Document) -> list[Problem]:
    """Rules name fields there are, promise no writing that no action allows, and are scoped by
    expressions that both databases can answer.

    A form that is not there yet is no problem: a role may speak of forms that another pack brings,
    and grants nothing until then.
    """
    found: list[Problem] = []
    for form, rules in document.get("forms", {}).items():
        at: At = ("forms", form)
        target = known(session, "form", form)
        for position, key in twice(rule["key"] for rule in rules):
            found.append(Problem(pointer(*at, position, "key"), "E_KEY_TWICE", {"name": key}))
        for position, rule in enumerate(rules):
            found += _rule(rule, target, (*at, position))
            found += _scope(session, form, rule, (*at, position))
    return found


def _rule(rule: Document, target: Mapping[str, Any] | None, at: At) -> Iterator[Problem]:
    fields = target["properties"] if target else {}
    for name, right in rule.get("fields", {}).items():
        path = pointer(*at, "fields", name)
        if fields and name != "*" and name not in fields:
            yield Problem(path, "E_NO_FIELD", missing(name, fields))
        elif right == "write" and not WRITING & set(rule["actions"]):
            yield Problem(path, "E_RIGHT_IDLE", {"name": name})


def _scope(session: Session, form: str, rule: Document, at: At) -> Iterator[Problem]:
    _, text = scope_of(rule)
    led = leading_of(rule)
    if led is not None:
        yield from _leading(session, form, rule, at)
    about = form if led is None else led["form"]
    problem = None if text is None else forms().refused(session, about, text)
    if problem is not None:
        yield replace(problem, path=pointer(*at, "scope", "where"))


def _leading(session: Session, form: str, rule: Document, at: At) -> Iterator[Problem]:
    """The leading form links to this one, or to what a field of this one links to as well."""
    led = leading_of(rule) or {}
    leads_to = _target(session, led["form"], led["link"])
    if leads_to is None:
        yield Problem(pointer(*at, "scope", "from", "link"), "E_NO_LINK", {"name": led["link"]})
        return
    via = led.get("via")
    meant = form if via is None else _target(session, form, via)
    if leads_to and meant != leads_to:
        place = "link" if via is None else "via"
        yield Problem(pointer(*at, "scope", "from", place), "E_LEADS_ELSEWHERE", {"form": leads_to})
    if via is None and {"create", "import"} & set(rule["actions"]):
        yield Problem(pointer(*at, "actions"), "E_LEADS_TO_NONE")


def _target(session: Session, form: str, field: str) -> str | None:
    """The form a link leads to; empty when the form is yet to come, None when it is no link."""
    document: Mapping[str, Any] | None = known(session, "form", form)
    if document is None:
        return ""
    options = document["properties"].get(field, {}).get("x-options", {})
    target: str | None = options.get("form")
    return target


def put_in_force(session: Session, publishing: Publishing) -> list[Problem]:
    """The effect of publishing a role: permissions read it from the next request on."""
    save_role(session, publishing.document, publishing.version)
    return []


ROLE = Kind(
    "role",
    schema("role"),
    check_role,
    put_in_force,
    order=60,
    uses=uses_of_role,
    powers=powers_of_role,
)
