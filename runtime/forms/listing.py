"""A form's records as one address asks for them: what board, calendar and table begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from flask import request
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from ...platform.definitions.fields import Field
from ...platform.definitions.form import Form
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import Access, access
from ...platform.records.behind import Behind, behind
from ...platform.records.lists import Page, list_records
from ...platform.records.narrow import Condition, narrowed
from ...platform.records.shape import Shape, shape_of
from .asked import NO_VIEW, Asked, asked_of, restored
from .show import Reader
from .table import listed
from .views import View, first_view, views_of


@dataclass(frozen=True)
class Listing:
    """Who asks, about which form, and for what."""

    reader: Reader
    shape: Shape
    asked: Access
    wanted: Asked
    views: list[View]
    number: Behind | None

    @property
    def form(self) -> Form:
        return self.shape.form

    @property
    def url(self) -> str:
        return f"/records/{self.form.key}"

    @cached_property
    def fields(self) -> list[Field]:
        """The columns."""
        return listed(self.form, self.asked, self.wanted.columns)

    def clauses(self, *more: Condition) -> list[ColumnElement[bool]]:
        """What the filters come to, and further conditions."""
        reader, asks = self.reader, (*self.wanted.conditions, *more)
        found = narrowed(reader.session, reader.actor, self.asked, self.shape, asks)
        return [*found, *(self.number.conditions if self.number else ())]

    def page(self, limit: int, *more: Condition, **how: Any) -> Page:
        """Some of its records. Raises Malformed and Invalid for what is asked wrongly."""
        wanted = self.wanted
        return list_records(
            self.reader.session,
            self.reader.actor,
            self.form.key,
            where=wanted.formula or None,
            search=wanted.search,
            limit=limit,
            extra=self.clauses(*more),
            **{"sort": [wanted.sort] if wanted.sort else [], **how},
        )


def listing(session: Session, actor: Actor, reader: Reader, form_key: str) -> Listing:
    """What this request asks for. Raises NotFound, NotAllowed."""
    shape = shape_of(session, form_key)
    asked = access(session, actor, form_key)
    asked.need("read")
    views = views_of(session, actor, form_key)
    wanted = _wanted(shape.form, views)
    number = behind(session, actor, form_key, wanted.behind, reader.language)
    return Listing(reader, shape, asked, wanted, views, number)


def _wanted(form: Form, views: Sequence[View]) -> Asked:
    """The address; where it names a view and nothing else, or nothing, what that view asks for."""
    wanted = asked_of(form, request.args)
    if set(request.args) - {"view", "file"}:
        return wanted
    if not wanted.view:
        view = first_view(list(views))
    else:
        view = next((each for each in views if each.key == wanted.view), None)
    if view is None:
        return replace(wanted, view=NO_VIEW if wanted.view else "")
    return restored(form, view.document, view.key)
