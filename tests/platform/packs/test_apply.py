"""A pack is applied whole, keeps what was changed here, comes out again, and can be taken back."""

import json
from collections.abc import Iterator

import make
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import careloom.platform.records.kinds  # noqa: F401  registers the platform's kinds
from careloom.platform.definitions.publish import publish_document
from careloom.platform.definitions.published import published, versions
from careloom.platform.events.model import Event
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.packs import bring_in as bringing
from careloom.platform.packs import story as stories
from careloom.platform.packs.apply import apply_pack
from careloom.platform.packs.archive import unzipped
from careloom.platform.packs.bring_in import bring_in
from careloom.platform.packs.installed import as_shipped, export
from careloom.platform.packs.plan import Name, plan
from careloom.platform.packs.read import Pack, pack_of
from careloom.platform.packs.rollback import Taken, last_apply, roll_back
from careloom.platform.packs.story import FAILED, Line, Told
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Conflict, Invalid, Problem

from .parcels import colours, pack, story

COLOUR: Name = ("list", "colour")


def applied(database: Database, one: Pack, take: tuple[Name, ...] = ()) -> dict[str, str]:
    """Apply; what was done to each list."""
    found = database.write(lambda session: apply_pack(session, SYSTEM, one, take))
    return {step.key: step.action for step in found.steps}


def changed_here(database: Database, *names: str, key: str = "colour") -> None:
    document = colours(*names, key=key)
    database.write(lambda session: publish_document(session, SYSTEM, "list", document))


def items(database: Database, key: str = "colour") -> list[str]:
    with database.read() as session:
        return [item["key"] for item in published(session, "list", key).document["items"]]


def back(database: Database) -> Taken:
    return database.write(lambda session: roll_back(session, SYSTEM, "paint"))


def test_what_nobody_changed_is_upgraded_and_told_in_words(database: Database) -> None:
    assert applied(database, pack()) == {"colour": "add"}
    newer = pack("1.1.0", colours("red", "blue"), colours("oak", key="wood"))
    with database.read() as session:
        found = plan(session, newer)
    assert {step.key: step.action for step in found.steps} == {"colour": "upgrade", "wood": "add"}
    (change,) = next(step for step in found.steps if step.key == "colour").changes
    assert (change.act, [part.key for part in change.parts]) == ("added", ["blue"])
    applied(database, newer)
    assert items(database) == ["red", "blue"]
    assert applied(database, newer) == {"colour": "same", "wood": "same"}


def test_what_was_changed_here_is_kept_unless_the_packs_is_taken(database: Database) -> None:
    applied(database, pack())
    changed_here(database, "red", "mine")
    assert applied(database, pack("1.0.1")) == {"colour": "keep"}
    newer = pack("1.1.0", colours("red", "theirs"))
    assert applied(database, newer) == {"colour": "conflict"}
    assert items(database) == ["red", "mine"]
    with database.read() as session:  # what a merge would begin with
        shipped = as_shipped(session, "paint")
    assert shipped is not None and shipped.objects[COLOUR] == colours("red")
    assert applied(database, newer, take=(COLOUR,)) == {"colour": "take"}
    assert items(database) == ["red", "theirs"]


def test_a_definition_of_anothers_is_not_overwritten_unasked(sqlite: Database) -> None:
    changed_here(sqlite, "mine")
    with pytest.raises(Invalid) as refusal:
        applied(sqlite, pack())
    assert [problem.code for problem in refusal.value.problems] == ["E_PACK_TAKEN"]
    assert applied(sqlite, pack(), take=(COLOUR,)) == {"colour": "take"}
    assert items(sqlite) == ["red"]


def test_what_a_pack_no_longer_has_stays_in_force_here(sqlite: Database) -> None:
    applied(sqlite, pack("1.0.0", colours("red"), colours("oak", key="wood")))
    assert applied(sqlite, pack("1.1.0")) == {"colour": "same", "wood": "remove"}
    assert items(sqlite, "wood") == ["oak"]
    back(sqlite)
    with sqlite.read() as session:
        shipped = as_shipped(session, "paint")
    assert shipped is not None and ("list", "wood") in shipped.objects


