"""The API: who am I, people, units, tokens, definitions, records, and its own document."""

from datetime import timedelta
from typing import Any

import make
import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import select
from visitors import FORM, Caller, Site

from careloom.platform.store.clock import TurnedClock
from careloom.platform.web.idempotency import CLEARED
from careloom.platform.web.model import AnswerRow

OWN = make.rule("own", "read", "create", "change", "retire")
POOL = make.rule("unowned", "read", mobile="masked", deal="hidden")


@pytest.fixture
def admin(either_site: Site) -> Caller:
    return Caller(either_site, either_site.token(either_site.person("admin", "G", "everything")))


@pytest.fixture
def agent(either_site: Site) -> Caller:
    either_site.role("agent", lead=[OWN, POOL])
    return Caller(either_site, either_site.token(either_site.person("agent", "B1", "agent")))


def test_me_says_who_i_am_and_what_i_hold(either_site: Site, agent: Caller) -> None:
    me = agent("GET", "/api/me").json
    assert (me["login"], me["unit"]["code"], me["rights"]) == ("agent", "B1", [])
    assert me["roles"] == [{"role": "agent", "title": "agent", "unit": me["unit"]}]


def test_a_record_lives_from_its_submission_to_its_retirement(
    either_site: Site, agent: Caller
) -> None:
    me = agent("GET", "/api/me").json["id"]
    sent = {"name": "王丽娜", "mobile": "19900010001", "owner": me, "deal": "1280.00"}
    made = agent("POST", "/api/records/lead", {"values": sent})
    assert made.status_code == 201, made.json
    record = made.json
    place = made.headers["Location"]
    assert place == f"/api/records/lead/{record['id']}" and made.headers["ETag"] == '"1"'
    assert record["values"] == sent and record["label"] == "王丽娜"
    assert record["unit"] == str(either_site.at["B1"]) and record["owner"] == me
    assert record["created_at"] == "2026-03-03T02:00:00Z"
    assert agent("GET", place).json == record

    change = {"values": {"deal": "900.00"}}
    assert agent("PATCH", place, change).status_code == 428
    assert agent("PATCH", place, change, If_Match="x").status_code == 400
    changed = agent("PATCH", place, change, If_Match='"1"')
    assert changed.status_code == 200 and changed.json["values"]["deal"] == "900.00"
    stale = agent("PATCH", place, change, If_Match='"1"')
    assert stale.status_code == 412 and stale.json["current"]["revision"] == 2

    lines = agent("GET", f"{place}/history").json["items"]
    assert [line["revision"] for line in lines] == [2, 1]
    assert lines[0]["changed"] == {"deal": {"before": "1280.00", "after": "900.00"}}
    then = agent("GET", f"{place}?as_of={record['created_at']}").json
    assert (then["values"], then["revision"]) == (changed.json["values"], 2)  # within one moment
    for at, status in (("2026-03-02", 404), ("yesterday", 400), ("2026-03-03T10:00", 400)):
        assert agent("GET", f"{place}?as_of={at}").status_code == status
    assert agent("DELETE", place, If_Match='"2"').status_code == 204
    assert agent("GET", "/api/records/lead").json["items"] == []
    gone = agent("GET", "/api/records/lead?retired=true").json["items"]
    assert [each["retired_at"] for each in gone] == ["2026-03-03T02:00:00Z"]
    assert agent("POST", f"{place}/restore", If_Match='"2"').status_code == 412
    back = agent("POST", f"{place}/restore", If_Match='"3"')
    assert (back.status_code, back.json["retired_at"], back.json["revision"]) == (200, None, 4)
    assert agent("POST", f"{place}/restore").status_code == 409


def test_the_values_alone_are_taken_too_and_nothing_beside_them(agent: Caller) -> None:
    me = agent("GET", "/api/me").json["id"]
    assert agent("POST", "/api/records/lead", {"name": "A", "owner": me}).status_code == 201
    beside = agent("POST", "/api/records/lead", {"values": {"name": "A"}, "state": "signed"})
    assert beside.status_code == 400 and beside.json["problems"][0]["path"] == "/state"
    unknown = agent("POST", "/api/records/lead", {"values": {"nmae": "A", "owner": me}})
    assert unknown.status_code == 422
    assert "/nmae" in [problem["path"] for problem in unknown.json["problems"]]
    assert unknown.json["problems"][0]["message"]


