"""Declaring a view: where it is, and what its asker needs.

    @route(area, "/people", needs="people.read")
    def people() -> str: …

needs: `"public"`, `"signed-in"`, or a right (`"reports.read:{key}"` takes `key` from the address).
The application refuses to start while a view declares nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from flask import Blueprint, Flask
from werkzeug.routing import Rule

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC = "public"
SIGNED_IN = "signed-in"


class Undeclared(RuntimeError):
    """A view without a declaration."""


class LateRule(Rule):
    """A rule that compiles how an address is written when one is first written.

    Werkzeug compiles that twice for each rule while the application starts, which was most of a
    start's own time; what a request is matched with is compiled at the start as ever.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = cache(super()._compile_builder)

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build


@dataclass(frozen=True)
class Spec:
    """What OpenAPI says of a view.

    summary: one English sentence. body, answers: JSON Schemas (answers by status).
    body_type, answer_type: their media types.
    query: each parameter's schema by its name; any other is refused unless open_query.
    if_match: whether the view reads that header.
    """

    summary: str = ""
    body: Mapping[str, Any] | None = None
    answers: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    query: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tag: str = ""
    if_match: bool = False
    open_query: bool = False
    body_type: str = "application/json"
    answer_type: str = "application/json"


@dataclass(frozen=True)
class Declaration:
    """What a view declared. led: whether it is there for who has yet to set up a second factor,
    and gets nowhere else."""

    needs: str
    spec: Spec | None = None
    led: bool = False


def route(
    area: Blueprint | Flask,
    rule: str,
    *,
    methods: Sequence[str] = ("GET",),
    needs: str,
    spec: Spec | None = None,
    led: bool = False,
    **options: Any,
) -> Callable[[View], View]:
    """Register a view under an address, with what its asker needs."""

    def decorate(view: View) -> View:
        declare(view, Declaration(needs, spec, led))
        area.add_url_rule(rule, view_func=view, methods=list(methods), **options)
        return view

    return decorate


def declare(view: Callable[..., Any], declaration: Declaration) -> None:
    """Write the declaration on the view; one view cannot declare two needs."""
    known = declaration_of(view)
    if known is not None and known.needs != declaration.needs:
        raise Undeclared(f"{view.__name__}: declared as {known.needs} and {declaration.needs}")
    view.__dict__["careloom"] = declaration


def declaration_of(view: Any) -> Declaration | None:
    """What a view declared, or None."""
    found = getattr(view, "careloom", None)
    return found if isinstance(found, Declaration) else None


def require_declarations(app: Flask) -> None:
    """Raises Undeclared, naming every address whose view declares nothing."""
    bare = sorted(
        f"{rule.rule} ({rule.endpoint})"
        for rule in app.url_map.iter_rules()
        if declaration_of(app.view_functions[rule.endpoint]) is None
    )
    if bare:
        raise Undeclared("No @route(…, needs=…): " + ", ".join(bare))