def test_an_apply_is_taken_back_by_new_versions(database: Database) -> None:
    applied(database, pack("1.0.0", colours("red"), stories__holds=story()))
    applied(database, pack("1.1.0", colours("red", "blue"), colours("oak", key="wood")))
    taken = back(database)
    assert (taken.version, taken.back, taken.kept) == ("1.0.0", [COLOUR], [])
    assert taken.stay == [("list", "wood")]
    assert items(database) == ["red"] and items(database, "wood") == ["oak"]
    with database.read() as session:
        assert [row.version for row in versions(session, "list", "colour")] == [3, 2, 1]
        shipped = as_shipped(session, "paint")
    assert shipped is not None and (shipped.version, list(shipped.stories)) == ("1.0.0", ["holds"])
    again = applied(database, pack("1.1.0", colours("red", "blue"), colours("oak", key="wood")))
    assert again == {"colour": "upgrade", "wood": "same"}


def test_what_was_changed_since_stays_when_an_apply_is_taken_back(sqlite: Database) -> None:
    applied(sqlite, pack())
    applied(sqlite, pack("1.1.0", colours("red", "blue")))
    changed_here(sqlite, "red", "blue", "mine")
    taken = back(sqlite)
    assert (taken.back, taken.kept) == ([], [COLOUR])
    assert items(sqlite) == ["red", "blue", "mine"]


def test_the_first_apply_is_not_taken_back(sqlite: Database) -> None:
    applied(sqlite, pack())
    with pytest.raises(Conflict):
        back(sqlite)


def test_a_pack_comes_out_as_it_went_in_with_what_was_changed_here(database: Database) -> None:
    one = pack("1.0.0", colours("red"), stories__holds=story(), data__some=b"[1]")
    applied(database, one)
    with database.read() as session:
        first, second = (export(session, SYSTEM, "paint") for _ in range(2))
    assert first == second and pack_of(unzipped(first)) == one
    changed_here(database, "red", "mine")
    with database.read() as session:
        out = pack_of(unzipped(export(session, SYSTEM, "paint")))
    assert out.objects[COLOUR] == colours("red", "mine")


def test_a_faulty_definition_keeps_everything_out(sqlite: Database) -> None:
    bad = colours("oak", key="wood")
    bad["items"] = "none"
    with pytest.raises(Invalid) as refusal:
        applied(sqlite, pack("1.0.0", colours("red"), bad))
    assert refusal.value.problems[0].path == "/lists/wood/items"
    with sqlite.read() as session:
        assert as_shipped(session, "paint") is None


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Somebody who plays stories and finds none true."""
    line = Line("one", "late", "task", {}, FAILED, (Problem("/with", "E_STORY_NOT_WITH"),))
    told = [Told("holds", "Holds", (line,), {"one": "One"})]
    monkeypatch.setattr(bringing, "_told", {})
    monkeypatch.setattr(stories, "PLAYERS", [lambda packs, names: told])
    yield


@pytest.mark.usefixtures("failing")
def test_a_pack_that_breaks_its_promises_is_refused_unless_somebody_says_so(
    sqlite: Database,
) -> None:
    one = pack("1.0.0", stories__holds=story())
    with pytest.raises(Conflict) as refusal:
        bring_in(sqlite, SYSTEM, one, unsigned=True)
    assert [problem.path for problem in refusal.value.problems] == ["/stories/holds/one/late/with"]
    with sqlite.read() as session:
        assert as_shipped(session, "paint") is None
    bring_in(sqlite, SYSTEM, one, despite=True, unsigned=True)
    assert items(sqlite) == ["red"]
    with sqlite.read() as session:
        assert _proof(session) == {"passed": 0, "all": 1, "despite": True}


def _proof(session: Session) -> dict[str, object]:
    last = last_apply(session, "paint")
    assert last is not None
    return last.stories


def test_tables_are_changed_last_and_in_the_order_of_their_keys(database: Database) -> None:
    """Who changes a table keeps its writers waiting to the end, and two crosswise for ever. A plan
    tells what rests on what all the same."""
    role = make.role("painter", {"wall": [make.rule("all", "read")]})
    roles = json.dumps({"format": 1, "roles": [role]}).encode()
    walls = {
        f"forms__{key}": json.dumps(make.form(key, {"name": make.field()})).encode()
        for key in ("wall", "brush")
    }
    one = pack("1.0.0", colours("red"), roles=roles, **walls)
    make.organisation(database)
    found = database.write(lambda session: apply_pack(session, SYSTEM, one))
    assert [step.kind for step in found.steps] == ["list", "form", "form", "role"]
    with database.read() as session:
        query = select(Event.subject_kind).where(Event.name == "definition:published")
        told = session.scalars(query.order_by(Event.id)).all()
    assert told == [
        "definition:list:colour",
        "definition:role:painter",
        "definition:form:brush",
        "definition:form:wall",
    ]
