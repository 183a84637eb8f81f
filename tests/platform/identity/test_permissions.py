"""Who may do what to which rows and fields, in Python and in SQL alike."""

import itertools
from dataclasses import replace
from datetime import timedelta

import make
import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, insert, select

from careloom.platform.identity import grants, permissions
from careloom.platform.identity.actor import SYSTEM, Actor, Grant, actor_of
from careloom.platform.identity.people import disable
from careloom.platform.identity.permissions import (
    access,
    allowed,
    covers_right,
    held_at,
    holders,
    why,
)
from careloom.platform.identity.roles import save_role
from careloom.platform.identity.rules import RIGHTS, SCOPES
from careloom.platform.identity.units import move_unit
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.errors import NotSignedIn

FORM = "lead"
ROWS = Table(
    "rows",
    MetaData(),
    Column("_id", BigInteger),
    Column("_owner", BigInteger),
    Column("_unit", BigInteger),
)


@pytest.fixture
def at(database: Database) -> dict[str, int]:
    return make.organisation(database)


def give_role(
    database: Database, key: str, *rules: make.Json, rights: tuple[str, ...] = ()
) -> None:
    document = make.role(key, {FORM: list(rules)} if rules else {}, rights)
    database.write(lambda session: save_role(session, document, 1))


def ids_seen(database: Database, actor: Actor, action: str = "read") -> list[int]:
    with database.read() as session:
        where = access(session, actor, FORM).rows(action, ROWS)
        return sorted(session.scalars(select(ROWS.c._id).where(where)))


def fill(database: Database, rows: list[tuple[int | None, int]]) -> None:
    def deed(session: object) -> None:
        ROWS.create(session.connection())  # type: ignore[attr-defined]
        for number, (owner, unit) in enumerate(rows):
            session.execute(insert(ROWS).values(_id=number, _owner=owner, _unit=unit))  # type: ignore[attr-defined]

    database.write(deed)


def test_a_scope_reaches_the_same_rows_in_sql_and_in_python(
    database: Database, at: dict[str, int]
) -> None:
    other = make.person(database, "other", "B2").person_id
    people = {}
    for scope in SCOPES:
        give_role(database, scope, make.rule(scope, "read"))
        for unit in ("G", "R", "B1"):
            people[scope, unit] = make.person(database, f"{scope}.{unit}".lower(), unit, scope)
    owners = [None, other, *(me.person_id for me in people.values())]
    rows = list(itertools.product(owners, at.values()))
    fill(database, rows)
    for (scope, unit), me in people.items():
        with database.read() as session:
            asked = access(session, me, FORM)
            python = [n for n, row in enumerate(rows) if asked.may_with("read", *row)]
        assert ids_seen(database, me) == python, (scope, unit)
        assert python, "every scope reaches something here"


def test_each_scope_reaches_what_its_name_says(database: Database, at: dict[str, int]) -> None:
    reached = {
        ("own", "B1"): {("me", "G"), ("me", "R"), ("me", "B1"), ("me", "B2")},
        ("team", "R"): {(None, "R"), ("me", "R"), ("other", "R")},
        ("branch", "B1"): {(None, "B1"), ("me", "B1"), ("other", "B1")},
        ("subtree", "R"): set(itertools.product([None, "me", "other"], ["R", "B1", "B2"])),
        ("unowned", "R"): {(None, "R"), (None, "B1"), (None, "B2")},
        ("all", "B1"): set(itertools.product([None, "me", "other"], at)),
    }
    for (scope, unit), wanted in reached.items():
        give_role(database, scope, make.rule(scope, "read"))
        me = make.person(database, f"{scope}.person", unit, scope)
        owner = {None: None, "me": me.person_id, "other": 7}
        with database.read() as session:
            asked = access(session, me, FORM)
            found = {
                (who, where)
                for who, where in itertools.product(owner, at)
                if asked.may_with("read", owner[who], at[where])
            }
        assert found == wanted, scope


def test_nobody_without_a_rule_sees_a_row(database: Database, at: dict[str, int]) -> None:
    give_role(database, "r", rights=("definitions.read",))
    me = make.person(database, "me", "G", "r")
    fill(database, [(me.person_id, at["G"])])
    assert ids_seen(database, me) == []
    with database.read() as session:
        assert not access(session, me, FORM).may("read")


def test_an_action_that_no_rule_names_is_not_allowed(
    database: Database, at: dict[str, int]
) -> None:
    give_role(database, "r", make.rule("all", "read"))
    me = make.person(database, "me", "G", "r")
    with database.read() as session:
        asked = access(session, me, FORM)
        assert [
            a for a in ("read", "create", "change", "retire", "import", "export") if asked.may(a)
        ] == ["read"]


def test_an_expression_about_a_form_that_is_not_there_covers_nothing(
    database: Database, at: dict[str, int]
) -> None:
    rule = {**make.rule("all", "read"), "scope": {"where": "true"}}
    give_role(database, "r", rule)
    me = make.person(database, "me", "G", "r")
    fill(database, [(None, at["G"])])
    assert ids_seen(database, me) == []
    with database.read() as session:
        assert not access(session, me, FORM).may_with("read", None, at["G"])


