"""An encrypted field is ciphertext in the file, in history and backups; only equality is asked."""

import os
from pathlib import Path
from typing import Any

import make
import pytest
from sqlalchemy import text

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records import new_key
from careloom.platform.records.check import violations
from careloom.platform.records.lists import get, list_records
from careloom.platform.records.past import history
from careloom.platform.records.submit import change
from careloom.platform.store import jobs
from careloom.platform.store.database import Database
from careloom.platform.store.encrypted import Keyring, Unreadable, keyring
from careloom.platform.store.errors import Invalid, Malformed, Refusal

NUMBER, OTHER = "110101199003070038", "110101199003070054"
PERSON = make.form(
    "someone",
    {
        "name": make.field(),
        "id_no": make.field("id_card", x_column={"unique": True}),
        "note": make.field(x_encrypted=True),
    },
    x_label="name",
)


@pytest.fixture(autouse=True)
def someone(database: Database) -> None:
    make.organisation(database)
    make.publish(database, "form", PERSON)


def everything_kept(database: Database) -> str:
    with database.read() as session:
        rows: list[Any] = []
        for table in ("form_someone", "record_history", "event"):
            rows += session.execute(text(f"SELECT * FROM {table}")).all()
    return str(rows)


def test_no_table_holds_the_plain_text(database: Database) -> None:
    made = make.record(database, "someone", name="Wang", id_no=NUMBER, note="allergic")
    database.write(lambda s: change(s, SYSTEM, "someone", made.id, {"note": "afraid"}))
    kept = everything_kept(database)
    assert NUMBER not in kept and "allergic" not in kept and "afraid" not in kept
    with database.read() as session:
        record = get(session, SYSTEM, "someone", made.id)
        newest = history(session, SYSTEM, "someone", made.id)[0]
    assert record.json() == {"name": "Wang", "id_no": NUMBER, "note": "afraid"}
    assert newest.changed == {"note": ("allergic", "afraid")}


def test_the_same_text_is_kept_differently_each_time(database: Database) -> None:
    for name in ("a", "b"):
        make.record(database, "someone", name=name, note="same")
    with database.read() as session:
        notes = session.scalars(text("SELECT note FROM form_someone")).all()
        blinds = session.scalars(text("SELECT _blind_note FROM form_someone")).all()
    assert len(set(notes)) == 2
    assert len(set(blinds)) == 1


def test_uniqueness_and_search_ask_the_blind_index(database: Database) -> None:
    make.record(database, "someone", name="Wang", id_no=NUMBER)
    with pytest.raises(Invalid) as refusal:
        make.record(database, "someone", name="Li", id_no=NUMBER)
    assert [problem.code for problem in refusal.value.problems] == ["E_UNIQUE"]
    make.record(database, "someone", name="Li", id_no=OTHER)
    with database.read() as session:
        found = list_records(session, SYSTEM, "someone", search=OTHER)
    assert [record.values["name"] for record in found.items] == ["Li"]


def test_who_sees_it_masked_cannot_search_for_it(database: Database) -> None:
    rules = [make.rule("branch", "read", id_no="masked")]
    make.publish(database, "role", make.role("desk", {"someone": rules}))
    desk = make.person(database, "desk", "B1", "desk")
    make.record(database, "someone", name="Wang", id_no=NUMBER)
    with database.read() as session:
        assert list_records(session, desk, "someone", search=NUMBER).items == []
        shown = list_records(session, desk, "someone").items[0].json()["id_no"]
    assert NUMBER not in shown and shown.endswith("8")


@pytest.mark.parametrize("where", [f'id_no = "{NUMBER}"', 'note > "a"', 'CONTAINS(note, "a")'])
def test_no_formula_is_asked_of_ciphertext(database: Database, where: str) -> None:
    with pytest.raises(Invalid) as refusal, database.read() as session:
        list_records(session, SYSTEM, "someone", where=where)
    assert [problem.code for problem in refusal.value.problems] == ["E_NOT_SQL"]


def test_it_cannot_be_sorted_by(database: Database) -> None:
    with pytest.raises(Malformed, match="E_SORT"), database.read() as session:
        list_records(session, SYSTEM, "someone", sort=["note"])


def test_what_an_older_key_wrote_stays_readable(database: Database) -> None:
    old = make.record(database, "someone", name="a", note="old")
    number = keyring(database.home).rotate()
    new = make.record(database, "someone", name="b", note="new")
    with database.read() as session:
        kept = session.scalars(text("SELECT note FROM form_someone ORDER BY _id")).all()
        assert [get(session, SYSTEM, "someone", r.id).values["note"] for r in (old, new)] == [
            "old",
            "new",
        ]
    assert [int(each.split(":")[0]) for each in kept] == [number - 1, number]