def test_a_list_is_counted_filtered_sorted_and_walked_within_what_i_may_see(
    either_site: Site, agent: Caller
) -> None:
    for n in range(5):
        make.record(
            either_site.database, "lead", name=f"n{n}", deal=f"{n}00.00", mobile=f"1990001000{n}"
        )
    either_site.role("agent", lead=[OWN])
    assert agent("GET", "/api/records/lead").json["total"] == 0
    either_site.role("agent", lead=[{**OWN, "scope": "all"}])
    first = agent("GET", "/api/records/lead?limit=2&sort=-deal&filter=deal < 400").json
    assert ([r["label"] for r in first["items"]], first["total"]) == (["n3", "n2"], 4)
    address = f"/api/records/lead?limit=2&sort=-deal&filter=deal < 400&cursor={first['next']}"
    second = agent("GET", address).json
    assert [r["label"] for r in second["items"]] == ["n1", "n0"] and second["next"] is None
    narrow = agent("GET", "/api/records/lead?fields=name&limit=1").json["items"][0]
    assert set(narrow["values"]) == {"name"}
    for wrong in ("fields=secret", "sort=secret", "filter=secret%20=%201", "sort=name;drop table"):
        assert agent("GET", f"/api/records/lead?{wrong}").status_code in (400, 422), wrong


def test_what_a_rule_masks_or_hides_is_not_in_the_answer(either_site: Site, agent: Caller) -> None:
    made = make.record(either_site.database, "lead", name="A", mobile="19900010001", deal="1.00")
    either_site.role("agent", lead=[OWN])
    assert agent("GET", f"/api/records/lead/{made.id}").status_code == 404
    either_site.role("agent", lead=[{**POOL, "scope": "all"}])
    seen = agent("GET", f"/api/records/lead/{made.id}").json
    assert seen["values"] == {"name": "A", "mobile": "199****0001"}
    assert "deal" not in seen["rights"]
    history = agent("GET", f"/api/records/lead/{made.id}/history").text
    assert "19900010001" not in history and "deal" not in history


def test_the_same_submission_again_is_one_record(either_site: Site, agent: Caller) -> None:
    me = agent("GET", "/api/me").json["id"]
    sent = {"values": {"name": "A", "owner": me}}
    first = agent("POST", "/api/records/lead", sent, Idempotency_Key="k1")
    again = agent("POST", "/api/records/lead", sent, Idempotency_Key="k1")
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Location"] == first.headers["Location"]
    assert agent("GET", "/api/records/lead").json["total"] == 1


def test_an_encrypted_value_is_in_no_kept_answer(either_site: Site, agent: Caller) -> None:
    card = "110101199003074477"
    held = make.form("held", {"name": make.field(), "card": make.field("id_card")}, ["name"])
    make.publish(either_site.database, "form", held)
    either_site.role("agent", held=[make.rule("all", "read", "create")])
    sent = {"values": {"name": "A", "card": card}}
    first = agent("POST", "/api/records/held", sent, Idempotency_Key="k1")
    assert (first.status_code, first.json["values"]["card"]) == (201, card)
    again = agent("POST", "/api/records/held", sent, Idempotency_Key="k1")
    assert (again.json["id"], again.json["values"]) == (first.json["id"], {"name": "A"})
    with either_site.database.read() as session:
        (kept,) = session.scalars(select(AnswerRow.body))
    assert first.json["id"] in kept and card not in kept


def test_a_key_whose_answer_is_over_stands_for_something_new(
    either_site: Site, agent: Caller, clock: TurnedClock
) -> None:
    me = agent("GET", "/api/me").json["id"]
    sent = [{"values": {"name": name, "owner": me}} for name in "AB"]
    agent("POST", "/api/records/lead", sent[0], Idempotency_Key="k1")
    clock.turn(timedelta(hours=24, minutes=5))
    either_site.app.extensions[CLEARED] = clock.now()  # nobody has cleared it away yet
    new = agent("POST", "/api/records/lead", sent[1], Idempotency_Key="k1")
    again = agent("POST", "/api/records/lead", sent[1], Idempotency_Key="k1")
    assert (new.status_code, again.json) == (201, new.json)
    assert agent("GET", "/api/records/lead").json["total"] == 2


