"""The organisation tree: adding, moving, who takes what arrives."""

from concurrent.futures import ThreadPoolExecutor

import make
import pytest

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.roles import save_role
from careloom.platform.identity.tree import intake_of, tree, unit, unit_by_code
from careloom.platform.identity.units import (
    add_unit,
    change_unit,
    move_unit,
    set_intake,
)
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Conflict, Invalid, NotAllowed, NotFound


@pytest.fixture(autouse=True)
def at(database: Database) -> dict[str, int]:
    return make.organisation(database)


def test_a_path_holds_the_ids_from_the_root_down(database: Database, at: dict[str, int]) -> None:
    with database.read() as session:
        assert unit(session, at["B1"]).path == f"/{at['G']}/{at['R']}/{at['B1']}/"
        assert tree(session).above(at["B1"]) == [at["B1"], at["R"], at["G"]]
        assert set(tree(session).below(at["R"])) == {at["R"], at["B1"], at["B2"]}
        assert tree(session).above(404) == tree(session).below(404) == []


def test_a_unit_has_its_parents_time_zone_unless_it_says_another(
    database: Database, at: dict[str, int]
) -> None:
    with database.read() as session:
        assert unit(session, at["B1"]).time_zone == "Asia/Shanghai"
        assert unit(session, at["B2"]).time_zone == "Asia/Urumqi"
    with pytest.raises(Invalid):
        database.write(lambda s: add_unit(s, SYSTEM, "X", "X", "branch", at["R"], "Mars/Olympus"))


def test_moving_a_unit_takes_all_below_it_along(database: Database, at: dict[str, int]) -> None:
    room = database.write(lambda s: add_unit(s, SYSTEM, "D", "Dept", "department", at["B1"])).id
    database.write(lambda s: move_unit(s, SYSTEM, at["B1"], at["G"]))
    with database.read() as session:
        assert unit(session, at["B1"]).parent_id == at["G"]
        assert unit(session, room).path == f"/{at['G']}/{at['B1']}/{room}/"
        assert unit(session, at["B2"]).path == f"/{at['G']}/{at['R']}/{at['B2']}/"


def test_a_unit_never_moves_below_itself(database: Database, at: dict[str, int]) -> None:
    for target in ("R", "B1"):
        with pytest.raises(Conflict) as refusal:
            database.write(lambda s, to=target: move_unit(s, SYSTEM, at["R"], at[to]))
        assert refusal.value.code == "E_UNIT_CIRCLE"


def test_intake_is_followed_down(database: Database, at: dict[str, int]) -> None:
    with database.read() as session:
        assert intake_of(session, at["G"]) == at["B1"]
        assert intake_of(session, at["B2"]) == at["B2"]
        assert intake_of(session, None) is None


def test_intake_lies_below_and_is_dropped_when_it_moves_away(
    database: Database, at: dict[str, int]
) -> None:
    for wrong in ("G", "R"):
        with pytest.raises(Invalid):
            database.write(lambda s, to=wrong: set_intake(s, SYSTEM, at["R"], at[to]))
    database.write(lambda s: move_unit(s, SYSTEM, at["B1"], at["G"]))
    with database.read() as session:
        assert unit(session, at["R"]).intake_id is None
        assert intake_of(session, at["G"]) == at["R"]


def test_a_code_is_used_once(database: Database, at: dict[str, int]) -> None:
    with pytest.raises(Conflict):
        database.write(lambda s: add_unit(s, SYSTEM, "B1", "Again", "branch", at["R"]))
    with database.read() as session:
        assert unit_by_code(session, "B1").id == at["B1"]
        with pytest.raises(NotFound):
            unit_by_code(session, "nowhere")


def test_the_tree_is_changed_only_where_the_right_is_held(
    database: Database, at: dict[str, int]
) -> None:
    document = make.role("keeper", {}, ["units.write"])
    database.write(lambda s: save_role(s, document, 1))
    keeper = make.person(database, "keeper", "B1", "keeper")
    database.write(lambda s: add_unit(s, keeper, "D1", "Dept", "department", at["B1"]))
    with pytest.raises(NotAllowed):
        database.write(lambda s: add_unit(s, keeper, "D2", "Dept", "department", at["B2"]))
    with pytest.raises(NotAllowed):
        database.write(lambda s: move_unit(s, keeper, at["B1"], at["G"]))
    with pytest.raises(NotAllowed):
        database.write(lambda s: add_unit(s, keeper, "ROOT", "Root", "group"))


def test_a_unit_is_renamed_where_the_right_is_held(database: Database, at: dict[str, int]) -> None:
    wanted = {"zh-CN": "一店", "en": "First"}
    changed = database.write(
        lambda s: change_unit(s, SYSTEM, at["B1"], wanted, "main", "Asia/Urumqi")
    )
    assert (changed.title, changed.type, changed.time_zone) == (wanted, "main", "Asia/Urumqi")
    assert changed.code == "B1" and changed.path.endswith(f"/{at['B1']}/")
    plain = make.person(database, "plain", "B1")
    with pytest.raises(NotAllowed):
        database.write(lambda s: change_unit(s, plain, at["B1"], "Mine"))


def test_two_moves_at_once_make_no_circle(database: Database, at: dict[str, int]) -> None:
    def move(what: str, under: str) -> bool:
        try:
            database.write(lambda s: move_unit(s, SYSTEM, at[what], at[under]))
        except Conflict as refusal:
            return refusal.code != "E_UNIT_CIRCLE"
        return True

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(move, "B1", "B2"), pool.submit(move, "B2", "B1")]
            moved = [each.result() for each in both]
        assert sorted(moved) == [False, True]
        with database.read() as session:
            for place in tree(session).places.values():
                parent = tree(session).paths[place.parent_id] if place.parent_id else "/"
                assert place.path == f"{parent}{place.id}/"
        for branch in ("B1", "B2"):
            database.write(lambda s, b=branch: move_unit(s, SYSTEM, at[b], at["R"]))
