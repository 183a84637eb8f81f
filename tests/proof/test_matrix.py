"""Who may not see a field or a row learns nothing of it, by any way of reading there is.

Every scope, every field right and every way of reading, on one form with planted values.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from careloom.platform.identity.masks import mask
from careloom.platform.identity.rules import RIGHTS
from careloom.platform.records.lists import list_records
from careloom.platform.store.database import open_database
from careloom.platform.store.errors import Invalid, Malformed
from careloom.runtime.reports.run import run_report

from .paths import ASKS, TELLS, Looker, _filtered, literal, sorted_by
from .planted import COMPUTED, GUARDED, SCOPES, Planted, World, covered, plant

READABLE = ("read", "write")
TEXTS = ("name", "mobile", "grade", "id_no", "note")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One database of each kind for the whole matrix, asked and never changed."""
    url = request.getfixturevalue(f"shared_{request.param}_url")
    database = open_database(url, tmp_path_factory.mktemp("home"))
    yield plant(database)
    database.close()


def readable(scope: str, right: str, row: Planted) -> bool:
    return covered(scope, row) and right in READABLE


def looker(world: World, session: Any, scope: str, right: str, folder: Path) -> Looker:
    ids = tuple(row.id for row in world.rows)
    return Looker(world.database, session, world.actor(scope, right), "secret", ids, folder)


CELLS = list(itertools.product(SCOPES, RIGHTS))


@pytest.mark.parametrize("path", TELLS)
def test_no_answer_holds_what_its_reader_may_not_see(
    world: World, path: str, tmp_path: Path, record_property: Any
) -> None:
    cells = 0
    for scope, right in CELLS:
        with world.database.read() as session:
            answer = TELLS[path](looker(world, session, scope, right, tmp_path))
        for row in world.rows:
            for field, planted in tokens(row):
                there = planted in answer
                where = f"{path}: {scope}, {right}, {field} of {row.owner} in {row.unit}"
                assert readable(scope, right, row) or not there, f"{where}: {planted} is told"
                if readable(scope, right, row) and (path, field) in COMPLETE:
                    assert there, f"{where}: {planted} is missing"
            if path in ("get", "list"):
                assert (f"'id': '{row.id}'" in answer) == covered(scope, row)
                if right == "masked" and covered(scope, row):
                    shown = mask(row.values["mobile"], "phone")
                    assert f"'mobile': '{shown}'" in answer
        cells += len(GUARDED) + 1
    record_property("cells", cells)


#: where a readable value must stand in full, so that an empty answer proves nothing
COMPLETE = {
    (path, field)
    for path, fields in {
        "get": (*GUARDED, COMPUTED),
        "list": (*GUARDED, COMPUTED),
        "history": (*GUARDED, COMPUTED, "name before", "note before"),
        "link label": ("name",),
        "offer": ("name",),
        "export CSV": ("name", "mobile", "amount", "grade", "id_no", "note", COMPUTED),
        "export XLSX": ("name", "mobile", "grade", "id_no", "note", COMPUTED),
        "export by a yes": ("name", "mobile", "grade", "id_no", "note", COMPUTED),
        "report": ("name", "mobile", "grade", "day", COMPUTED),
        "print": ("name", "mobile", "grade", "day", "id_no", "note", COMPUTED),
    }.items()
    for field in fields
}


def tokens(row: Planted) -> Iterator[tuple[str, str]]:
    """Each planted text, and the field it stands in; what a row held before counts too."""
    for field in GUARDED:
        yield field, str(row.values[field])
    yield COMPUTED, row.values["name"].upper()
    for field in ("name", "note"):
        yield f"{field} before", row.before[field]
    yield f"{COMPUTED} before", row.before["name"].upper()


@pytest.mark.parametrize("path", ASKS)
def test_no_question_finds_what_its_asker_may_not_see(
    world: World, path: str, tmp_path: Path, record_property: Any
) -> None:
    cells = found_some = 0
    for scope, right in CELLS:
        with world.database.read() as session:
            its = looker(world, session, scope, right, tmp_path)
            for field, row in itertools.product((*GUARDED, COMPUTED), probes(world, scope)):
                value = row.values["name"].upper() if field == COMPUTED else row.values[field]
                found = ASKS[path](its, field, value)
                allowed = {row.id} if readable(scope, right, row) else set()
                assert found <= allowed, f"{path}: {scope}, {right}: {field} = {value}"
                found_some += len(found)
        cells += len(GUARDED) + 1
    assert found_some, "the question is one that finds"
    record_property("cells", cells)


def probes(world: World, scope: str) -> list[Planted]:
    """A row within the scope and one outside it."""
    within = [row for row in world.rows if covered(scope, row)]
    without = [row for row in world.rows if not covered(scope, row)]
    return [*within[-1:], *without[:1]]


