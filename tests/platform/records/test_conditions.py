"""Scopes by expression: the same rows in SQL and in Python, and nothing by any other way."""

from collections.abc import Callable
from functools import partial
from typing import Any

import make
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM, Actor, Grant
from careloom.platform.identity.forms import Condition
from careloom.platform.identity.roles import save_role
from careloom.platform.identity.rules import SCOPES, Rule
from careloom.platform.identity.tree import tree
from careloom.platform.records.explain import explain
from careloom.platform.records.lists import get, list_records, may_do
from careloom.platform.records.past import history
from careloom.platform.records.shape import shape_of
from careloom.platform.records.submit import change, submit
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid, NotAllowed, NotFound

CUSTOMER = make.form(
    "customer",
    {"name": make.field(), "level": make.field("choice", x_options=make.fixed("gold", "plain"))},
    x_label="name",
)
VISIT = make.form(
    "visit",
    {
        "name": make.field(),
        "state": make.field("choice", x_options=make.fixed("open", "closed")),
        "spent": make.field("money", x_scale=2),
        "day": make.field("date"),
        "urgent": make.field("yesno"),
        "doctor": make.field("person"),
        "tags": make.field("choices", x_options=make.fixed("a", "b")),
        "customer": make.link("customer"),
        "id_no": make.field("id_card", x_encrypted=True),
        "note": make.field(),
        "double": make.field("money", x_scale=2, x_value="spent * 2"),
        "told": make.field(x_value='IF(ISBLANK(note), "no", "yes")'),
        "copy": make.field(x_default="note"),
    },
    x_label="name",
)

atoms = st.sampled_from(
    [
        'state = "open"',
        'state <> "open"',
        "ISBLANK(state)",
        "spent > 100",
        "spent * 2 <= 50.5",
        "spent / 0 > 1",
        "urgent",
        "doctor = ME()",
        "ISBLANK(doctor)",
        "day < TODAY()",
        "day >= DATE(2026, 3, 1) AND NOT(urgent)",
        '"a" IN tags',
        'customer.level = "gold"',
        'CONTAINS(customer.name, "n")',
        "LEN(name) > 3",
        'name = "Li"',
        "true",
        "false",
    ]
)
texts = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(
            lambda each: f"({each[0]}) {each[1]} ({each[2]})"
        ),
        inner.map(lambda text: f"NOT({text})"),
    ),
    max_leaves=5,
)


@pytest.fixture
def at(database: Database) -> dict[str, int]:
    units = make.organisation(database)
    make.publish(database, "form", CUSTOMER)
    make.publish(database, "form", VISIT)
    return units


def visits(database: Database, at: dict[str, int], me: Actor) -> list[int]:
    """Rows with every kind of value and with none, in three units, of three owners."""

    def deed(session: Session) -> list[int]:
        gold = submit(session, SYSTEM, "customer", {"name": "Anna", "level": "gold"}).id
        plain = submit(session, SYSTEM, "customer", {"name": "Bo"}).id
        rows: list[tuple[Actor, str, dict[str, Any]]] = [
            (SYSTEM, "B1", {}),
            (me, "B1", {"state": "open", "spent": "100.01", "doctor": str(me.person_id)}),
            (SYSTEM, "B2", {"state": "closed", "spent": "-3.00", "customer": str(gold)}),
            (SYSTEM, "R", {"name": "Li", "urgent": True, "day": "2026-03-03"}),
            (me, "B2", {"name": "Chen Jing", "urgent": False, "day": "2026-02-28"}),
            (SYSTEM, "B1", {"tags": ["a", "b"], "customer": str(plain), "state": "open"}),
            (SYSTEM, "B2", {"tags": ["b"], "spent": "25.25", "doctor": str(me.person_id)}),
        ]
        return [
            submit(session, who, "visit", values, unit_id=at[unit]).id for who, unit, values in rows
        ]

    return database.write(deed)


