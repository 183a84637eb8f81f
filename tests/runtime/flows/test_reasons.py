"""What a step tells of itself is said in words on the map of a run."""

from zoneinfo import ZoneInfo

import pytest

from careloom.platform.definitions.form_scope import published_forms
from careloom.platform.identity.actor import SYSTEM
from careloom.runtime.flows.definition import compile_flow
from careloom.runtime.flows.reasons import Reasons
from careloom.runtime.flows.scope import FlowFormulas
from careloom.runtime.forms.show import Reader

from ..clinic import Clinic, flow_of

END = {"key": "end", "kind": "end"}
VISIT = {
    "key": "visit",
    "kind": "race",
    "title": {"zh-CN": "到店", "en": "Visit"},
    "arms": [
        {
            "key": "late",
            "title": {"zh-CN": "没有来", "en": "Did not come"},
            "when": {"for": "2h"},
            "steps": [],
        },
        {"key": "came", "when": {"for": "1h"}, "steps": []},
    ],
}
INVITE = {
    "key": "invite",
    "kind": "task",
    "title": {"zh-CN": "邀约", "en": "Invitation"},
    "who": {"role": "agent"},
    "outcomes": [
        {"key": "agreed", "title": {"zh-CN": "同意到店", "en": "Will come"}},
        {"key": "no", "title": {"zh-CN": "不来", "en": "Will not"}},
    ],
}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("invite.outcome", "agreed", "Invitation: Will come"),
        ("invite.outcome", "gone since", "Invitation: gone since"),
        ("visit.outcome", "late", "Visit: Did not come"),
        ("visit.outcome", "came", "Visit: Visit"),
        ("invite.round", "2", "Invitation, round: 2"),
        ("invite.done_at", "2026-03-03 02:00:00+00:00", "Invitation, done at: {at}"),
        ("gone.outcome", "x", "gone: x"),
    ],
)
def test_a_steps_own_word_is_told_as_people_know_it(
    sqlite_clinic: Clinic, path: str, value: str, words: str
) -> None:
    document = flow_of(INVITE, VISIT, END)
    with sqlite_clinic.database.read() as session:
        graph = compile_flow(document, 1, FlowFormulas(document, published_forms(session)))
        reader = Reader(session, SYSTEM, "en", ZoneInfo("Asia/Shanghai"))
        part = {"path": path, "form": "", "id": "", "key": path.partition(".")[2], "value": value}
        (said,) = Reasons(reader, graph).words([part])
        assert said.startswith(words.partition("{")[0])
        assert "{at}" not in words or "10:00" in said


def test_who_did_a_step_is_said_by_name(sqlite_clinic: Clinic) -> None:
    document = flow_of(INVITE, END)
    ann = sqlite_clinic.people["sue"]
    with sqlite_clinic.database.read() as session:
        graph = compile_flow(document, 1, FlowFormulas(document, published_forms(session)))
        reader = Reader(session, SYSTEM, "zh-CN", ZoneInfo("Asia/Shanghai"))
        part = {"path": "invite.done_by", "form": "", "key": "done_by", "value": str(ann)}
        (said,) = Reasons(reader, graph).words([part])
    assert said.startswith("邀约完成人") and str(ann) not in said
