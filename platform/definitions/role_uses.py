"""What a role names: forms, fields, and what it may read of other kinds."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..identity.rules import leading_of, scope_of
from .form_scope import Resolve
from .form_scope import scope_of as form_scope
from .kinds import Use
from .named import uses_of_formula
from .schema_check import pointer


def uses_of_role(document: Mapping[str, Any], resolve: Resolve) -> Iterator[Use]:
    """The forms it speaks of, the fields it names or whose values its scopes ask about, and the
    reports and flows it may read."""
    for position, right in enumerate(document.get("rights", ())):
        what, _, key = right.partition(":")
        if key and key != "*":
            kind = what.partition(".")[0].removesuffix("s")
            yield Use(kind, key, None, pointer("rights", position))
    for form, rules in document.get("forms", {}).items():
        if form != "*":
            yield Use("form", form, None, pointer("forms", form))
        for position, rule in enumerate(rules):
            at = ("forms", form, position)
            for name in rule.get("fields", {}):
                if name != "*":
                    yield Use("form", form, name, pointer(*at, "fields", name))
            _, text = scope_of(rule)
            led = leading_of(rule)
            about = form if led is None else led["form"]
            if led is not None:
                yield Use("form", about, led["link"], pointer(*at, "scope", "from", "link"))
                if "via" in led:
                    yield Use("form", form, led["via"], pointer(*at, "scope", "from", "via"))
            target = resolve(about)
            if text is not None and target is not None:
                path = pointer(*at, "scope", "where")
                yield from uses_of_formula(text, path, form_scope(target, resolve), about, resolve)
