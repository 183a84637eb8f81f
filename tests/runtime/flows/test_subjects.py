"""Whom a task is about: what is said on top is not said again, what is named comes first."""

from served import Site
from sqlalchemy.orm import Session

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.tree import unit_by_code
from careloom.platform.records.record import Record
from careloom.platform.records.submit import submit
from careloom.runtime.flows.cards import subject_of
from careloom.runtime.forms.pages import reader_of


def appointment(session: Session) -> Record:
    given = {
        "appt_type": "first_visit",
        "clinic": str(unit_by_code(session, "R1-B01").id),
        "customer_name": "周小满",
        "dept": "den_general",
        "items": ["den_scaling"],
        "start_at": "2026-03-03T14:30",
    }
    client = {"kind": "person", "name": "周小满", "gender": "female", "mobile": "19900000007"}
    client |= {"first_channel": "walk_in", "owner_channel": "walk_in", "lifecycle_stage": "lead"}
    client["first_touch_at"] = "2026-03-01T10:00"
    customer = submit(session, SYSTEM, "customer_profile", client)
    return submit(session, SYSTEM, "appointment", {**given, "customer": str(customer.id)})


def test_what_the_name_says_is_said_once_and_what_is_named_comes_first(site: Site) -> None:
    made = site.database.write(appointment)
    with site.app.test_request_context(), site.database.read() as session:
        reader = reader_of(session, site.actor("desk"))
        subject = subject_of(reader, made)
        named = subject_of(reader, made, first=("status", "dept"))
    assert subject.who == "周小满 03-03 14:30"
    assert "周小满" not in [fact.words for fact in subject.facts]
    assert [fact.words for fact in subject.facts][:2] == ["初诊", "超声洁治"]
    assert [fact.words for fact in named.facts][:2] == ["已预约", "口腔综合科"]
