"""What became of a record, in words, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...platform.identity.model import Person
from ...platform.records.past import history
from ...platform.records.record import Record
from ...platform.web.context import local
from .show import Reader

MOST_NAMED = 4


@dataclass(frozen=True)
class Line:
    """One line of a trail. state: empty, `open` or `bad`."""

    words: str
    at: str
    detail: str = ""
    url: str = ""
    state: str = ""


def story(reader: Reader, record: Record, most: int = 30) -> list[Line]:
    """A record's history as far as its reader may see its fields."""
    revisions = history(reader.session, reader.actor, record.form.key, record.id)[:most]
    names = names_of(reader.session, {each.by for each in revisions})
    newest = revisions[0].revision if revisions else 0
    base = f"/records/{record.form.key}/{record.id}"
    lines = []
    for each in revisions:
        if each.action in ("submit", "create", "import"):
            words = reader.say("page.record.created_by")
        elif each.action in ("retire", "restore"):
            words = reader.say(f"page.record.{each.action}d_by")
        else:
            titles = [reader.text(record.form.fields[key].title) for key in each.changed]
            if not titles:
                continue  # only what the reader may not see was changed
            more = "…" if len(titles) > MOST_NAMED else ""
            named = reader.say("page.comma").join(titles[:MOST_NAMED]) + more
            how = "recomputed" if each.action == "recompute" else "changed"
            words = reader.say(f"page.record.{how}", fields=named)
        who = names.get(each.by) or reader.say("page.record.by_flow")
        url = "" if each.revision == newest else f"{base}?revision={each.revision}"
        lines.append(Line(words, moment_words(each.at), who, url))
    return lines


def moment_words(at: datetime) -> str:
    """An instant on the asker's clock."""
    return local(at)


def names_of(session: Session, people: Iterable[int | None]) -> dict[int | None, str]:
    """The names of some people."""
    wanted = [person for person in people if person is not None]
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(wanted)))
    return {person: name for person, name in rows}