def test_the_system_may_do_everything(database: Database, at: dict[str, int]) -> None:
    fill(database, [(None, at["G"]), (5, at["B2"])])
    assert ids_seen(database, SYSTEM) == [0, 1]
    with database.read() as session:
        asked = access(session, SYSTEM, FORM)
        assert asked.may("retire")
        assert asked.rights((), ["a"]) == {"a": "write"}
        assert allowed(session, SYSTEM, "anything.at_all")


def test_somebody_called_system_is_not_the_system(sqlite: Database) -> None:
    fake = replace(SYSTEM, person_id=7)
    with sqlite.read() as session:
        assert not access(session, fake, FORM).may("read")


def test_a_field_has_the_highest_right_of_the_rules_that_cover_the_row(
    database: Database, at: dict[str, int]
) -> None:
    give_role(
        database,
        "r",
        make.rule("own", "read", "change"),
        make.rule("branch", "read", mobile="masked", diagnosis="hidden"),
    )
    me = make.person(database, "me", "B1", "r")
    with database.read() as session:
        asked = access(session, me, FORM)
        mine = asked.rights_with(me.person_id, at["B1"], ["name", "mobile", "diagnosis"])
        theirs = asked.rights_with(7, at["B1"], ["name", "mobile", "diagnosis"])
        elsewhere = asked.rights_with(7, at["B2"], ["name", "mobile", "diagnosis"])
    assert mine == {"name": "write", "mobile": "write", "diagnosis": "write"}
    assert theirs == {"name": "read", "mobile": "masked", "diagnosis": "hidden"}
    assert set(elsewhere.values()) == {"hidden"}


def test_write_needs_the_writing_action_too(sqlite: Database) -> None:
    at = make.organisation(sqlite)
    for right, actions in itertools.product(
        RIGHTS, [("read",), ("read", "change"), ("read", "create")]
    ):
        give_role(sqlite, "r", make.rule("all", *actions, f=right))
        with sqlite.read() as session:
            me = replace(SYSTEM, login="me", grants=(Grant("r", at["G"], f"/{at['G']}/"),))
            asked = access(session, me, FORM)
            changing = asked.rights_with(None, at["B1"], ["f"], "change")["f"]
            creating = asked.rights_with(None, at["B1"], ["f"], "create")["f"]
        assert changing == ("read" if right == "write" and "change" not in actions else right)
        assert creating == ("read" if right == "write" and "create" not in actions else right)


def test_a_star_speaks_for_the_fields_that_are_not_named(
    database: Database, at: dict[str, int]
) -> None:
    rule = {**make.rule("all", "read"), "fields": {"*": "hidden", "name": "read"}}
    give_role(database, "r", rule)
    me = make.person(database, "me", "B1", "r")
    with database.read() as session:
        found = access(session, me, FORM).rights_with(None, at["B1"], ["name", "anything"])
    assert found == {"name": "read", "anything": "hidden"}


def test_a_star_speaks_for_the_forms_that_are_not_named(
    database: Database, at: dict[str, int]
) -> None:
    document = make.role(
        "r", {"*": [make.rule("all", "read")], "secret": [make.rule("own", "read")]}
    )
    database.write(lambda session: save_role(session, document, 1))
    me = make.person(database, "me", "B1", "r")
    with database.read() as session:
        assert [rule.scope for rule in access(session, me, "visit").all_rules] == ["all"]
        assert [rule.scope for rule in access(session, me, "secret").all_rules] == ["own"]


@pytest.mark.parametrize(
    ("granted", "right", "covered"),
    [
        ("people.read", "people.read", True),
        ("people.read", "people.write", False),
        ("people.read", "people.read_all", False),
        ("reports.read:*", "reports.read:leads", True),
        ("reports.read:leads", "reports.read:sales", False),
        ("reports.read:*", "reports.write:leads", False),
    ],
)
def test_a_right_covers_itself_and_a_star_what_begins_so(
    granted: str, right: str, covered: bool
) -> None:
    assert covers_right(granted, right) is covered


def test_a_right_reaches_the_unit_it_is_held_at_and_those_below(
    database: Database, at: dict[str, int]
) -> None:
    give_role(database, "r", rights=("people.write",))
    me = make.person(database, "me", "R", "r")
    with database.read() as session:
        assert allowed(session, me, "people.write")
        assert allowed(session, me, "people.write", at["B2"])
        assert not allowed(session, me, "people.write", at["G"])
        assert not allowed(session, me, "people.write", 404)
        assert held_at(session, me, "people.write") == [me.unit_path]