@pytest.mark.parametrize(
    "path", ["lead/1", "lead/0", "lead/99999999999999999999", "lead/-1", "lead/x", "nothing/1"]
)
def test_what_is_not_there_is_not_found(site: Site, path: str) -> None:
    site.role("agent", lead=[OWN])
    call = Caller(site, site.token(site.person("agent", "B1", "agent")))
    for method in ("GET", "DELETE"):
        assert call(method, f"/api/records/{path}").status_code == 404


def test_people_are_added_given_roles_and_disabled(either_site: Site, admin: Caller) -> None:
    at = either_site.at
    either_site.role("agent", lead=[OWN])
    sent = {"login": "New.One", "name": "New", "unit": str(at["B1"]), "password": "correct horse"}
    made = admin("POST", "/api/people", sent)
    assert made.status_code == 201, made.json
    assert made.json["login"] == "new.one" and "password" not in made.text
    place = made.headers["Location"]
    given = admin("POST", f"{place}/roles", {"role": "agent", "unit": str(at["B1"])})
    assert given.status_code == 201 and given.json["until"] is None
    assert admin("GET", place).json["roles"][0]["role"] == "agent"
    visitor = either_site.visitor()
    assert visitor.sign_in("new.one", "correct horse").status_code == 303
    assert admin("POST", f"{place}/disable").status_code == 204
    assert visitor.get("/api/me").status_code == 401
    assert admin("POST", f"{place}/enable").status_code == 204
    reset = admin("POST", f"{place}/password", {"password": "another good secret"})
    assert reset.status_code == 204
    assert either_site.visitor().sign_in("new.one", "another good secret").status_code == 303
    assert admin("DELETE", f"{place}/roles/agent/{at['B1']}").status_code == 204
    assert admin("DELETE", f"{place}/roles/agent/{at['B1']}").status_code == 404
    assert admin("PATCH", place, {"name": "Newer", "unit": str(at["B2"])}).json["name"] == "Newer"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"login": "x y", "name": "N"}, 422),
        ({"login": "admin", "name": "N"}, 409),
        ({"login": "okay", "name": ""}, 400),
        ({"login": "okay", "name": "N", "password": "1234567890"}, 422),
        ({"login": "okay", "name": "N", "language": "fr"}, 400),
        ({"login": 7, "name": "N"}, 400),
        ({"name": "N"}, 400),
    ],
)
def test_a_person_that_is_not_right_is_not_added(
    site: Site, sent: dict[str, Any], status: int
) -> None:
    admin = Caller(site, site.token(site.person("admin", "G", "everything")))
    answer = admin("POST", "/api/people", {"unit": str(site.at["B1"]), **sent})
    assert answer.status_code == status, answer.json


def test_units_are_added_and_moved(either_site: Site, admin: Caller) -> None:
    at = either_site.at
    sent = {
        "code": "B3",
        "title": {"zh-CN": "三店", "en": "Branch 3"},
        "type": "branch",
        "parent": str(at["R"]),
    }
    made = admin("POST", "/api/units", sent).json
    assert made["time_zone"] == "Asia/Shanghai"
    moved = admin("PATCH", f"/api/units/{made['id']}", {"parent": str(at["G"])}).json
    assert moved["parent"] == str(at["G"])
    circle = admin("PATCH", f"/api/units/{at['G']}", {"parent": made["id"]})
    assert circle.status_code == 409
    assert [u["code"] for u in admin("GET", "/api/units").json["items"]][0] == "G"


def test_tokens_are_issued_listed_and_revoked(either_site: Site, agent: Caller) -> None:
    made = agent("POST", "/api/tokens", {"title": "robot", "days": 7}).json
    robot = Caller(either_site, {"Authorization": f"Bearer {made['token']}"})
    assert robot("GET", "/api/me").json["login"] == "agent"
    listed = agent("GET", "/api/tokens")
    assert made["token"] not in listed.text and made["prefix"] in listed.text
    assert agent("DELETE", f"/api/tokens/{made['id']}").status_code == 204
    assert robot("GET", "/api/me").status_code == 401


def test_definitions_are_read_in_any_version(either_site: Site, admin: Caller) -> None:
    place = "/api/definitions/form/visit"
    document = make.form("visit", {"name": make.field()})
    make.publish(either_site.database, "form", document)
    assert admin("GET", place).json["document"] == document
    assert admin("GET", f"{place}?version=1").json["version"] == 1
    assert admin("GET", f"{place}?version=2").status_code == 404
    assert len(admin("GET", f"{place}/versions").json["items"]) == 1
    listed = admin("GET", "/api/definitions?kind=form").json["items"]
    assert [d["key"] for d in listed] == ["lead", "visit"]
    assert admin("GET", "/api/definitions?kind=nothing").status_code == 400


