"""What a definition lets happen that nobody's own rights stand behind, and who may let it happen.

A flow acts as the house: it reads, writes and tells whatever its steps say. A role gives what it
says to whoever holds it. Everything else is read, counted, shown and printed in its reader's eyes.
Whoever publishes may therefore add only what they could do themselves with every record; what the
version in force does already asks nobody for a right anew.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from ..identity.actor import Actor
from ..identity.everywhere import may_everywhere, right_everywhere
from ..identity.rules import RIGHTS
from ..store.errors import NotFound, Phrase, Problem, Refusal
from .kinds import KINDS
from .known import known
from .published import published
from .understood import MISREAD

Document = Mapping[str, Any]


class Power(NamedTuple):
    """One thing that a definition lets happen. path: where, as JSON pointer.

    does: what, as the words know it (`power.<does>`). needs: what whoever publishes it could do: an
    action with every record of `form`, and `level` (masked, read, write) on its `field`; without a
    form, a right over the platform, held everywhere. into: where it goes, or for which
    records it holds; what begins with another's lies within it. to: the same for people to read.
    """

    does: str
    path: str
    needs: str
    form: str = ""
    field: str = ""
    level: str = ""
    into: tuple[str, ...] = ()
    to: Any = ""

    def within(self, other: "Power") -> bool:
        """Whether the other lets at least this much happen."""
        return (
            (self.does, self.needs, self.form, self.field)
            == (other.does, other.needs, other.form, other.field)
            and _height(self.level) <= _height(other.level)
            and self.into[: len(other.into)] == other.into
        )

    def under(self, head: "Power") -> bool:
        """Whether it is said with another: a field of records which a step makes as a whole."""
        above = head.path.rpartition("/")[0] + "/"
        same = (self.form, self.needs) == (head.form, head.needs)
        return same and bool(self.field) and not head.field and self.path.startswith(above)


def _height(level: str) -> int:
    return RIGHTS.index(level) if level else 0


def new_powers(session: Session, kind: str, document: Document) -> list[Power]:
    """What a document lets happen beyond its version in force, in the order of its places. The
    document has the shape its kind asks for, and names what is there or comes in the same pack."""
    its = KINDS[kind].powers
    if its is None:
        return []
    before: list[Power] = []
    try:
        before = list(its(session, published(session, kind, document["key"]).document))
    except (NotFound, Refusal, *MISREAD):  # nothing is in force that could be read
        pass
    found: dict[tuple[Any, ...], Power] = {}
    for power in its(session, document):
        if not any(power.within(other) for other in before):
            found.setdefault(power[:-1], power)
    return list(found.values())


def beyond(session: Session, actor: Actor, kind: str, document: Document) -> list[Problem]:
    """What a document adds that the actor could not do: a problem for each, at its place."""
    if actor.is_system:
        return []
    new = new_powers(session, kind, document)
    lacking = [power for power in new if not _may(session, actor, power)]
    return [
        Problem(power.path, "E_BEYOND_PUBLISHER", {"does": said(session, [power])})
        for power in _heads(lacking)
    ]


def _may(session: Session, actor: Actor, power: Power) -> bool:
    if not power.form:
        return right_everywhere(session, actor, power.needs)
    return may_everywhere(session, actor, power.form, power.needs, power.field, power.level)


def _heads(powers: list[Power]) -> list[Power]:
    heads = [power for power in powers if not power.field]
    return [power for power in powers if not any(power.under(head) for head in heads)]


def told(session: Session, powers: Iterable[Power]) -> list[Phrase]:
    """Powers in words: those that differ in nothing but their fields, or actions, in one phrase;
    no fields of records that are read, made or changed as a whole."""
    groups: dict[tuple[Any, ...], list[Power]] = {}
    listed = list(powers)
    whole = {(power.form, power.needs) for power in listed if not power.field}
    for power in listed:
        if power.field and (power.form, power.needs) in whole:
            continue
        where = () if power.does in ANYWHERE else power.into
        groups.setdefault((power.does, power.form, power.level, where), []).append(power)
    return [said(session, group) for group in groups.values()]


#: of these it does not matter to a reader into what they go
ANYWHERE = ("read", "right")


def said(session: Session, powers: list[Power]) -> Phrase:
    """Powers that differ in nothing but their fields, or in what they need, as one phrase."""
    first = powers[0]
    form = known(session, "form", first.form) if first.form else None
    titles = (form or {}).get("properties", {})
    needs = dict.fromkeys(power.needs for power in powers)
    fields = dict.fromkeys(power.field for power in powers if power.field)
    params = {
        "form": (form or {}).get("x-title", first.form),
        "fields": tuple(titles.get(key, {}).get("x-title", key) for key in fields),
        "to": first.to,
        "rights": tuple(needs),
        "actions": tuple(Phrase(f"action.{action}") for action in needs),
        "level": Phrase(f"field_right.{first.level}"),
    }
    return Phrase(f"power.{first.does}", params)