def test_a_taken_role_is_gone_at_the_next_request(database: Database, at: dict[str, int]) -> None:
    give_role(database, "r", rights=("people.read",))
    me = make.person(database, "me", "G", "r")
    assert me.person_id
    number = me.person_id
    with database.read() as session:
        assert allowed(session, actor_of(session, number), "people.read")
    database.write(lambda session: grants.take(session, SYSTEM, number, "r", at["G"]))
    with database.read() as session:
        assert not allowed(session, actor_of(session, number), "people.read")


def test_a_changed_role_counts_at_the_next_request(database: Database, at: dict[str, int]) -> None:
    give_role(database, "r", rights=("people.read",))
    me = make.person(database, "me", "G", "r")
    give_role(database, "r", rights=("packs.read",))
    with database.read() as session:
        assert not allowed(session, me, "people.read")
        assert allowed(session, me, "packs.read")


def test_a_grant_holds_for_its_time_only(
    database: Database, at: dict[str, int], clock: TurnedClock
) -> None:
    give_role(database, "r", rights=("people.read",))
    me = make.person(database, "me", "B1")
    assert me.person_id
    number = me.person_id
    until = clock.now() + timedelta(days=1)
    database.write(lambda session: grants.give(session, SYSTEM, number, "r", at["B1"], until).id)
    with database.read() as session:
        assert allowed(session, actor_of(session, number), "people.read")
        assert holders(session, "r", at["B1"]) == [number]
    clock.turn(timedelta(days=1))
    with database.read() as session:
        assert not allowed(session, actor_of(session, number), "people.read")
        assert holders(session, "r", at["B1"]) == []


def test_what_a_refused_deed_gave_is_not_remembered(database: Database, at: dict[str, int]) -> None:
    give_role(database, "r", rights=("people.read",))
    me = make.person(database, "me", "G")
    assert me.person_id
    number = me.person_id

    def gives_and_fails(session: object) -> None:
        grants.give(session, SYSTEM, number, "r", at["G"])  # type: ignore[arg-type]
        assert allowed(session, actor_of(session, number), "people.read")  # type: ignore[arg-type]
        raise NotSignedIn

    with pytest.raises(NotSignedIn):
        database.write(gives_and_fails)
    give_role(database, "other")  # the same number of the epoch again, with other content
    with database.read() as session:
        assert not allowed(session, actor_of(session, number), "people.read")


def test_holders_are_sought_upward_from_the_unit(database: Database, at: dict[str, int]) -> None:
    give_role(database, "lead_supervisor")
    at_branch = make.person(database, "at_branch", "B1", "lead_supervisor").person_id
    at_group = make.person(database, "at_group", "G", "lead_supervisor").person_id
    with database.read() as session:
        assert holders(session, "lead_supervisor", at["B1"]) == [at_branch]
        assert holders(session, "lead_supervisor", at["B2"]) == [at_group]
        assert holders(session, "lead_supervisor", at["G"]) == [at_group]
        assert holders(session, "lead_supervisor", None) == sorted([at_branch, at_group])
        assert holders(session, "nobody", at["B1"]) == []


def test_a_disabled_holder_does_not_count(database: Database, at: dict[str, int]) -> None:
    give_role(database, "r")
    gone = make.person(database, "gone", "B1", "r").person_id
    there = make.person(database, "there", "R", "r").person_id
    assert gone is not None
    database.write(lambda session: disable(session, SYSTEM, gone))
    with database.read() as session:
        assert holders(session, "r", at["B1"]) == [there]


def test_why_names_every_rule_and_whether_it_reaches_the_row(
    database: Database, at: dict[str, int]
) -> None:
    give_role(database, "r", make.rule("own", "read", "change"), make.rule("branch", "read"))
    me = make.person(database, "me", "B1", "r")
    with database.read() as session:
        reasons = why(session, me, FORM, None, at["B1"])
    assert [(r.role, r.scope, r.actions, r.covers) for r in reasons] == [
        ("r", "own", ("read", "change"), False),
        ("r", "branch", ("read",), True),
    ]


def test_rows_follow_their_unit_to_its_new_place(database: Database, at: dict[str, int]) -> None:
    give_role(database, "r", make.rule("subtree", "read"))
    me = make.person(database, "me", "R", "r")
    fill(database, [(None, at["B1"]), (None, at["B2"])])
    assert ids_seen(database, me) == [0, 1]
    database.write(lambda session: move_unit(session, SYSTEM, at["B2"], at["G"]))
    assert ids_seen(database, me) == [0]


def test_rules_that_are_asked_in_each_session_are_read_once_in_it(
    database: Database, at: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by the first who asks in an epoch, when nothing is kept yet."""
    rule = make.rule("all", "read")
    rule["scope"] = {"within": "all", "where": 'name = "a"'}
    give_role(database, "some", rule)
    actor = make.person(database, "lin", "B1", "some")
    read: list[str] = []
    rules = permissions._rules
    monkeypatch.setattr(permissions, "_rules", lambda *asked: read.append("") or rules(*asked))
    for _ in range(2):
        read.clear()
        with database.read() as session:
            assert not access(session, actor, FORM).all_rules[0].lasting
        assert len(read) == 1
