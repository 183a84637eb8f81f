"""Files in a record's fields: whose may go in, who may have them afterwards."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import make
import pytest
from PIL import Image

from careloom.platform.identity import grants
from careloom.platform.identity.actor import SYSTEM, Actor, actor_of
from careloom.platform.records.attachments import find_file
from careloom.platform.records.lists import get
from careloom.platform.records.past import history
from careloom.platform.records.record import Record
from careloom.platform.records.submit import change, submit
from careloom.platform.store.bodies import Folder
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Conflict, Invalid, NotFound
from careloom.platform.store.file_model import FileState
from careloom.platform.store.files import add_file, file_rows, put_body

VISIT = make.form(
    "visit",
    {
        "name": make.field(),
        "papers": make.field("file", maxItems=3),
        "photos": make.field("image"),
        "secret": make.field("file"),
        "partly": make.field("file"),
    },
    x_label="name",
)
RULES = [make.rule("branch", "read", "create", "change", secret="hidden", partly="masked")]


@dataclass
class House:
    database: Database
    bodies: Folder

    def upload(self, actor: Actor, name: str = "a.pdf") -> str:
        made = BytesIO(b"%PDF-1.7\n")
        if name.endswith(".png"):
            Image.new("RGB", (2, 2)).save(made, "PNG")
        body = put_body(self.bodies, name, made)
        self.database.write(lambda s: add_file(s, body, actor.person_id, actor.unit_id))
        return body.id

    def submit(self, actor: Actor, **values: Any) -> Record:
        return self.database.write(lambda s: submit(s, actor, "visit", values))

    def change(self, actor: Actor, record: Record, **values: Any) -> Record:
        return self.database.write(lambda s: change(s, actor, "visit", record.id, values))

    def finds(self, actor: Actor, file_id: str) -> bool:
        with self.database.read() as session:
            try:
                return find_file(session, actor, file_id).id == file_id
            except NotFound:
                return False

    def problems(self, actor: Actor, **values: Any) -> list[tuple[str, str]]:
        with pytest.raises(Invalid) as refused:
            self.submit(actor, **values)
        return [(problem.path, problem.code) for problem in refused.value.problems]


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    make.organisation(database)
    make.publish(database, "form", VISIT)
    make.publish(database, "role", make.role("desk", {"visit": RULES}))
    make.publish(database, "role", make.role("all", {"visit": [make.rule("all", "read")]}))
    return House(database, Folder(tmp_path / "files"))


@pytest.fixture
def ann(house: House) -> Actor:
    return make.person(house.database, "ann", "B1", "desk")


@pytest.fixture
def bob(house: House) -> Actor:
    return make.person(house.database, "bob", "B1", "desk")


def test_a_loose_file_is_its_uploaders_alone(house: House, ann: Actor, bob: Actor) -> None:
    file_id = house.upload(ann)
    assert house.finds(ann, file_id)
    assert not house.finds(bob, file_id)
    assert not house.finds(SYSTEM, file_id)


def test_a_submitted_file_is_its_records(house: House, ann: Actor, bob: Actor) -> None:
    file_id = house.upload(ann)
    record = house.submit(ann, papers=[file_id])
    assert record.json()["papers"] == [file_id]
    with house.database.read() as session:
        row = file_rows(session, [file_id])[file_id]
    assert (row.state, row.form, row.record_id, row.field) == (
        FileState.KEPT,
        "visit",
        record.id,
        "papers",
    )
    assert house.finds(bob, file_id)


def test_another_branch_has_no_file_of_ours(house: House, ann: Actor) -> None:
    eve = make.person(house.database, "eve", "B2", "desk")
    file_id = house.upload(ann)
    house.submit(ann, papers=[file_id])
    assert not house.finds(eve, file_id)


def test_a_file_in_a_hidden_or_masked_field_is_not_there(house: House, ann: Actor) -> None:
    max = make.person(house.database, "max", "G", "all")
    files = {key: house.upload(max) for key in ("secret", "partly")}

    def put(session: Any) -> None:
        for key, file_id in files.items():
            record = submit(session, SYSTEM, "visit", {"name": key})
            row = file_rows(session, [file_id])[file_id]
            row.state, row.form, row.record_id, row.field = (
                FileState.KEPT,
                "visit",
                record.id,
                key,
            )

    house.database.write(put)
    for file_id in files.values():
        assert house.finds(max, file_id)
        assert not house.finds(ann, file_id)


def test_who_loses_the_role_loses_the_file_at_once(house: House, ann: Actor, bob: Actor) -> None:
    file_id = house.upload(ann)
    house.submit(ann, papers=[file_id])
    assert house.finds(bob, file_id)

    def revoke(session: Any) -> Actor:
        grants.take(session, SYSTEM, bob.person_id, "desk", bob.unit_id)
        return actor_of(session, bob.person_id or 0)

    assert not house.finds(house.database.write(revoke), file_id)


def test_somebody_elses_loose_file_goes_into_no_record(
    house: House, ann: Actor, bob: Actor
) -> None:
    assert house.problems(bob, papers=[house.upload(ann)]) == [("/papers", "E_FILE_GONE")]


def test_a_file_of_another_record_or_field_goes_into_no_record(house: House, ann: Actor) -> None:
    file_id = house.upload(ann, "a.png")
    record = house.submit(ann, papers=[file_id])
    assert house.problems(ann, papers=[file_id]) == [("/papers", "E_FILE_GONE")]
    with pytest.raises(Invalid):
        house.change(ann, record, photos=[file_id])


def test_one_file_stands_in_one_field(house: House, ann: Actor) -> None:
    file_id = house.upload(ann, "a.png")
    found = house.problems(ann, papers=[file_id], photos=[file_id])
    assert found == [("/photos", "E_FILE_GONE")]


def test_a_file_that_does_not_exist_is_told_like_one_that_is_not_ours(
    house: House, ann: Actor
) -> None:
    assert house.problems(ann, papers=["0" * 32]) == [("/papers", "E_FILE_GONE")]


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"filepath": "/etc/passwd"}},
        [{"filepath": "/etc/passwd"}],
        "/etc/passwd",
        ["/etc/passwd"],
        ["../" * 10 + "0" * 2],
        ["A" * 32],
        [1],
        7,
    ],
)
def test_nothing_but_a_list_of_ids_is_a_file(sqlite: Database, value: Any) -> None:
    make.organisation(sqlite)
    make.publish(sqlite, "form", VISIT)
    with pytest.raises(Invalid) as refused:
        sqlite.write(lambda s: submit(s, SYSTEM, "visit", {"papers": value}))
    assert [p.code for p in refused.value.problems] == ["E_FILE_IDS"]


def test_a_picture_is_wanted_where_the_field_says_so(house: House, ann: Actor) -> None:
    assert house.problems(ann, photos=[house.upload(ann)]) == [("/photos", "E_FILE_IMAGE")]
    assert house.submit(ann, photos=[house.upload(ann, "a.png")]).values["photos"]


def test_a_field_holds_only_so_many_files(house: House, ann: Actor) -> None:
    files = [house.upload(ann) for _ in range(4)]
    assert house.problems(ann, papers=files) == [("/papers", "E_FILES_MOST")]


def test_a_file_is_added_and_taken_out_and_stays_in_the_history(
    house: House, ann: Actor, bob: Actor
) -> None:
    first, second = house.upload(ann), house.upload(bob)
    record = house.submit(ann, papers=[first])
    house.change(bob, record, papers=[first, second])
    changed = house.change(ann, record, papers=[second])
    assert changed.json()["papers"] == [second]
    assert house.finds(bob, first)
    with house.database.read() as session:
        newest = history(session, ann, "visit", record.id)[0]
    assert newest.changed["papers"] == ([first, second], [second])


def test_a_file_taken_out_may_come_back(house: House, ann: Actor) -> None:
    file_id = house.upload(ann)
    record = house.submit(ann, papers=[file_id])
    house.change(ann, record, papers=None)
    assert house.change(ann, record, papers=[file_id]).json()["papers"] == [file_id]


def test_a_refused_record_leaves_its_files_loose(house: House, ann: Actor) -> None:
    file_id = house.upload(ann)
    house.problems(ann, papers=[file_id], photos=["0" * 32])
    assert house.submit(ann, papers=[file_id]).values["papers"] == [file_id]


def test_two_writes_in_one_transaction_see_the_file_kept(house: House, ann: Actor) -> None:
    file_id = house.upload(ann)

    def both(session: Any) -> Record:
        made = submit(session, ann, "visit", {"papers": [file_id]})
        change(session, ann, "visit", made.id, {"name": "x"})
        return change(session, ann, "visit", made.id, {"papers": [file_id], "name": "y"})

    assert house.database.write(both).values["papers"] == [file_id]


def test_a_file_swept_in_between_is_a_conflict(house: House, ann: Actor) -> None:
    from careloom.platform.records.attachments import keep_attached
    from careloom.platform.records.shape import shape_of

    def keep(session: Any) -> None:
        form = shape_of(session, "visit").form
        keep_attached(session, ann, form, 1, {"papers": ["0" * 32]})

    with pytest.raises(Conflict):
        house.database.write(keep)


def test_files_are_shown_by_their_names(house: House, ann: Actor) -> None:
    from careloom.platform.records.choices import choices_of

    record = house.submit(ann, papers=[house.upload(ann, "片子.pdf"), house.upload(ann, "b.pdf")])
    with house.database.read() as session:
        seen = get(session, ann, "visit", record.id)
        field = seen.form.fields["papers"]
        words = field.show(seen.values["papers"], "en", choices_of(session, field))
    assert words == "片子.pdf; b.pdf"