def test_a_rule_covers_the_same_rows_in_sql_and_in_python(
    database: Database, at: dict[str, int]
) -> None:
    make.publish(database, "role", make.role("r", {"visit": [make.rule("all", "read", "create")]}))
    me = make.person(database, "me", "B1", "r")
    visits(database, at, me)

    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(texts, st.sampled_from(SCOPES), st.sampled_from(["G", "R", "B1"]))
    def agree(text: str, scope: str, unit: str) -> None:
        with database.read() as session:
            shape, paths = shape_of(session, "visit"), tree(session).paths
            rule = Rule(
                "x",
                "r",
                Grant("r", at[unit], paths[at[unit]]),
                me.person_id,
                frozenset({"read"}),
                scope,
                {},
                Condition(session, "visit", text, me),
                paths=paths,
            )
            table = shape.table.alias()
            in_sql = set(session.scalars(select(table.c._id).where(rule.where(table))))
            in_python = {
                row["_id"]
                for row in session.execute(select(shape.table)).mappings()
                if rule.covers(
                    row["_owner"],
                    row["_unit"],
                    paths[row["_unit"]],
                    partial(shape.to_values, row),
                )
            }
        assert in_sql == in_python

    agree()


def scoped(where: str, *actions: str, within: str = "", **fields: str) -> make.Json:
    scope = {"where": where} | ({"within": within} if within else {})
    return {**make.rule("all", *actions, **fields), "key": "some", "scope": scope}


def someone(database: Database, *rules: make.Json, rights: tuple[str, ...] = ()) -> Actor:
    make.publish(database, "role", make.role("some_role", {"visit": list(rules)}, rights))
    return make.person(database, "someone", "B1", "some_role")


def test_what_the_expression_leaves_out_does_not_exist(
    database: Database, at: dict[str, int]
) -> None:
    me = someone(database, scoped('state = "open"', "read", "change", "create", "export"))
    open_, closed = (make.record(database, "visit", state=state).id for state in ("open", "closed"))
    with database.read() as session:
        page = list_records(session, me, "visit", count=True)
        assert ([record.id for record in page.items], page.total) == ([open_], 1)
        assert get(session, me, "visit", open_).rights["state"] == "write"
        assert may_do(session, me, "visit", open_, "change")
        assert not may_do(session, me, "visit", closed, "change")
        for ask in (get, history):
            with pytest.raises(NotFound):
                ask(session, me, "visit", closed)
    with pytest.raises(NotFound):
        database.write(lambda session: change(session, me, "visit", closed, {"state": "open"}))


def test_it_binds_what_is_written_anew(database: Database, at: dict[str, int]) -> None:
    me = someone(
        database,
        scoped('state = "open"', "create"),
        {**make.rule("own", "read", "create", spent="read"), "key": "own"},
    )
    make.record(database, "visit", me, state="open", spent="1.00")
    with pytest.raises(Invalid) as refusal:  # the rule that lets `spent` be written is another
        make.record(database, "visit", me, state="closed", spent="1.00")
    assert [(p.path, p.code) for p in refusal.value.problems] == [("/spent", "E_READ_ONLY")]
    narrow = make.role("narrow", {"visit": [scoped('state = "open"', "create")]})
    make.publish(database, "role", narrow)
    other = make.person(database, "other", "B1", "narrow")
    make.record(database, "visit", other, state="open")
    with pytest.raises(NotAllowed):
        make.record(database, "visit", other, state="closed")


def test_it_can_be_kept_within_a_branch(database: Database, at: dict[str, int]) -> None:
    me = someone(database, scoped("urgent", "read", within="branch"))

    def deed(session: Session) -> list[int]:
        return [
            submit(session, SYSTEM, "visit", {"urgent": True}, unit_id=at[unit]).id
            for unit in ("B1", "B2")
        ]

    here, _there = database.write(deed)
    with database.read() as session:
        assert [record.id for record in list_records(session, me, "visit").items] == [here]