def test_two_versions_are_compared_in_words(either_site: Site, admin: Caller) -> None:
    place = "/api/definitions/form/visit"
    for title in ("Name", "Full name", "Patient"):
        document = make.form("visit", {"name": make.field(title=title)})
        make.publish(either_site.database, "form", document)
    last = admin("GET", f"{place}/compare").json
    assert (last["from"], last["to"]) == (2, 3)
    whole = admin("GET", f"{place}/compare?from=1&to=3").json["changes"]
    assert whole == [
        {
            "path": "/properties/name/x-title",
            "act": "changed",
            "words": "field “Patient”: title went from “Name” to “Patient”",
            "before": "Name",
            "after": "Patient",
        }
    ]
    assert admin("GET", f"{place}/compare?from=2&to=2").json["changes"] == []
    assert admin("GET", f"{place}/compare?from=x").status_code == 400
    for query in ("?to=1", "?from=4", "?to=9"):
        assert admin("GET", f"{place}/compare{query}").status_code == 404


def test_uses_name_each_place_that_names_a_definition(either_site: Site, admin: Caller) -> None:
    note = make.field(x_visible='lead.name = "Li"')
    visit = make.form("visit", {"lead": make.link("lead"), "note": note})
    make.publish(either_site.database, "form", visit)
    items = admin("GET", "/api/definitions/form/lead/uses").json["items"]
    others = [(use["field"], use["key"], use["path"]) for use in items if use["key"] != "lead"]
    assert others == [
        (None, "visit", "/properties/lead/x-options/form"),
        ("name", "visit", "/properties/note/x-visible"),
    ]
    assert admin("GET", "/api/definitions/form/nothing/uses").status_code == 404


def test_an_agent_reads_no_definitions_and_no_people(agent: Caller) -> None:
    for path in ("/api/definitions", "/api/people", "/api/roles", "/api/definitions/form/lead"):
        assert agent("GET", path).status_code == 403


# --- the document ----------------------------------------------------------------------------


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*(references(value) for value in part.values()))
    return set().union(*(references(value) for value in part)) if isinstance(part, list) else set()


def test_the_document_describes_every_route_a_program_may_call(
    either_site: Site, admin: Caller
) -> None:
    document = admin("GET", "/api/openapi.json").json
    assert document["openapi"] == "3.1.0"
    routes = {
        rule.rule.replace("<id:", "{").replace("<", "{").replace(">", "}")
        for rule in either_site.app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
    }
    assert routes <= set(document["paths"])
    operations = [o for path in document["paths"].values() for o in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for operation in operations:
        assert operation["responses"] and operation["summary"]
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= known
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_each_form_i_may_use_has_paths_and_values_of_its_own(
    either_site: Site, agent: Caller
) -> None:
    document = agent("GET", "/api/openapi.json").json
    paths, schemas = document["paths"], document["components"]["schemas"]
    assert set(paths["/api/records/lead"]) == {"get", "post"}
    given = schemas["Given_lead"]
    assert given["required"] == ["name"] and given["additionalProperties"] is False
    assert set(given["properties"]) == set(FORM["properties"])
    assert given["properties"]["name"]["title"] == "Name"
    assert not [key for key in given["properties"]["name"] if key.startswith("x-")]
    either_site.role("agent", lead=[POOL])
    document = agent("GET", "/api/openapi.json").json
    assert set(document["paths"]["/api/records/lead"]) == {"get"}
    assert "deal" not in document["components"]["schemas"]["Values_lead"]["properties"]
    either_site.role("agent")
    document = agent("GET", "/api/openapi.json").json
    assert "/api/records/lead" not in document["paths"]


def test_answers_are_what_the_document_says(either_site: Site, admin: Caller) -> None:
    document = admin("GET", "/api/openapi.json").json
    for path, operations in document["paths"].items():
        if "{" in path or "get" not in operations:
            continue
        answer = admin("GET", path)
        declared = operations["get"]["responses"]
        assert str(answer.status_code) in declared, f"{path}: {answer.status_code}"
        if answer.status_code == 200:
            schema = declared["200"]["content"]["application/json"]["schema"]
            whole = {**schema, "components": document["components"]}
            Draft202012Validator(whole).validate(answer.json)