def test_a_ciphertext_moved_or_altered_does_not_open(tmp_path: Path) -> None:
    keys = Keyring(tmp_path)
    kept = keys.encrypt("a.x", "secret")
    assert keys.decrypt("a.x", kept) == "secret"
    for column, text_ in (
        ("a.y", kept),
        ("a.x", kept[:-2] + ("AA" if kept[-2:] != "AA" else "BB")),
        ("a.x", "9" + kept),
        ("a.x", ""),
    ):
        with pytest.raises(Unreadable):
            keys.decrypt(column, text_)


def test_the_blind_index_says_nothing_without_its_key(tmp_path: Path) -> None:
    """An ID number has few possible values: whoever could compute entries could try them all."""
    keys, others = Keyring(tmp_path / "a"), Keyring(tmp_path / "b")
    assert keys.blind("a.x", NUMBER) == Keyring(tmp_path / "a").blind("a.x", NUMBER)
    assert len({ring.blind("a.x", NUMBER) for ring in (keys, others)}) == 2
    assert keys.blind("a.x", NUMBER) != keys.blind("a.y", NUMBER)


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    Keyring(tmp_path).encrypt("a.x", "secret")
    Keyring(tmp_path).blind("a.x", "secret")
    modes = {
        path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "keys/fields").iterdir()
    }
    assert modes == {"1.key": 0o600, "blind.key": 0o600}
    assert os.stat(tmp_path / "keys" / "fields").st_mode & 0o077 == 0


def rotated(database: Database) -> int:
    """A new key, and everything written anew by it."""
    number = keyring(database.home).rotate()
    database.write(lambda session: new_key.ask_for(session, SYSTEM, number))
    jobs.run(database)
    with database.read() as session:
        assert jobs.waiting(session) == []
    return number


def test_a_new_key_writes_everything_anew_and_the_old_one_may_go(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_key, "AT_ONCE", 2)
    made = [make.record(database, "someone", name=str(n), note=f"n{n}") for n in range(3)]
    first = make.record(database, "someone", name="a", id_no=NUMBER, note="before")
    database.write(lambda s: change(s, SYSTEM, "someone", first.id, {"note": None, "name": "b"}))
    without = {key: its for key, its in PERSON["properties"].items() if key != "note"}
    make.publish(database, "form", make.form("someone", without, x_label="name"))
    keys = keyring(database.home)
    for refused in ({"number": 1}, {"number": 7}):
        with pytest.raises(Refusal, match="E_KEY_NEWEST|E_NO_KEY"):
            database.write(lambda s, no=refused["number"]: new_key.drop(s, SYSTEM, no))  # type: ignore[misc]
    number = rotated(database)
    assert '"1:' not in everything_kept(database) and "'1:" not in everything_kept(database)
    database.write(lambda session: new_key.drop(session, SYSTEM, 1)).drop(1)
    assert keys.numbers() == [number] and keys.is_settled()
    make.publish(database, "form", PERSON)  # a column that was retired meanwhile comes back
    with database.read() as session:
        notes = [get(session, SYSTEM, "someone", each.id).json()["note"] for each in made]
        assert notes == ["n0", "n1", "n2"]
        assert list_records(session, SYSTEM, "someone", search=NUMBER).items[0].id == first.id
        lines = history(session, SYSTEM, "someone", first.id)
        assert lines[0].changed == {"name": ("a", "b"), "note": ("before", None)}
        assert list(violations(session)) == []


def test_while_a_new_key_comes_in_old_and_new_are_found_and_unique(database: Database) -> None:
    old = make.record(database, "someone", name="a", id_no=NUMBER)
    keyring(database.home).rotate()
    new = make.record(database, "someone", name="b", id_no=OTHER)
    with pytest.raises(Invalid) as refusal:
        make.record(database, "someone", name="c", id_no=NUMBER)
    assert [problem.code for problem in refusal.value.problems] == ["E_UNIQUE"]
    with database.read() as session:
        for number, record in ((NUMBER, old), (OTHER, new)):
            found = list_records(session, SYSTEM, "someone", search=number).items
            assert [each.id for each in found] == [record.id]


def test_a_key_in_use_is_not_dropped(database: Database) -> None:
    make.record(database, "someone", name="a", note="old")
    number = keyring(database.home).rotate()
    with pytest.raises(Refusal, match="E_KEY_IN_USE"):
        database.write(lambda session: new_key.drop(session, SYSTEM, 1))
    assert keyring(database.home).numbers() == [1, number]


def test_another_process_sees_a_new_key_at_once(tmp_path: Path) -> None:
    ours, theirs = Keyring(tmp_path), Keyring(tmp_path)
    kept, entry = ours.encrypt("a.x", "secret"), ours.blind("a.x", "secret")
    theirs.blind("a.x", "secret")
    number = theirs.rotate()
    assert ours.encrypt("a.x", "secret").startswith(f"{number}:")
    assert ours.decrypt("a.x", kept) == "secret"
    assert ours.blinds("a.x", "secret")[1:] == [entry]
    theirs.drop(1)
    assert len(ours.blinds("a.x", "secret")) == 1
    with pytest.raises(Unreadable):
        ours.decrypt("a.x", kept)