def test_why_names_the_expression_and_whether_it_holds(
    database: Database, at: dict[str, int]
) -> None:
    me = someone(database, scoped("spent > 10", "read"), rights=("people.read",))
    poor, rich = (make.record(database, "visit", spent=spent).id for spent in ("1.00", "11.00"))
    other = make.person(database, "bystander", "B1").person_id or 0
    far = make.person(database, "far", "B2").person_id or 0
    with database.read() as session:
        seen = explain(session, me, "visit", rich, me.person_id or 0)
        covering = [(r.scope, r.where, r.covers) for r in seen.reasons]
        assert covering == [("all", "spent > 10", True)]
        assert seen.may == ("read",) and set(seen.rights.values()) == {"read"}
        nothing = explain(session, me, "visit", rich, other)
        assert (nothing.reasons, nothing.may, set(nothing.rights.values())) == ((), (), {"hidden"})
        with pytest.raises(NotFound):
            explain(session, me, "visit", rich, far)
        with pytest.raises(NotFound):  # whoever may not see a record learns nothing about it
            explain(session, me, "visit", poor, me.person_id or 0)


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ('id_no = "110101199003074477"', "E_NOT_SQL"),
        ('LAST(UNIQUE(tags)) = "a"', "E_NOT_SQL"),
        ("spent", "E_EXPECT"),
        ("nothing = 1", "E_NO_NAME"),
        ("customer.nothing = 1", "E_NO_NAME"),
        ("spent >", "E_END"),
    ],
)
def test_what_no_database_can_answer_is_no_scope(
    database: Database, at: dict[str, int], where: str, code: str
) -> None:
    document = make.role("bad", {"visit": [scoped(where, "read")]})
    with pytest.raises(Invalid) as refusal:
        database.write(lambda session: publish_document(session, SYSTEM, "role", document))
    assert [(p.path, p.code) for p in refusal.value.problems] == [
        ("/forms/visit/0/scope/where", code)
    ]


def test_a_scope_that_means_nothing_covers_nothing(database: Database, at: dict[str, int]) -> None:
    """A role may come before its form, so what stands in it is not always checked."""
    document = make.role("early", {"visit": [scoped("nothing_there OR true", "read")]})
    database.write(lambda session: save_role(session, document, 1))
    me = make.person(database, "me", "B1", "early")
    made = make.record(database, "visit", urgent=True).id
    with database.read() as session:
        assert list_records(session, me, "visit", count=True).total == 0
        with pytest.raises(NotFound):
            get(session, me, "visit", made)


@pytest.mark.parametrize(
    ("rule", "rights"),
    [
        (
            partial(make.rule, "all", "read", spent="hidden", note="masked"),
            {"double": "hidden", "told": "read", "copy": "masked"},
        ),
        (
            partial(make.rule, "all", "read", spent="masked", note="hidden"),
            {"double": "masked", "told": "hidden", "copy": "hidden"},
        ),
        (
            partial(make.rule, "all", "read", spent="hidden", double="read"),
            {"double": "read", "told": "read", "copy": "read"},
        ),
        (
            partial(make.rule, "all", "read", "change", note="hidden"),
            {"double": "read", "told": "hidden", "copy": "write"},
        ),
    ],
)
def test_what_follows_from_a_hidden_field_is_hidden(
    database: Database,
    at: dict[str, int],
    rule: Callable[[], make.Json],
    rights: dict[str, str],
) -> None:
    """T06. A rule that names the follower has decided; so has one that lets it be written."""
    me = someone(database, rule())
    made = make.record(database, "visit", spent="12345.67", note="Geheimnis").id
    with database.read() as session:
        seen = get(session, me, "visit", made)
        assert {key: seen.rights[key] for key in rights} == rights
        assert ("24691.34" in str(seen.json())) == (rights["double"] == "read")
        found = list_records(session, me, "visit", where="double = 24691.34", count=True).total
        assert found == (1 if rights["double"] == "read" else 0)


