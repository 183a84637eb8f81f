"""What tasks are about: the forms that flows begin with, joined for their records' labels."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, and_
from sqlalchemy.orm import Session

from ...platform.definitions.published import entries, published
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import Access, access
from ...platform.records.shape import Shape, shape_of
from ...platform.records.visible import readable, visible
from ...platform.store.errors import NotFound, NotUnderstood
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

    def seen(self) -> ColumnElement[bool]:
        """Whether there is such a record that the actor may read."""
        return and_(self.table.c._id.is_not(None), self.asked.rows("read", self.table))

    def columns(self) -> list[ColumnElement[Any]]:
        """The label as far as the actor may know it, and how far that is."""
        key, label = self.shape.form.key, self.shape.form.label
        found: list[ColumnElement[Any]] = [self.seen().label(f"{key}_seen")]
        if label is not None:
            text = visible(self.asked, self.shape, label, self.table, least="masked")
            whole = readable(self.asked, self.shape, label, self.table)
            found += [text.label(f"{key}_label"), whole.label(f"{key}_whole")]
        return found

    def label(self, row: Row[Any]) -> str | None:
        """What the record is called, as far as the actor may know; None when they may not read."""
        key = self.shape.form.key
        values = row._mapping
        if not values[f"{key}_seen"]:
            return None
        name = self.shape.form.label
        text = values[f"{key}_label"] if name is not None else None
        if name is None or text is None:
            return ""
        return str(text) if values[f"{key}_whole"] else self.shape.form.fields[name].mask(text)


def subjects(session: Session, actor: Actor) -> dict[str, Subject]:
    """Each form that a flow in force is about, by key."""
    found: dict[str, Subject] = {}
    for key in kept(session, "task subjects", lambda: _forms(session)):
        try:
            shape = shape_of(session, key)
        except (NotFound, NotUnderstood):
            continue
        table = shape.table.alias(f"about_{key}")
        found[key] = Subject(shape, table, access(session, actor, key))
    return found


def _forms(session: Session) -> list[str]:
    flows = (published(session, "flow", entry.key) for entry in entries(session, "flow"))
    found = (flow.document.get("subject") for flow in flows)
    return sorted({key for key in found if isinstance(key, str)})
