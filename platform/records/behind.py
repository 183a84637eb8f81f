"""The records behind a number that another room counted, as the list of records asks for them.

An address says `of=ROOM:KEY`, and more in arguments that begin with `of.`; the room of that name
answers with the conditions it counted by, so the list is of those records and of no others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from ..identity.actor import Actor
from ..store.errors import NotFound

NAME = "of"
PREFIX = "of."


@dataclass(frozen=True)
class Behind:
    """conditions: over the form's table, in the asker's own eyes. words: which number it is."""

    form: str
    conditions: tuple[ColumnElement[bool], ...]
    words: str


#: (session, actor, key, further arguments without their prefix, language) -> what is meant.
#: Raises NotFound, NotAllowed, Malformed.
Tell = Callable[[Session, Actor, str, Mapping[str, str], str], Behind]

#: Room -> how it answers.
ROOMS: dict[str, Tell] = {}


def arguments_of(arguments: Mapping[str, str]) -> dict[str, str]:
    """Those of an address's arguments that say which number is meant; none when there is none."""
    if not arguments.get(NAME):
        return {}
    return {
        key: value[:200]
        for key, value in arguments.items()
        if key == NAME or key.startswith(PREFIX)
    }


def behind(
    session: Session, actor: Actor, form_key: str, arguments: Mapping[str, str], language: str
) -> Behind | None:
    """What the arguments mean; None when they name no number.

    Raises NotFound when there is no such number, or it counts another form's records.
    """
    if NAME not in arguments:
        return None
    room, _, key = arguments[NAME].partition(":")
    tell = ROOMS.get(room)
    if tell is None:
        raise NotFound()
    more = {name.removeprefix(PREFIX): value for name, value in arguments.items() if name != NAME}
    found = tell(session, actor, key, more, language)
    if found.form != form_key:
        raise NotFound()
    return found