STAY = make.form(
    "stay",
    {
        "name": make.field(),
        "customer": make.link("customer"),
        "visit": make.link("visit"),
        "at": make.field("datetime"),
    },
    x_label="name",
)


def leading(key: str, form: str, link: str, where: str, **more: Any) -> dict[str, Any]:
    """A rule whose rows are what another form's records lead to."""
    scope = {"within": "branch", "from": {"form": form, "link": link, **more}, "where": where}
    return {**make.rule("all", "read", "change"), "key": key, "scope": scope}


def test_a_rule_covers_what_another_forms_records_lead_to(
    database: Database, at: dict[str, int]
) -> None:
    make.publish(database, "form", STAY)
    rules = {
        "visit": [leading("to_it", "stay", "visit", "DATE(at) = TODAY()")],
        "customer": [leading("of_one", "visit", "customer", 'state = "open"')],
        "stay": [leading("beside", "visit", "customer", "urgent", via="customer")],
    }
    make.publish(database, "role", make.role("r", rules))
    me = make.person(database, "me", "B1", "r")

    def deed(session: Session) -> dict[str, int]:
        def made(form: str, unit: str = "B1", **values: Any) -> int:
            return submit(session, SYSTEM, form, values, unit_id=at[unit]).id

        ids = {name: made("customer", "B2", name=name) for name in ("open", "shut", "urgent")}
        ids["v1"] = made("visit", customer=str(ids["open"]), state="open")
        ids["v2"] = made("visit", customer=str(ids["shut"]), state="closed")
        made("visit", "B2", customer=str(ids["shut"]), state="open")  # of another branch
        ids["v3"] = made("visit", customer=str(ids["urgent"]), urgent=True)
        ids["today"] = made("stay", visit=str(ids["v1"]), at="2026-03-03T09:00:00+08:00")
        ids["before"] = made("stay", visit=str(ids["v2"]), at="2026-03-02T09:00:00+08:00")
        ids["his"] = made("stay", customer=str(ids["urgent"]))
        made("stay", customer=str(ids["open"]))
        return ids

    ids = database.write(deed)
    sees = {"visit": {"v1"}, "customer": {"open"}, "stay": {"his"}}
    with database.read() as session:
        for form, names in sees.items():
            listed = {row.id for row in list_records(session, me, form).items}
            assert listed == {ids[name] for name in names}, form
            shape = shape_of(session, form)
            alone = {
                row
                for row in session.scalars(select(shape.table.c._id))
                if may_do(session, me, form, row, "change")
            }
            assert alone == listed, form
        with pytest.raises(NotFound):
            get(session, me, "customer", ids["shut"])
    database.write(lambda s: change(s, me, "visit", ids["v1"], {"state": "closed"}))
    with database.read() as session, pytest.raises(NotFound):
        get(session, me, "customer", ids["open"])


def test_a_rule_over_another_form_says_what_can_be(database: Database, at: dict[str, int]) -> None:
    make.publish(database, "form", STAY)
    new = {**leading("x", "stay", "visit", "true"), "actions": ["read", "create"]}
    for rule, code in (
        (leading("x", "stay", "name", "true"), "E_NO_LINK"),
        (leading("x", "stay", "nothing", "true"), "E_NO_LINK"),
        (leading("x", "stay", "customer", "true"), "E_LEADS_ELSEWHERE"),
        (leading("x", "stay", "customer", "true", via="name"), "E_LEADS_ELSEWHERE"),
        (leading("x", "stay", "visit", "state"), "E_NO_NAME"),
        (new, "E_LEADS_TO_NONE"),
    ):
        with pytest.raises(Invalid) as refused:
            make.publish(database, "role", make.role("r", {"visit": [rule]}))
        assert code in {problem.code for problem in refused.value.problems}
