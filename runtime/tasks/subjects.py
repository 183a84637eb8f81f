"""What tasks are about: the forms that flows begin with, joined for their records' labels."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, and_
from sqlalchemy.orm import Session

from ...platform.definitions.published import entries, published
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import Access, access
from ...platform.records.shape import Shape, shape_of
from ...platform.store.errors import NotFound
from ...platform.store.kept import kept
from .model import tasks


@dataclass(frozen=True)
class Subject:
    """One form that tasks are about, its table under a name of its own, and what the actor may."""

    shape: Shape
    table: FromClause
    asked: Access

    def joins(self) -> ColumnElement[bool]:
        """The row of a task's record, when the task is about this form."""
        return and_(
            tasks.c.subject_form == self.shape.form.key, tasks.c.subject_id == self.table.c._id
        )

    def columns(self) -> list[ColumnElement[Any]]:
        """What the label and its right are worked out from."""
        key = self.shape.form.key
        found: list[ColumnElement[Any]] = [
            self.table.c._owner.label(f"{key}_owner"),
            self.table.c._unit.label(f"{key}_unit"),
        ]
        if self.shape.form.label is not None:
            found.append(self.table.c[self.shape.form.label].label(f"{key}_label"))
        return found

    def label(self, row: Row[Any]) -> str | None:
        """What the record is called, as far as the actor may know; None when they may not read."""
        key = self.shape.form.key
        values = row._mapping
        owner, unit = values[f"{key}_owner"], values[f"{key}_unit"]
        if unit is None or not self.asked.may_with("read", owner, unit):
            return None
        name = self.shape.form.label
        text = values[f"{key}_label"] if name is not None else None
        if name is None or text is None:
            return ""
        right = self.asked.rights_with(owner, unit, [name])[name]
        if right == "hidden":
            return ""
        return self.shape.form.fields[name].mask(text) if right == "masked" else str(text)


def subjects(session: Session, actor: Actor) -> dict[str, Subject]:
    """Each form that a flow in force is about, by key."""
    found: dict[str, Subject] = {}
    for key in kept(session, "task subjects", lambda: _forms(session)):
        try:
            shape = shape_of(session, key)
        except NotFound:
            continue
        table = shape.table.alias(f"about_{key}")
        found[key] = Subject(shape, table, access(session, actor, key))
    return found


def _forms(session: Session) -> list[str]:
    flows = (published(session, "flow", entry.key) for entry in entries(session, "flow"))
    return sorted({flow.document["subject"] for flow in flows})
