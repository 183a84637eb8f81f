"""The packs that come with Careloom: they install, they are canonical, they keep their promises."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.definitions.form import Form, form_of
from careloom.platform.definitions.options import in_language
from careloom.platform.definitions.published import entries, published
from careloom.platform.identity.actor import SYSTEM, Actor, actor_of
from careloom.platform.identity.model import Person
from careloom.platform.packs.apply import apply_pack
from careloom.platform.packs.plan import plan
from careloom.platform.packs.read import read_pack
from careloom.platform.records.check import violations
from careloom.platform.records.lists import get, list_records
from careloom.platform.records.submit import prepare, submit
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid, NotAllowed, NotFound
from careloom.platform.verbs.demo import load_demo

ROOT = Path(__file__).parents[2] / "blueprints"
FILES = sorted(ROOT.rglob("*.json"))
LANGUAGES = ("zh-CN", "en")
CLINICAL = ("den_exam_first", "treatment_plan")
HEADERS = "渠道 称呼 手机号 意向项目 业务线 接收时间 城市 诉求描述 平台线索号 个人信息同意"
MARKETING = ("marketing_manager",)
LEAD: dict[str, Any] = {
    "channel": "meituan",
    "name": "陈建国",
    "mobile": "199 0000 0001",
    "project": ["den_implant_std"],
    "pack_kind": "dental",
    "received_at": "2026-03-03T10:00",
    "consent_privacy": True,
}


def actor(session: Session, login: str) -> Actor:
    return actor_of(session, session.scalars(select(Person.id).where(Person.login == login)).one())


def names(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=names)
def test_a_file_is_canonical(path: Path) -> None:
    text = path.read_text("utf-8")
    document = json.loads(text)
    assert text == json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def labels(node: object) -> Iterator[dict[str, str]]:
    """Every label in two languages, wherever it stands."""
    if isinstance(node, dict):
        if set(node) & set(LANGUAGES):
            yield node
        else:
            for inner in node.values():
                yield from labels(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from labels(inner)


@pytest.mark.parametrize("path", FILES, ids=names)
def test_every_label_stands_in_both_languages(path: Path) -> None:
    for label in labels(json.loads(path.read_text("utf-8"))):
        assert set(label) == set(LANGUAGES) and all(label.values())
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in label["en"]), label["en"]


def unkeyed(node: object, at: str = "") -> Iterator[str]:
    """Objects inside a list without a key of their own: they could not be merged. What a record
    is given has none: its rows are data, and are merged as one value."""
    if isinstance(node, dict):
        for name, inner in node.items():
            if name != "values":
                yield from unkeyed(inner, f"{at}/{name}")
    elif isinstance(node, list):
        for position, inner in enumerate(node):
            if isinstance(inner, dict) and "key" not in inner:
                yield f"{at}/{position}"
            yield from unkeyed(inner, f"{at}/{position}")


@pytest.mark.parametrize("path", [path for path in FILES if path.parent != ROOT], ids=names)
def test_every_object_in_a_list_has_a_key(path: Path) -> None:
    assert list(unkeyed(json.loads(path.read_text("utf-8")))) == []


def test_the_packs_are_in_force_and_applying_them_again_changes_nothing(demo: Database) -> None:
    for key in ("clinic", "dental"):
        pack = read_pack(ROOT / key)
        with demo.read() as session:
            found = plan(session, pack)
            assert found.problems == ()
            assert {step.action for step in found.steps} == {"same"}
        demo.write(lambda session, pack=pack: apply_pack(session, SYSTEM, pack))  # type: ignore[misc]
    with demo.read() as session:
        assert {entry.version for entry in entries(session)} == {1}
        kinds = {entry.kind for entry in entries(session)}
    assert kinds >= {"form", "list", "role", "calendar", "flow", "report"}


def test_everyone_of_the_demo_is_there_and_setting_up_again_adds_nobody(demo: Database) -> None:
    people = load_demo(demo)
    assert all(person.password is None for person in people)
    assert {person.login for person in people} >= set(
        "admin ops group manager supervisor agent desk consultant doctor nurse "
        "manager2 agent2 doctor2".split()
    )


def forms(session: Session) -> list[Form]:
    return [form_of(published(session, "form", entry.key)) for entry in entries(session, "form")]


def test_headers_of_a_lead_file_are_labels_of_fields(demo: Database) -> None:
    with demo.read() as session:
        lead = form_of(published(session, "form", "lead_intake"))
    titles = {
        field.title["zh-CN"] for field in lead.fields.values() if not isinstance(field.title, str)
    }
    headers = (
        "渠道 称呼 手机号 意向项目 业务线 接收时间 城市 诉求描述 平台线索号 个人信息同意".split()
    )
    assert set(headers) <= titles


def test_no_two_fields_of_a_form_share_a_label(demo: Database) -> None:
    with demo.read() as session:
        for form in forms(session):
            for language in LANGUAGES:
                titles = [in_language(field.title, language) for field in form.fields.values()]
                assert len(set(titles)) == len(titles), form.key


def refused(session: Session, **changed: Any) -> set[tuple[str, str]]:
    """What the form finds wrong with the good lead once it is changed so."""
    values = {key: value for key, value in {**LEAD, **changed}.items() if value is not None}
    try:
        prepare(session, SYSTEM, "lead_intake", values)
    except Invalid as refusal:
        return {(problem.path, problem.code) for problem in refusal.problems}
    return set()


def test_a_good_lead_is_taken_and_scored(demo: Database) -> None:
    with demo.read() as session:
        prepared = prepare(session, SYSTEM, "lead_intake", LEAD)
        assert prepared.values["mobile"] == "19900000001"
        assert prepared.values["status"] == "new"
        assert prepared.values["lead_score"] == 45
        hot = {**LEAD, "expected_time": "now", "budget": "k10_30", "channel": "walk_in"}
        assert prepare(session, SYSTEM, "lead_intake", hot).values["lead_score"] == 85
        cool = {**LEAD, "external_id": "x", "budget": "unknown", "expected_time": "later"}
        del cool["mobile"]
        assert prepare(session, SYSTEM, "lead_intake", cool).values["lead_score"] == 15


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"consent_privacy": False}, {("/consent_privacy", "E_CONSENT")}),
        ({"consent_privacy": None}, {("/consent_privacy", "E_REQUIRED")}),
        ({"consent_privacy": False, "mobile": None, "external_id": "m1"}, set()),
        ({"mobile": None}, {("/mobile", "E_REQUIRED")}),
        ({"mobile": None, "wecom_external_id": "w1"}, set()),
        ({"project": []}, {("/project", "E_REQUIRED")}),
        ({"channel": "tiktok"}, {("/channel", "E_OPTION")}),
        ({"channel": "promoter"}, {("/referrer", "E_REQUIRED")}),
        ({"age": 111}, {("/age", "E_TOO_LARGE")}),
        ({"colour": "red"}, {("/colour", "E_UNKNOWN_FIELD")}),
    ],
    ids=lambda value: "" if isinstance(value, set) else ",".join(value),
)
def test_a_wrong_lead_is_refused(
    demo: Database, changed: dict[str, Any], found: set[tuple[str, str]]
) -> None:
    with demo.read() as session:
        assert refused(session, **changed) == found


def test_people_do_not_write_what_is_the_flows(demo: Database) -> None:
    with demo.read() as session:
        agent = actor(session, "agent")
        with pytest.raises(Invalid) as refusal:
            prepare(session, agent, "lead_intake", {**LEAD, "grade": "A", "lead_score": 99})
        assert {problem.path for problem in refusal.value.problems} == {"/grade", "/lead_score"}


def test_a_follow_up_asks_for_what_comes_next(demo: Database) -> None:
    lead = demo.write(lambda session: submit(session, SYSTEM, "lead_intake", LEAD).id)
    call = {"lead": str(lead), "result": "answered", "summary": "想种牙", "next_action": "invite"}
    with demo.read() as session:
        with pytest.raises(Invalid) as refusal:
            prepare(session, SYSTEM, "followup_log", call)
        assert [problem.path for problem in refusal.value.problems] == ["/next_at"]
        late = {**call, "next_at": "2200-01-01T10:00", "grade_after": "A"}
        prepared = prepare(session, SYSTEM, "followup_log", late)
        assert [warning.params["rule"] for warning in prepared.warnings] == ["next_soon"]
        assert prepared.values["method"] == "call" and "started_at" in prepared.values
        over = {**call, "next_action": "close", "next_at": "2026-01-01T10:00"}
        with pytest.raises(Invalid) as refusal:
            prepare(session, SYSTEM, "followup_log", over)
        assert [problem.path for problem in refusal.value.problems] == ["/lost_reason"]


def roles() -> dict[str, dict[str, Any]]:
    return {
        role["key"]: role
        for path in ROOT.glob("*/roles.json")
        for role in json.loads(path.read_text("utf-8"))["roles"]
    }


def test_marketing_roles_name_no_clinical_form() -> None:
    for key in MARKETING:
        assert not set(CLINICAL) & set(roles()[key]["forms"])


def test_every_role_of_the_demo_exists() -> None:
    people = json.loads((ROOT / "demo.json").read_text("utf-8"))["people"]
    assert {role for person in people for role in person["roles"]} <= set(roles())


@pytest.fixture(scope="module")
def lead_of_the_agent(demo: Database) -> int:
    """A lead of branch 1 that the agent owns."""

    def deed(session: Session) -> int:
        owner = str(actor(session, "agent").person_id)
        return submit(session, SYSTEM, "lead_intake", {**LEAD, "name": "方圆", "owner": owner}).id

    return demo.write(deed)


@pytest.mark.parametrize(
    ("login", "mobile"),
    [
        ("agent", "19900000001"),
        ("supervisor", "19900000001"),
        ("desk", "19900000001"),
        ("manager", "199****0001"),
        ("group", "199****0001"),
        ("ops", "199****0001"),
        ("admin", "199****0001"),
        ("consultant", None),  # until the customer is theirs, or comes
        ("doctor", None),
        ("nurse", None),
        ("agent2", None),
        ("manager2", None),
        ("doctor2", None),
    ],
)
def test_who_sees_a_leads_mobile(
    demo: Database, lead_of_the_agent: int, login: str, mobile: str | None
) -> None:
    with demo.read() as session:
        if mobile is None:
            with pytest.raises((NotFound, NotAllowed)):
                get(session, actor(session, login), "lead_intake", lead_of_the_agent)
        else:
            seen = get(session, actor(session, login), "lead_intake", lead_of_the_agent)
            assert seen.values["mobile"] == mobile


@pytest.mark.parametrize(
    ("login", "may"),
    [("admin", True), ("manager", True), ("supervisor", True), ("agent", False), ("ops", False)],
)
def test_who_may_import_leads(demo: Database, login: str, may: bool) -> None:
    with demo.read() as session:
        importer = actor(session, login)
        if may:
            prepare(session, importer, "lead_intake", LEAD, action="import")
        else:
            with pytest.raises(NotAllowed):
                prepare(session, importer, "lead_intake", LEAD, action="import")


def test_an_agent_sees_the_pool_of_the_own_branch_only(demo: Database) -> None:
    with demo.read() as session:
        ours = prepare(session, SYSTEM, "lead_intake", LEAD)
        assert ours.owner_id is None
    waiting = demo.write(
        lambda session: submit(session, SYSTEM, "lead_intake", {**LEAD, "name": "池中"}).id
    )
    with demo.read() as session:
        mine = get(session, actor(session, "agent"), "lead_intake", waiting)
        assert mine.values["mobile"] == "199****0001" and mine.rights["owner"] == "read"
        with pytest.raises(NotFound):
            get(session, actor(session, "agent2"), "lead_intake", waiting)
        assert waiting not in {
            record.id
            for record in list_records(session, actor(session, "agent2"), "lead_intake").items
        }


def test_the_demo_is_set_up_on_each_database(database: Database) -> None:
    load_demo(database)
    lead = database.write(lambda session: submit(session, SYSTEM, "lead_intake", LEAD).id)
    with database.read() as session:
        seen = list_records(
            session, actor(session, "supervisor"), "lead_intake", where='mobile = "19900000001"'
        )
        assert [record.id for record in seen.items] == [lead]
        assert list(violations(session)) == []