def test_no_order_tells_what_its_asker_may_not_see(
    world: World, tmp_path: Path, record_property: Any
) -> None:
    """Sorted by a field that one may not read, the rows stand as if it were blank in all."""
    cells = 0
    for scope, right in CELLS:
        seen = [row for row in world.rows if covered(scope, row)]
        with world.database.read() as session:
            its = looker(world, session, scope, right, tmp_path)
            for field, down in itertools.product((*GUARDED, COMPUTED), (False, True)):
                order = sorted_by(its, field, down)
                if field == "id_no":
                    assert order is None, "ciphertext has no order"
                    continue
                assert order is not None and sorted(order) == sorted(row.id for row in seen)
                by_id = order == sorted(order, reverse=down)
                if right not in READABLE:
                    assert by_id, f"{scope}, {right}, {field}"
                elif len(seen) > 4:
                    assert not by_id, "where one may read it, it does sort"
        cells += len(GUARDED) + 1
    record_property("cells", cells)


def test_no_blank_or_count_tells_what_its_asker_may_not_see(
    world: World, tmp_path: Path, record_property: Any
) -> None:
    """A field that one may not read is blank in every row, and every count is of one's own rows."""
    cells = 0
    for scope, right in CELLS:
        seen = {row.id for row in world.rows if covered(scope, row)}
        with world.database.read() as session:
            its = looker(world, session, scope, right, tmp_path)
            for field in (*GUARDED, COMPUTED):
                blank = _filtered(its, f"ISBLANK({field})")
                expected = set() if right in READABLE or field == "id_no" else seen
                assert blank == expected, f"{scope}, {right}, {field}"
            assert _filtered(its, "true") == seen
        cells += len(GUARDED) + 1
    record_property("cells", cells)


def test_no_measure_counts_what_its_asker_may_not_see(
    world: World, tmp_path: Path, record_property: Any
) -> None:
    """Sums, medians and counts of a field that one may not read are of nothing at all."""
    cells = 0
    for scope, right in CELLS:
        seen = [row for row in world.rows if covered(scope, row)]
        with world.database.read() as session:
            its = looker(world, session, scope, right, tmp_path)
            total = run_report(session, its.actor, "all_state").total
        may = right in READABLE
        amounts = [Decimal(row.values["amount"]) for row in seen]
        for field in ("name", "mobile", "amount", "grade", "day", "note", COMPUTED):
            assert total.numbers[f"has_{field}"] == (len(seen) if may else 0), (scope, right)
        assert total.count == len(seen) and total.numbers["sum"] == (sum(amounts) if may else 0)
        for kind, fold in (("min", min), ("max", max), ("median", median)):
            expected = fold(amounts) if may and amounts else None
            assert total.numbers[kind] == expected, f"{kind}: {scope}, {right}"
        cells += len(GUARDED) + 1
    record_property("cells", cells)


def test_no_hop_over_a_link_tells_more_than_the_record_itself(
    world: World, tmp_path: Path, record_property: Any
) -> None:
    cells = found_some = 0
    for scope, right in CELLS:
        seen = {row.pointer for row in world.rows if covered(scope, row)}
        every = {row.pointer for row in world.rows}
        with world.database.read() as session:
            its = replace(looker(world, session, scope, right, tmp_path), form="pointer")
            for field, row in itertools.product((*GUARDED, COMPUTED), probes(world, scope)):
                value = row.values["name"].upper() if field == COMPUTED else row.values[field]
                found = _filtered(its, f"secret.{field} = {literal(value)}")
                allowed = {row.pointer} if readable(scope, right, row) else set()
                assert found == (set() if field == "id_no" else allowed), f"{scope}, {right}"
                found_some += len(found)
            for field in set(GUARDED) - {"id_no"}:
                filled = _filtered(its, f"NOT(ISBLANK(secret.{field}))")
                assert filled == (seen if right in READABLE else set())
            assert _filtered(its, "true") == every
            assert _filtered(its, 'secret.state = "open" OR secret.state = "closed"') == seen
        cells += len(GUARDED) + 1
    assert found_some
    record_property("cells", cells)


def test_no_name_is_offered_that_the_asker_has_not_been_told(world: World, tmp_path: Path) -> None:
    for right in RIGHTS:
        with world.database.read() as session:
            its = looker(world, session, "all", right, tmp_path)
            for ask in ({"where": "amoun > 1"}, {"sort": ["amoun"]}):
                with pytest.raises((Invalid, Malformed)) as refusal:
                    list_records(session, its.actor, "secret", **ask)  # type: ignore[arg-type]
                said = str([problem.params for problem in refusal.value.problems])
                assert ("'amount'" in said) == (right != "hidden"), (right, ask, said)


@pytest.mark.parametrize("right", ["hidden", "masked"])
def test_a_search_by_halves_recovers_not_a_single_bit(
    world: World, tmp_path: Path, right: str
) -> None:
    """T21. Every question about a number that one may not read gets the same answer."""
    with world.database.read() as session:
        its = looker(world, session, "all", right, tmp_path)
        low, high, answers = 0, 10_000, set()
        while high - low > 1:
            middle = (low + high) // 2
            answers.add(len(_filtered(its, f"amount > {middle}")))
            over = replace(its, form="pointer")
            answers.add(len(_filtered(over, f"secret.amount > {middle}")))
            low = middle
    assert answers == {0}
