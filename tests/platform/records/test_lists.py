"""Lists answer exactly what the asker may know: rows, fields, order, counts, pages."""

from collections.abc import Iterator
from typing import Any

import make
import pytest

from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.records.lists import Page, list_records
from careloom.platform.records.submit import retire
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid, Malformed, NotAllowed

LEAD = make.form(
    "lead",
    {
        "name": make.field(),
        "phone": make.field("phone"),
        "age": make.field("number"),
        "budget": make.field("money", x_scale=2),
        "tags": make.field("choices", x_options=make.fixed("a", "b", "c")),
        "born": make.field("date"),
        "owner": make.field("person"),
        "friend": make.link("lead"),
        "at": make.field("unit"),
    },
    x_label="name",
    x_owner="owner",
    x_unit="at",
)


@pytest.fixture
def people(database: Database) -> Iterator[dict[str, Actor]]:
    """An agent who owns one of four leads, a supervisor, another branch's agent."""
    units = make.organisation(database)
    make.publish(database, "form", LEAD)
    own = make.rule("own", "read", "change")
    pool = make.rule("unowned", "read", phone="masked", budget="hidden")
    make.publish(database, "role", make.role("agent", {"lead": [own, pool]}))
    make.publish(database, "role", make.role("boss", {"lead": [make.rule("branch", "read")]}))
    found = {
        "agent": make.person(database, "agent", "B1", "agent"),
        "boss": make.person(database, "boss", "B1", "boss"),
        "far": make.person(database, "far", "B2", "agent"),
        "stranger": make.person(database, "stranger", "B1"),
    }
    mine, b2 = str(found["agent"].person_id), str(units["B2"])
    first = make.record(
        database, "lead", name="Anna", phone="13800000001", age=30, budget="5000", owner=mine
    )
    make.record(
        database, "lead", name="Bo", phone="13800000002", age=20, budget="900.50", tags=["a", "b"]
    )
    make.record(database, "lead", name="Cai", phone="13800000003", friend=str(first.id))
    make.record(database, "lead", name="Dou", phone="13800000004", age=40, budget="1", at=b2)
    yield found


def listed(database: Database, actor: Actor = SYSTEM, **words: Any) -> Page:
    with database.read() as session:
        return list_records(session, actor, "lead", **words)


def names(page: Page) -> list[str]:
    return [record.values["name"] for record in page.items]


def test_each_sees_the_rows_of_their_scope_and_counts_no_others(
    database: Database, people: dict[str, Actor]
) -> None:
    seen = {
        who: sorted(names(listed(database, people[who], count=True)))
        for who in ("agent", "boss", "far")
    }
    assert seen == {"agent": ["Anna", "Bo", "Cai"], "boss": ["Anna", "Bo", "Cai"], "far": ["Dou"]}
    assert listed(database, people["agent"], count=True).total == 3
    with pytest.raises(NotAllowed):
        listed(database, people["stranger"])


def test_a_field_is_full_masked_or_absent_row_by_row(
    database: Database, people: dict[str, Actor]
) -> None:
    anna, bo, _ = sorted(
        listed(database, people["agent"]).items, key=lambda record: record.values["name"]
    )
    assert (anna.json()["phone"], anna.json()["budget"]) == ("13800000001", "5000.00")
    assert (bo.json()["phone"], "budget" in bo.json()) == ("138****0002", False)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("age > 25", ["Anna", "Dou"]),
        ("age < 25", ["Bo"]),
        ("ISBLANK(age)", ["Cai"]),
        ("budget = 900.5", ["Bo"]),
        ('"b" in tags', ["Bo"]),
        ('CONTAINS(name, "a")', ["Anna", "Cai"]),
        ("friend.age = 30", ["Cai"]),
        ("not (age > 25)", ["Bo", "Cai"]),
        ("{Money} > 1", ["Anna", "Bo"]),
    ],
)
def test_an_expression_filters(
    database: Database, people: dict[str, Actor], where: str, found: list[str]
) -> None:
    where = where.replace("{Money}", "{money}")
    assert sorted(names(listed(database, where=where))) == found


IN_ORDER = ["阿宝", "Amy", "范刚", "方安", "方小安", "王丽", "曾女士", "赵一"]


@pytest.mark.parametrize("way", ["", "-"])
def test_chinese_names_are_in_order_by_their_pinyin(
    database: Database, people: dict[str, Actor], way: str
) -> None:
    for name in ("王丽", "方安", "赵一", "Amy", "阿宝", "曾女士", "方小安", "范刚"):
        make.record(database, "lead", name=name, budget="7")
    wanted = IN_ORDER[::-1] if way else IN_ORDER
    found: list[str] = []
    cursor = None
    while cursor or not found:
        page = listed(database, where="budget = 7", sort=[f"{way}name"], limit=3, cursor=cursor)
        found += names(page)
        cursor = page.next
    assert found == wanted


