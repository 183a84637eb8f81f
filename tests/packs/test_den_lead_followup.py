"""The dental follow-up and first visit as the clinic lives them: from a lead to a paid deal."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from careloom.platform.records.lists import get
from careloom.platform.store.errors import Invalid

from .lived import CALL, TUESDAY, VISIT, Clinic
from .lived import clinic as clinic  # the fixture


def test_a_lead_gets_a_customer_an_owner_and_a_first_call(clinic: Clinic) -> None:
    lead = clinic.lead()
    task = clinic.task("agent", lead)
    assert task.step_key == "first_call"
    assert task.due_at == TUESDAY + timedelta(minutes=15)
    values = clinic.values("lead_intake", lead)
    agent = clinic.actor("agent").person_id
    assert (values["status"], values["owner"]) == ("assigned", agent)
    customer = clinic.values("customer_profile", values["customer"])
    assert (customer["name"], customer["mobile"]) == ("陈建国", "19900000001")
    assert customer["owner_consultant"] == agent
    assert customer["one_id"].startswith("C2026")


def test_the_other_branch_sees_nothing(clinic: Clinic) -> None:
    lead = clinic.lead()
    for login in ("agent2", "manager2"):
        assert clinic.steps(login, lead) == []
    theirs = clinic.lead(target_clinic=clinic.at("R1-B02"), name="李雷", mobile="19900000002")
    assert clinic.steps("agent2", theirs) == ["first_call"]
    assert clinic.steps("agent", theirs) == clinic.steps("supervisor", theirs) == []


def test_in_time_answered_graded_booked(clinic: Clinic) -> None:
    lead = clinic.lead()
    clinic.turn(minutes=9)
    clinic.done("agent", lead, result="answered", **CALL)
    values = clinic.values("lead_intake", lead)
    assert values["contacted_at"] == TUESDAY + timedelta(minutes=9)
    assert (values["grade"], values["status"]) == ("B", "following")
    assert clinic.stage(lead) == "qualified"
    assert clinic.steps("supervisor", lead) == []
    assert clinic.task("agent", lead).due_at == TUESDAY + timedelta(days=3, minutes=9)
    visit = clinic.done("agent", lead, "booked", start_at=VISIT)
    values = clinic.values("lead_intake", lead)
    assert values["status"] == clinic.stage(lead) == "invited" and "invited_at" in values
    assert clinic.steps("agent", lead) == []
    assert visit is not None
    booked = clinic.values("appointment", visit)
    assert (booked["appt_type"], booked["items"]) == ("first_visit", ["den_implant_std"])
    assert booked["label"] == "陈建国 03-09 10:00"


@pytest.mark.parametrize(("grade", "days"), [("A", 1), ("B", 3), ("C", 7)])
def test_the_agents_grade_wins_and_says_how_long_an_invitation_may_take(
    clinic: Clinic, grade: str, days: int
) -> None:
    lead = clinic.lead()
    clinic.done("agent", lead, result="answered", grade_after=grade, **CALL)
    assert clinic.values("lead_intake", lead)["grade"] == grade
    assert clinic.task("agent", lead).due_at == TUESDAY + timedelta(days=days)
    clinic.turn(days=days, minutes=1)
    assert clinic.steps("supervisor", lead) == ["invite"]


def test_a_lead_that_fits_nothing_is_closed(clinic: Clinic) -> None:
    lead = clinic.lead()
    clinic.done("agent", lead, result="answered", grade_after="D", **CALL)
    values = clinic.values("lead_intake", lead)
    assert (values["status"], values["lost_reason"]) == ("closed", "no_indication")
    assert clinic.stage(lead) == "lost"


def test_an_untouched_call_goes_to_the_supervisor_and_then_to_the_manager(clinic: Clinic) -> None:
    lead = clinic.lead()
    clinic.turn(minutes=14)
    assert clinic.steps("supervisor", lead) == []
    clinic.turn(minutes=2)
    assert clinic.steps("supervisor", lead) == ["first_call"]
    assert clinic.steps("manager", lead) == []
    clinic.turn(minutes=15)
    assert clinic.steps("manager", lead) == ["first_call"]
    assert clinic.steps("agent2", lead) == []


def test_limits_rest_over_the_night(clinic: Clinic) -> None:
    clinic.turn(hours=10, minutes=50)  # 20:50
    lead = clinic.lead()
    clinic.turn(hours=12)  # 08:50: the contact centre is still shut
    assert clinic.steps("supervisor", lead) == []
    clinic.turn(minutes=16)  # 09:06
    assert clinic.steps("supervisor", lead) == ["first_call"]


def test_a_wrong_number_closes_the_lead(clinic: Clinic) -> None:
    lead = clinic.lead()
    over = {"summary": "空号", "next_action": "close", "lost_reason": "fake"}
    clinic.done("agent", lead, result="wrong_number", **over)
    values = clinic.values("lead_intake", lead)
    assert (values["status"], values["lost_reason"]) == ("closed", "fake")
    assert "contacted_at" not in values


ATTEMPTS = [
    "2026-03-03T12:00",  # two hours after the first
    "2026-03-04T09:00",  # twenty hours, and then when the contact centre opens
    "2026-03-05T10:00",
    "2026-03-05T17:00",
    "2026-03-06T10:00",
    "2026-03-06T17:00",
]


def shanghai(local: str) -> datetime:
    return datetime.fromisoformat(local + "+08:00").astimezone(UTC)


def test_seven_attempts_in_vain_lead_to_nurturing(clinic: Clinic) -> None:
    lead = clinic.lead()
    clinic.done("agent", lead, result="no_answer", **CALL)
    for at in ATTEMPTS:
        wait = shanghai(at) - clinic.clock.now()
        clinic.turn(seconds=wait.total_seconds() - 60)
        assert clinic.steps("agent", lead) == []
        clinic.turn(seconds=61)
        assert clinic.steps("agent", lead) == ["retry_call"]
        clinic.done("agent", lead, result="busy", **CALL)
    values = clinic.values("lead_intake", lead)
    assert clinic.steps("agent", lead) == [] and values["status"] == "following"
    assert "contacted_at" not in values


def test_an_attempt_that_succeeds_goes_on_as_the_first_would_have(clinic: Clinic) -> None:
    lead = clinic.lead()
    clinic.done("agent", lead, result="no_answer", **CALL)
    clinic.turn(hours=2)
    clinic.turn(hours=25)
    assert clinic.steps("supervisor", lead) == ["retry_call"]
    clinic.done("agent", lead, result="answered", grade_after="A", **CALL)
    values = clinic.values("lead_intake", lead)
    assert values["contacted_at"] == TUESDAY + timedelta(hours=27)
    assert clinic.task("agent", lead).due_at == TUESDAY + timedelta(hours=27 + 24)


def test_a_shared_phone_makes_a_second_customer_with_a_tag(clinic: Clinic) -> None:
    first = clinic.values("lead_intake", clinic.lead())["customer"]
    second = clinic.values("lead_intake", clinic.lead(name="陈小雨"))["customer"]
    assert first != second
    assert clinic.values("customer_profile", second)["tags"] == ["shared_phone"]
    assert "tags" not in clinic.values("customer_profile", first)


def test_a_second_lead_of_a_customer_goes_to_the_same_owner(clinic: Clinic) -> None:
    first = clinic.values("lead_intake", clinic.lead())
    second = clinic.values("lead_intake", clinic.lead(channel="douyin"))
    assert second["customer"] == second["duplicate_of"] == first["customer"]
    assert second["owner"] == first["owner"]


def test_a_lead_without_a_phone_has_a_customer_too(clinic: Clinic) -> None:
    lead = clinic.lead(mobile=None, external_id="M-1")
    by_platform = clinic.values("lead_intake", lead)
    assert clinic.values("customer_profile", by_platform["customer"])["name"] == "陈建国"
    clinic.done("agent", lead, result="answered", grade_after="B", **CALL)
    assert clinic.stage(lead) == "lead"  # until there is a number, the customer's file waits
    by_wecom = clinic.values("lead_intake", clinic.lead(mobile=None, wecom_external_id="w1"))
    assert by_wecom["customer"] != by_platform["customer"]
    again = clinic.values("lead_intake", clinic.lead(mobile=None, wecom_external_id="w1"))
    assert again["customer"] == by_wecom["customer"]


def test_the_forty_first_lead_of_a_day_waits_in_the_pool_and_is_taken(clinic: Clinic) -> None:
    for number in range(40):
        clinic.lead(name=f"客户{number}", mobile=f"199000001{number:02}")
    lead = clinic.lead(name="第四十一", mobile="19900000999")
    assert clinic.steps("agent", lead) == ["pool"]
    clinic.done("agent", lead)
    assert clinic.steps("agent", lead) == ["first_call"]
    values = clinic.values("lead_intake", lead)
    assert values["owner"] == clinic.actor("agent").person_id
    assert values["assigned_at"] == TUESDAY
    waiting = clinic.lead(name="第四十二", mobile="19900000998")
    clinic.turn(minutes=31)
    assert clinic.steps("manager", waiting) == ["pool"]


def booked(clinic: Clinic, **lead: Any) -> tuple[int, int]:
    """A lead and its appointment on Monday at 10:00."""
    made = clinic.lead(**lead)
    clinic.done("agent", made, result="answered", **CALL)
    visit = clinic.done("agent", made, "booked", start_at=VISIT)
    assert visit is not None
    return made, visit


def test_an_objection_that_is_answered_leads_to_an_appointment(clinic: Clinic) -> None:
    lead = clinic.lead()
    clinic.done("agent", lead, result="answered", **CALL)
    with pytest.raises(Invalid):
        clinic.done("agent", lead, "refused")
    clinic.done("agent", lead, "refused", "觉得太贵")
    assert clinic.steps("agent", lead) == ["objection"]
    clinic.done("agent", lead, "booked", result="answered", **CALL)
    assert "invited_at" not in clinic.values("lead_intake", lead)
    clinic.done("agent", lead, start_at=VISIT)
    assert clinic.values("lead_intake", lead)["status"] == "invited"


def arrive(clinic: Clinic, lead: int, visit: int) -> None:
    """The customer comes, and the desk checks them in and completes the file."""
    customer = str(clinic.values("lead_intake", lead)["customer"])
    came = {"customer": customer, "appointment": str(visit), "visit_kind": "first"}
    seen = {"how_know": "meituan", "triage": "den_general", "id_checked": True}
    clinic.add("desk", "checkin", **came, **seen, privacy_signed=True)
    assert clinic.values("lead_intake", lead)["status"] == "arrived"
    clinic.done("desk", visit)
    clinic.done("desk", visit, birth_date="1980-05-15")
    assert clinic.stage(lead) == "arrived"


EXAM = {
    "face_symmetry": "normal",
    "tmj": ["normal"],
    "mouth_opening_mm": 40,
    "mucosa": "normal",
    "diagnosis": ["K08_1"],
    "risk_caries": "low",
    "risk_perio": "low",
    "complexity": "c2",
    "doctor_advice": "建议种植",
}
PLAN = {
    "diagnosis": "牙缺失",
    "goals": "恢复咀嚼",
    "limits": "不做则邻牙移位",
    "risks": "已当面说明",
    "items": [
        {"item": "den_implant_std", "qty": "1", "list_price": "9600.00"},
        {"item": "den_scaling", "qty": "2", "list_price": "200.00", "discount": "0.5"},
        {"item": "den_pano", "qty": "1", "list_price": "120.00", "discount": "1"},
    ],
}


def presented(clinic: Clinic, **plan: Any) -> tuple[int, int]:
    """A lead that came and was examined, its plan presented; the lead and the appointment."""
    lead, visit = booked(clinic)
    clinic.turn(days=5, hours=23, minutes=50)
    arrive(clinic, lead, visit)
    clinic.done("doctor", visit, **EXAM)
    clinic.done("consultant", visit, **{**PLAN, **plan})
    return lead, visit


def test_an_accepted_plan_is_paid_and_the_lead_is_won(clinic: Clinic) -> None:
    lead, visit = presented(clinic, decision="accept")
    values = clinic.values("lead_intake", lead)
    assert values["consulted_at"] >= values["arrived_at"]
    assert clinic.stage(lead) == "planned"
    clinic.done("desk", visit, status="paid", methods=[{"method": "wechat", "amount": "9800.00"}])
    values = clinic.values("lead_intake", lead)
    assert (values["status"], str(values["deal_amount"])) == ("converted", "9800.00")
    assert values["deal_at"] == clinic.clock.now()
    assert clinic.stage(lead) == "deal"
    assert all(clinic.steps(login, visit) == [] for login in ("desk", "consultant", "doctor"))


def test_the_doctor_in_charge_sees_the_whole_mobile_and_no_other_does(clinic: Clinic) -> None:
    lead, _ = presented(clinic, decision="accept")
    customer = clinic.values("lead_intake", lead)["customer"]
    shown = {}
    for login in ("doctor", "nurse", "consultant", "desk", "manager"):
        actor = clinic.actor(login)
        with clinic.database.read() as session:
            shown[login] = get(session, actor, "customer_profile", customer).values["mobile"]
    assert shown == {
        "doctor": "19900000001",
        "nurse": "199****0001",
        "consultant": "199****0001",
        "desk": "19900000001",
        "manager": "199****0001",
    }


def test_what_is_not_paid_is_followed_up_three_times(clinic: Clinic) -> None:
    undecided = {"undecided_reason": "price", "next_followup": "2026-03-11T10:00"}
    lead, visit = presented(clinic, decision="think", **undecided)
    for _ in range(3):
        assert clinic.steps("manager", visit) == []
        clinic.turn(days=3, minutes=1)
        assert clinic.steps("manager", visit) == ["follow_up"]
        clinic.done("consultant", visit, "not_yet", result="answered", **CALL_LATER)
    values = clinic.values("lead_intake", lead)
    assert (values["status"], values["lost_reason"]) == ("closed", "price")
    assert clinic.stage(lead) == "lost" and clinic.steps("consultant", visit) == []


CALL_LATER = {"summary": "还在考虑", "next_action": "call", "next_at": "2026-05-01T10:00"}


def test_an_aesthetic_lead_starts_no_dental_flow(clinic: Clinic) -> None:
    lead = clinic.lead(pack_kind="aesthetic", project=["aes_ipl"])
    assert clinic.steps("agent", lead) == []
    assert "customer" not in clinic.values("lead_intake", lead)
