"""The forms of a visit: appointment, check-in, examination, plan and payment."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.identity.actor import SYSTEM, Actor, actor_of
from careloom.platform.identity.model import Person
from careloom.platform.identity.permissions import access
from careloom.platform.identity.tree import unit_by_code
from careloom.platform.records.lists import get
from careloom.platform.records.submit import Prepared, prepare, submit
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid, NotAllowed, NotFound

START = datetime(2026, 3, 5, 6, 30, tzinfo=UTC)


def actor(session: Session, login: str) -> Actor:
    return actor_of(session, session.scalars(select(Person.id).where(Person.login == login)).one())


CLIENT = {
    "kind": "person",
    "name": "王芳",
    "gender": "female",
    "mobile": "19900000007",
    "first_channel": "walk_in",
    "first_touch_at": "2026-03-01T10:00",
    "owner_channel": "walk_in",
    "lifecycle_stage": "lead",
}
ARRIVAL = {
    "visit_kind": "first",
    "how_know": "walk_in",
    "id_checked": True,
    "privacy_signed": True,
    "triage": "den_general",
}


@pytest.fixture(scope="module")
def customer(demo: Database) -> str:
    """A customer of branch 1, of whom the doctor is in charge."""

    def deed(session: Session) -> str:
        doctor = str(actor(session, "doctor").person_id)
        given = {**CLIENT, "attending_doctor": doctor}
        return str(submit(session, SYSTEM, "customer_profile", given).id)

    return demo.write(deed)


def tried(demo: Database, form: str, values: dict[str, Any], login: str = "desk") -> Prepared:
    with demo.read() as session:
        return prepare(session, actor(session, login), form, values)


def wrong(
    demo: Database, form: str, values: dict[str, Any], login: str = "desk"
) -> list[tuple[str, str]]:
    """What is found wrong, by field."""
    with pytest.raises(Invalid) as refusal:
        tried(demo, form, values, login)
    return sorted((problem.path, problem.code) for problem in refusal.value.problems)


def appointment(demo: Database, customer: str, **more: Any) -> dict[str, Any]:
    with demo.read() as session:
        clinic = str(unit_by_code(session, "R1-B01").id)
    return {
        "customer": customer,
        "appt_type": "first_visit",
        "clinic": clinic,
        "dept": "den_general",
        "items": ["den_exam_first"],
        "start_at": "2026-03-05T14:30",
        **more,
    }


def test_an_appointment_lasts_half_an_hour_unless_told(demo: Database, customer: str) -> None:
    made = tried(demo, "appointment", appointment(demo, customer))
    assert made.values["end_at"] == START + timedelta(minutes=30)
    assert made.values["status"] == "booked"
    longer = appointment(demo, customer, end_at="2026-03-05T16:00")
    assert tried(demo, "appointment", longer).values["end_at"] == START + timedelta(minutes=90)
    backwards = appointment(demo, customer, end_at="2026-03-05T14:00")
    assert wrong(demo, "appointment", backwards) == [("/end_at", "E_RULE")]


def test_a_confirmed_appointment_needs_doctor_and_chair(demo: Database, customer: str) -> None:
    confirmed = appointment(demo, customer, status="confirmed")
    assert wrong(demo, "appointment", confirmed) == [
        ("/doctor", "E_REQUIRED"),
        ("/resource", "E_REQUIRED"),
    ]
    missed = appointment(demo, customer, status="no_show")
    assert wrong(demo, "appointment", missed) == [("/no_show_reason", "E_REQUIRED")]


def test_waiting_counts_from_the_later_of_plan_and_check_in(demo: Database, customer: str) -> None:
    late = appointment(demo, customer, checkin_at="2026-03-05T14:40", seated_at="2026-03-05T14:52")
    assert tried(demo, "appointment", late).values["wait_min"] == 12
    early = {**late, "checkin_at": "2026-03-05T14:00"}
    assert tried(demo, "appointment", early).values["wait_min"] == 22


CHECKIN = {
    "visit_kind": "first",
    "how_know": "meituan",
    "id_checked": True,
    "privacy_signed": True,
    "triage": "den_general",
}


def test_a_check_in_knows_who_greeted(demo: Database, customer: str) -> None:
    made = tried(demo, "checkin", {**CHECKIN, "customer": customer, "temperature": "36.6"})
    with demo.read() as session:
        assert made.values["greeted_by"] == actor(session, "desk").person_id
    assert made.values["temperature"] == Decimal("36.6")
    first = {key: value for key, value in CHECKIN.items() if key != "how_know"}
    assert wrong(demo, "checkin", {**first, "customer": customer}) == [("/how_know", "E_REQUIRED")]
    again = tried(demo, "checkin", {**CHECKIN, "customer": customer, "visit_kind": "in_course"})
    assert "how_know" not in again.values


PLAN = {
    "consult": "初诊 2026-03-05",
    "option_no": "a",
    "diagnosis": "46 缺失",
    "goals": "恢复咀嚼",
    "limits": "不做将致邻牙倾斜",
    "risks": "感染",
    "complexity": "c2",
    "items": [
        {"item": "den_implant_std", "qty": "1", "list_price": "10000", "discount": "0.1"},
        {"item": "den_scaling", "qty": "4", "list_price": "500", "discount": "0.1"},
    ],
}


def plan(demo: Database, customer: str, **more: Any) -> dict[str, Any]:
    with demo.read() as session:
        author = str(actor(session, "doctor").person_id)
    return {**PLAN, "customer": customer, "author": author, **more}


def test_a_plans_discount_is_worked_out(demo: Database, customer: str) -> None:
    made = tried(demo, "treatment_plan", plan(demo, customer), "doctor").values
    assert [row["net"] for row in made["items"]] == [Decimal("9000.00"), Decimal("1800.00")]
    assert (made["total_list"], made["total_net"]) == (Decimal("12000.00"), Decimal("10800.00"))
    assert made["discount_rate"] == Decimal("0.1000")
    typed = plan(demo, customer, total_net="13000")
    assert wrong(demo, "treatment_plan", typed, "doctor") == [("/total_net", "E_READ_ONLY")]


def test_list_prices_come_with_what_is_chosen_unless_others_are_agreed(
    demo: Database, customer: str
) -> None:
    rows = [{"item": "den_pano", "qty": "2"}, {"item": "den_pano", "list_price": "99"}]
    made = tried(demo, "treatment_plan", plan(demo, customer, items=rows), "doctor").values
    assert [row["list_price"] for row in made["items"]] == [Decimal("120.00"), Decimal("99.00")]
    assert made["total_list"] == Decimal("339.00")
    bill = {"customer": customer, "pay_kind": "full", "lines": [{"item": "den_pano"}]}
    (line,) = tried(demo, "payment", bill).values["lines"]
    assert (line["price"], line["dept"]) == (Decimal("120.00"), "imaging")


@pytest.mark.parametrize(("price", "needed"), [("10000", False), ("10000.01", True)])
def test_a_plan_over_ten_thousand_needs_approval(
    demo: Database, customer: str, price: str, needed: bool
) -> None:
    one = plan(demo, customer, items=[{"item": "den_crown_zir", "qty": "1", "list_price": price}])
    assert tried(demo, "treatment_plan", one, "doctor").values["approval_needed"] is needed


def test_an_undecided_plan_needs_a_reason_and_a_next_time(demo: Database, customer: str) -> None:
    thinking = plan(demo, customer, decision="think")
    assert wrong(demo, "treatment_plan", thinking, "doctor") == [
        ("/next_followup", "E_REQUIRED"),
        ("/undecided_reason", "E_REQUIRED"),
    ]


def test_a_paid_bill_balances(demo: Database, customer: str) -> None:
    bill = {
        "customer": customer,
        "pay_kind": "full",
        "lines": [bill_line("9000", "300"), bill_line("1800")],
        "status": "paid",
        "methods": [
            {"method": "wechat", "amount": "10000"},
            {"method": "cash", "amount": "500"},
        ],
        "paid_at": "2026-03-05T16:00",
    }
    paid = tried(demo, "payment", bill).values
    sums = ("amount_due", "discount_total", "amount_paid", "balance")
    assert [paid[key] for key in sums] == [Decimal(n) for n in ("10800", "300", "10500", "0")]
    assert paid["check_balance"] is True
    short = {**bill, "methods": [{"method": "wechat", "amount": "10000"}]}
    assert wrong(demo, "payment", short) == [("/methods", "E_RULE")]
    deep = {**short, "lines": [bill_line("10800", "800")]}
    assert wrong(demo, "payment", deep) == [("/approver", "E_REQUIRED")]
    below = {**bill, "lines": [bill_line("100", "200")], "status": "unpaid"}
    assert ("/lines", "E_RULE") in wrong(demo, "payment", below)
    unpaid = {key: bill[key] for key in ("customer", "pay_kind", "lines")}
    open_ = tried(demo, "payment", unpaid).values
    assert (open_["balance"], open_["check_balance"]) == (Decimal("10500.00"), False)


def bill_line(price: str, discount: str | None = None) -> dict[str, str]:
    line = {"item": "den_crown_zir", "qty": "1", "price": price}
    return line if discount is None else {**line, "discount": discount}


EXAM = {
    "face_symmetry": "normal",
    "tmj": ["normal"],
    "mouth_opening_mm": 42,
    "mucosa": "normal",
    "diagnosis": ["K08_1"],
    "risk_caries": "low",
    "risk_perio": "mid",
    "complexity": "c2",
    "doctor_advice": "择期种植",
}


def test_an_examination_warns_and_refuses_what_contradicts(demo: Database, customer: str) -> None:
    exam = {**EXAM, "customer": customer}
    assert tried(demo, "den_exam_first", exam, "doctor").warnings == []
    narrow = tried(demo, "den_exam_first", {**exam, "mouth_opening_mm": 20}, "doctor")
    assert [warning.params["rule"] for warning in narrow.warnings] == ["opening"]
    both = {**exam, "tmj": ["normal", "click"]}
    assert wrong(demo, "den_exam_first", both, "doctor") == [("/tmj", "E_RULE")]


@pytest.mark.parametrize(
    ("login", "may"),
    [
        ("doctor", True),
        ("nurse", False),  # the customer has not come today
        ("manager", True),
        ("doctor2", False),
        ("agent", False),
        ("supervisor", False),
        ("desk", False),
        ("consultant", False),
        ("group", False),
        ("ops", False),
        ("admin", False),
    ],
)
def test_who_reads_an_examination(demo: Database, customer: str, login: str, may: bool) -> None:
    def deed(session: Session) -> int:
        doctor = actor(session, "doctor")
        return submit(session, doctor, "den_exam_first", {**EXAM, "customer": customer}).id

    exam = demo.write(deed)
    with demo.read() as session:
        reader = actor(session, login)
        if may:
            assert get(session, reader, "den_exam_first", exam).values["diagnosis"] == ["K08_1"]
        else:
            with pytest.raises((NotFound, NotAllowed)):
                get(session, reader, "den_exam_first", exam)


def test_the_nurse_reads_an_examination_on_the_day_of_the_visit(demo: Database) -> None:
    def deed(session: Session) -> int:
        desk, doctor = actor(session, "desk"), actor(session, "doctor")
        client = str(submit(session, SYSTEM, "customer_profile", CLIENT).id)
        submit(session, desk, "checkin", {**ARRIVAL, "customer": client})
        return submit(session, doctor, "den_exam_first", {**EXAM, "customer": client}).id

    exam = demo.write(deed)
    with demo.read() as session:
        nurse = actor(session, "nurse")
        assert get(session, nurse, "den_exam_first", exam).values["diagnosis"] == ["K08_1"]
        customer = get(session, nurse, "den_exam_first", exam).values["customer"]
        assert get(session, nurse, "customer_profile", customer).values["mobile"] == "199****0007"


def test_the_cashier_sees_prices_and_no_diagnosis(demo: Database, customer: str) -> None:
    values = plan(demo, customer)

    def write(session: Session) -> int:
        return submit(session, actor(session, "doctor"), "treatment_plan", values).id

    made = demo.write(write)
    with demo.read() as session:
        seen = get(session, actor(session, "desk"), "treatment_plan", made).values
        assert seen["total_net"] == Decimal("10800.00")
        assert not {"diagnosis", "goals", "risks", "limits"} & set(seen)
        assert not access(session, actor(session, "agent"), "treatment_plan").may("read")