def test_filters_searches_and_sorts_learn_nothing_of_what_is_masked(
    database: Database, people: dict[str, Actor]
) -> None:
    agent = people["agent"]
    assert names(listed(database, agent, where='phone = "13800000002"')) == []
    assert names(listed(database, agent, where="budget > 0")) == ["Anna"]
    assert names(listed(database, agent, where='friend.phone = "13800000001"')) == ["Cai"]
    assert names(listed(database, people["boss"], where='phone = "13800000002"')) == ["Bo"]
    assert names(listed(database, agent, search="00002")) == []
    assert names(listed(database, agent, search="0002")) == ["Bo"], "the mask shows as much"
    assert names(listed(database, agent, search="0001")) == ["Anna"]
    assert names(listed(database, agent, sort=["budget", "name"])) == ["Anna", "Bo", "Cai"]


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        (["name"], ["Anna", "Bo", "Cai", "Dou"]),
        (["-name"], ["Dou", "Cai", "Bo", "Anna"]),
        (["age"], ["Bo", "Anna", "Dou", "Cai"]),
        (["-age"], ["Dou", "Anna", "Bo", "Cai"]),
        (["-born", "name"], ["Anna", "Bo", "Cai", "Dou"]),
        (["friend", "-name"], ["Cai", "Dou", "Bo", "Anna"]),
        (["-id", "name"], ["Dou", "Cai", "Bo", "Anna"]),
        ([], ["Dou", "Cai", "Bo", "Anna"]),
    ],
)
def test_sorting_puts_blanks_last_and_pages_meet_without_gap(
    database: Database, people: dict[str, Actor], sort: list[str], found: list[str]
) -> None:
    assert names(listed(database, sort=sort)) == found
    one_by_one, cursor = [], None
    for _ in found:
        page = listed(database, sort=sort, limit=1, cursor=cursor)
        one_by_one += names(page)
        cursor = page.next
    assert (one_by_one, cursor) == (found, None)


def test_what_a_field_is_called_gets_in_no_sorts_way(database: Database) -> None:
    make.organisation(database)
    fields = {"name": make.field(), "s0": make.field(), "s1": make.field("number")}
    make.publish(database, "form", make.form("odd", fields, x_label="name"))
    for name, value in (("a", "z"), ("b", "y"), ("c", "x")):
        make.record(database, "odd", name=name, s0=value, s1=7)
    seen, cursor = [], None
    for _ in range(3):
        with database.read() as session:
            page = list_records(session, SYSTEM, "odd", sort=["name"], limit=1, cursor=cursor)
        seen += [record.json() for record in page.items]
        cursor = page.next
    assert [(one["name"], one["s0"], one["s1"]) for one in seen] == [
        ("a", "z", 7),
        ("b", "y", 7),
        ("c", "x", 7),
    ]
    assert cursor is None


def test_a_retired_record_is_listed_no_more(database: Database, people: dict[str, Actor]) -> None:
    gone = listed(database, where='name = "Bo"').items[0]
    database.write(lambda session: retire(session, SYSTEM, "lead", gone.id))
    assert sorted(names(listed(database))) == ["Anna", "Cai", "Dou"]


@pytest.mark.parametrize(
    "sort",
    ["name;drop table form_lead", "-(select 1)", "(case when 1 then name end)", "_id", "tags", ""],
)
def test_only_fields_sort(database: Database, people: dict[str, Actor], sort: str) -> None:
    with pytest.raises(Malformed, match="E_SORT"):
        listed(database, sort=[sort])


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24", "WzFd", "W1wiYVwiXQ", "e30", "é"])
def test_a_forged_cursor_is_refused(
    database: Database, people: dict[str, Actor], cursor: str
) -> None:
    with pytest.raises(Malformed, match="E_CURSOR"):
        listed(database, sort=["name"], cursor=cursor)


def test_a_wrong_expression_says_where(database: Database, people: dict[str, Actor]) -> None:
    with pytest.raises(Invalid) as refusal:
        listed(database, where="agee > 3")
    (problem,) = refusal.value.problems
    assert (problem.path, problem.params["start"], problem.params["end"]) == ("/filter", 0, 4)


@pytest.mark.parametrize("limit", [0, -1, 201, 10**9])
def test_a_page_has_its_bounds(database: Database, people: dict[str, Actor], limit: int) -> None:
    with pytest.raises(Malformed, match="E_LIMIT"):
        listed(database, limit=limit)
