"""What is to be taken out of a form: which records, in which order, as which kind of file.

It is kept with what is asked, and the file is made of what was kept: a yes is for this question and
for no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from ..events.view_log import watching
from ..identity.actor import Actor
from ..identity.permissions import access
from ..records.behind import behind
from ..records.lists import list_records
from ..records.narrow import Condition, narrowed
from ..records.shape import shape_of
from ..store.errors import Conflict


@dataclass(frozen=True)
class Question:
    """kind: csv or xlsx. where: an expression. search: as in the list. conditions: as people
    choose them. behind: which number of another room is meant, see `records/behind`."""

    form: str
    kind: str
    where: str = ""
    sort: tuple[str, ...] = ()
    search: str = ""
    conditions: tuple[Condition, ...] = ()
    behind: Mapping[str, str] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """As JSON, without form and kind."""
        return {
            "where": self.where,
            "sort": list(self.sort),
            "search": self.search,
            "conditions": [[c.field, c.operator, list(c.values)] for c in self.conditions],
            "behind": dict(self.behind),
        }

    def clauses(self, session: Session, actor: Actor) -> list[ColumnElement[bool]]:
        """The conditions, in the actor's eyes. Raises Conflict where the form has lost a field."""
        shape = shape_of(session, self.form)
        if any(each.field not in shape.form.fields for each in self.conditions):
            raise Conflict("E_EXPORT_CHANGED")
        asked = access(session, actor, self.form)
        found = narrowed(session, actor, asked, shape, self.conditions)
        number = behind(session, actor, self.form, self.behind, actor.language)
        return [*found, *(number.conditions if number else ())]

    def count(self, session: Session, actor: Actor) -> int:
        """How many records it finds that the actor may take out. Shows none of them.

        Raises NotAllowed, Malformed and Invalid as the list does.
        """
        asked = access(session, actor, self.form)
        asked.need("export")
        with watching():
            page = list_records(
                session,
                actor,
                self.form,
                where=self.where or None,
                sort=self.sort,
                search=self.search,
                limit=1,
                count=True,
                extra=[
                    asked.rows("export", shape_of(session, self.form).table),
                    *self.clauses(session, actor),
                ],
            )
        return page.total or 0


def kept_question(form: str, kind: str, stored: Mapping[str, Any]) -> Question:
    """The question that was kept."""
    return Question(
        form,
        kind,
        stored["where"],
        tuple(stored["sort"]),
        stored["search"],
        tuple(
            Condition(key, operator, tuple(given)) for key, operator, given in stored["conditions"]
        ),
        stored["behind"],
    )
