"""What makes steps that wait, repeat, race, approve and tell sound: each fault and its place."""

from typing import Any

import pytest

from ..clinic import Clinic, flow_of
from .test_check import END, found, set_status
from .test_check import whole as whole  # the clinic that all of these ask

Document = dict[str, Any]
CAME: Document = {"form": "call", "link": "lead", "to": "this"}


def task(key: str = "ask", **more: Any) -> Document:
    return {"key": key, "kind": "task", "title": key, "who": {"role": "agent"}, **more}


def wait(**more: Any) -> Document:
    return {"key": "pause", "kind": "wait", **more}


def repeat(**more: Any) -> Document:
    return {"key": "rounds", "kind": "repeat", "steps": [task()], **more}


def race(*arms: Document) -> Document:
    return {"key": "first", "kind": "race", "arms": list(arms)}


LATE: Document = {"key": "late", "when": {"for": "1h"}, "steps": []}


def approve(**more: Any) -> Document:
    who = [{"key": "boss", "role": "supervisor"}]
    no = [{"key": "no", "kind": "end"}]
    return {"key": "ok", "kind": "approve", "title": "Ok", "who": who, "rejected": no, **more}


def notify(**more: Any) -> Document:
    return {"key": "tell", "kind": "notify", "text": "Hello", **more}


def act(**more: Any) -> Document:
    return {"key": "do", "kind": "action", "do": [{"key": "done", **more}]}


STAFF = [{"key": "agents", "role": "agent"}]
SOUND: dict[str, tuple[Document, ...]] = {
    "rounds with a limit": (repeat(times=3, until='ask.outcome = "x"'),),
    "rounds by their waits": (repeat(between=[{"key": "a", "for": "2h"}]),),
    "a race of everything": (
        race(
            LATE,
            {"key": "came", "submitted": CAME, "steps": []},
            {"key": "back", "event": "lead.back", "about": "customer", "steps": []},
            {"key": "own", "task": {"title": "x", "who": {"role": "agent"}}, "steps": []},
        ),
    ),
    "a moment before a field": (wait(until="visit_at", offset="-3d"),),
    "an approval with a way back": (task(), approve(not_by=["ask"])),
    "a reminder to the customer": (
        notify(customer="customer", text="Dear {name}", values={"name": "customer.name"}),
    ),
    "who took it": (task(take=True), set_status("on", "IFBLANK(ask.outcome, status)")),
}


@pytest.mark.parametrize("name", SOUND)
def test_it_may_be_published(whole: Clinic, name: str) -> None:
    assert found(whole, flow_of(*SOUND[name], END)) == []


FAULTS: dict[str, tuple[tuple[Document, ...], tuple[str, str]]] = {
    "rounds without a limit": ((repeat(until="urgent"),), ("/steps/0", "E_FLOW_NO_ROUNDS")),
    "rounds that nothing follows": (
        (repeat(times=2), {"key": "over", "kind": "go_to", "to": "ask", "visits": 1}),
        ("/steps/1/to", "E_FLOW_GO_TO_INSIDE"),
    ),
    "a wait for a text": ((wait(until="name"),), ("/steps/0/until", "E_FLOW_NO_MOMENT")),
    "a wait in no calendar": (
        (wait(at="10:00", calendar="moon"),),
        ("/steps/0/calendar", "E_NO_CALENDAR"),
    ),
    "a record of no form": (
        (wait(submitted={**CAME, "form": "nothing"}),),
        ("/steps/0/submitted/form", "E_NO_FORM"),
    ),
    "a record by no link": (
        (wait(submitted={**CAME, "link": "note"}),),
        ("/steps/0/submitted/link", "E_FIELD_KIND"),
    ),
    "a record that leads elsewhere": (
        (wait(submitted={**CAME, "to": "customer"}),),
        ("/steps/0/submitted/to", "E_FLOW_OTHER_RECORD"),
    ),
    "two arms of one name": ((race(LATE, LATE),), ("/steps/0/arms/1/key", "E_FLOW_KEY_TWICE")),
    "an arm that bears a step's name": (
        (race(LATE, {"key": "ask", "submitted": CAME, "steps": []}), task()),
        ("/steps/0/arms/1/key", "E_FLOW_KEY_TWICE"),
    ),
    "an arm's task for nobody": (
        (
            race(
                LATE, {"key": "own", "task": {"title": "x", "who": {"role": "ghost"}}, "steps": []}
            ),
        ),
        ("/steps/0/arms/1/task/who/role", "E_NO_ROLE"),
    ),
    "a no that leads nowhere": (
        (task(), approve(rejected=[{"key": "x", "kind": "go_to", "to": "moon", "visits": 1}])),
        ("/steps/1/rejected/0/to", "E_FLOW_GO_TO_NOWHERE"),
    ),
    "not by what is no person's": (
        (set_status("set"), approve(not_by=["set"])),
        ("/steps/1/not_by/0", "E_FLOW_STEP_KIND"),
    ),
    "an approval of nothing": ((approve(about="set"),), ("/steps/0/about", "E_FLOW_NO_RECORD")),
    "a gap that nothing fills": (
        (notify(customer="customer", text="Dear {name}"),),
        ("/steps/0/text", "E_FLOW_GAP_EMPTY"),
    ),
    "a customer that is a text": (
        (notify(customer="name"),),
        ("/steps/0/customer", "E_FLOW_OTHER_RECORD"),
    ),
    "a message to one group twice": (
        (notify(who=[*STAFF, *STAFF]),),
        ("/steps/0/who/1/key", "E_FLOW_KEY_TWICE"),
    ),
    "a flow that is not there": (
        (act(action="start", flow="nothing"),),
        ("/steps/0/do/0/flow", "E_NO_FLOW"),
    ),
    "a record the flow does not ask for": (
        (act(action="start", flow="follow_up", give={"x": "this"}),),
        ("/steps/0/do/0/give/x", "E_FLOW_NOT_ASKED"),
    ),
    "a choice put into one": (
        (act(action="set", add={"status": '"won"'}),),
        ("/steps/0/do/0/add/status", "E_FLOW_NO_LIST"),
    ),
    "unsending what tells nothing": (
        (task(), act(action="unsend", step="ask")),
        ("/steps/1/do/0/step", "E_FLOW_STEP_KIND"),
    ),
    "taking a form": ((task(take=True, form="call"),), ("/steps/0/take", "E_FLOW_TAKE")),
    "editing another's record": (
        (act(action="create", form="customer", values={"name": "name"}),
         task(form="call", edits="done")),
        ("/steps/1/edits", "E_FLOW_OTHER_RECORD"),
    ),
    "a limit at a text": (
        (task(limits=[{"key": "l", "at": {"until": "name"}, "do": "remind"}]),),
        ("/steps/0/limits/0/at/until", "E_FLOW_NO_MOMENT"),
    ),
    "a round read before it begins": (
        (set_status("early", 'IF(rounds.round = 1, "won", "new")'), repeat(times=1)),
        ("/steps/0/do/0/values/status", "E_FLOW_NOT_YET"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_with_its_place(whole: Clinic, name: str) -> None:
    steps, problem = FAULTS[name]
    assert problem in found(whole, flow_of(*steps, END))


def test_a_flow_is_given_records_of_forms_there_are(whole: Clinic) -> None:
    given = [{"key": "visit", "form": "nothing"}, {"key": "contacted_at", "form": "call"}]
    assert found(whole, flow_of(END, given=given)) == [
        ("/given/0/form", "E_NO_FORM"), ("/given/1/key", "E_FLOW_NAME_TAKEN"),
    ]  # fmt: skip
