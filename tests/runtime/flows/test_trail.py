"""What of a run stands in the trail, for whom."""

from careloom.platform.events.trail import Wanted, trail
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.grants import give
from careloom.platform.records import trail as records_trail
from careloom.platform.records.trail import events_seen
from careloom.runtime.flows.trail import SUBJECT, instances_seen

from ..clinic import Clinic

AUDITOR = {
    "format": 1,
    "key": "auditor",
    "title": "Auditor",
    "rights": ["trail.read"],
    "forms": {"customer": [{"key": "all", "actions": ["read"], "scope": "all"}]},
}


def names(clinic: Clinic, login: str) -> set[str]:
    actor = clinic.actor(login)
    with clinic.database.read() as session:
        seen = events_seen(session, actor)
        found, _ = trail(session, Wanted((SUBJECT, None)), seen)
        return {event.name for event in found}


def test_a_run_is_told_to_those_who_may_read_its_record(clinic: Clinic) -> None:
    records_trail.SUBJECTS[SUBJECT] = instances_seen
    clinic.publish("role", AUDITOR)
    at = clinic.units["group"]
    for login in ("sue", "sid", "max", "zoe"):
        person = clinic.people[login]
        clinic.database.write(lambda s, p=person: give(s, SYSTEM, p, "auditor", at))
    clinic.started()
    assert {"flow:started", "task:offered"} <= names(clinic, "sue")
    assert names(clinic, "max") == names(clinic, "sue"), "the group sees every branch's leads"
    assert names(clinic, "sid") == names(clinic, "zoe") == set(), "it is the other branch's lead"
