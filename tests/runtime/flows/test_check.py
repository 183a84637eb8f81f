"""What makes a flow sound: each fault is told with its place."""

from copy import deepcopy
from typing import Any

import pytest

from careloom.platform.definitions.check import check
from careloom.platform.store.database import Database

from ..clinic import ASSIGN, DEDUPE, FIRST_CALL, FLOW_DOCUMENT, Clinic, clinic_in, flow_of

Document = dict[str, Any]
END: Document = {"key": "end", "kind": "end"}


@pytest.fixture(scope="module")
def whole(sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One clinic for all of these: a check writes nothing."""
    import shutil

    from careloom.platform.store.clock import TurnedClock
    from careloom.platform.store.database import open_database

    home = tmp_path_factory.mktemp("check")
    shutil.copyfile(sqlite_template, home / "careloom.db")
    database: Database = open_database(f"sqlite:///{home}/careloom.db", home, TurnedClock())
    yield clinic_in(database)
    database.close()


def found(clinic: Clinic, document: Document) -> list[tuple[str, str]]:
    with clinic.database.read() as session:
        return [(problem.path, problem.code) for problem in check(session, "flow", document)]


def set_status(key: str, value: str = '"closed"') -> Document:
    return {
        "key": key,
        "kind": "action",
        "do": [{"key": f"{key}_set", "action": "set", "values": {"status": value}}],
    }


def with_call(**more: Any) -> Document:
    return flow_of({**deepcopy(FIRST_CALL), **more}, END)


def branch(*cases: Document) -> Document:
    return {"key": "which", "kind": "branch", "cases": list(cases)}


def test_the_clinics_own_flow_is_sound(whole: Clinic) -> None:
    assert found(whole, FLOW_DOCUMENT) == []


SHAPES: dict[str, tuple[Document, tuple[str, str]]] = {
    "a step after the end": (
        flow_of(END, set_status("late")),
        ("/steps/1", "E_FLOW_UNREACHABLE"),
    ),
    "no end": (flow_of(set_status("only")), ("/steps/0", "E_FLOW_NO_END")),
    "a task without an end after it": (
        flow_of(deepcopy(FIRST_CALL)),
        ("/steps/0", "E_FLOW_NO_END"),
    ),
    "a branch without the rest": (
        flow_of(branch({"key": "a", "when": "urgent", "steps": []}), END),
        ("/steps/0/cases", "E_FLOW_GAP"),
    ),
    "a case after the rest": (
        flow_of(
            branch(
                {"key": "rest", "steps": []}, {"key": "a", "when": "urgent", "steps": []},
                {"key": "other", "steps": []},
            ),
            END,
        ),
        ("/steps/0/cases/1", "E_FLOW_CASE_NEVER"),
    ),
    "the same condition twice": (
        flow_of(
            branch(
                {"key": "a", "when": "urgent", "steps": []},
                {"key": "b", "when": "urgent ", "steps": []},
                {"key": "other", "steps": []},
            ),
            END,
        ),
        ("/steps/0/cases/1", "E_FLOW_CASE_NEVER"),
    ),
    "a go_to without a limit": (
        flow_of(set_status("a"), {"key": "again", "kind": "go_to", "to": "a"}, END),
        ("/steps/1", "E_FLOW_NO_VISITS"),
    ),
    "a go_to nowhere": (
        flow_of({"key": "again", "kind": "go_to", "to": "nowhere", "visits": 1}, END),
        ("/steps/0/to", "E_FLOW_GO_TO_NOWHERE"),
    ),
    "a go_to into a branch": (
        flow_of(
            branch({"key": "a", "when": "urgent", "steps": [set_status("inside")]},
                   {"key": "other", "steps": []}),
            {"key": "again", "kind": "go_to", "to": "inside", "visits": 1},
            END,
        ),
        ("/steps/1/to", "E_FLOW_GO_TO_INSIDE"),
    ),
    "two steps of one name": (
        flow_of(set_status("a"), set_status("a"), END),
        ("/steps/1/key", "E_FLOW_KEY_TWICE"),
    ),
    "a step named like a field": (
        flow_of(set_status("status"), END),
        ("/steps/0/key", "E_FLOW_NAME_TAKEN"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_a_faulty_shape_is_told(whole: Clinic, name: str) -> None:
    document, problem = SHAPES[name]
    assert problem in found(whole, document)


#: each customer would have to be asked for another
NESTED = 'LOOKUP("customer", LOOKUP("customer", name = parent.name, name) = "x", name)'
NAMES: dict[str, tuple[Document, tuple[str, str]]] = {
    "no such form": (with_call(form="nothing"), ("/steps/0/form", "E_NO_FORM")),
    "no such subject": ({**flow_of(END), "subject": "nothing"}, ("/subject", "E_NO_FORM")),
    "no such role": (with_call(who={"role": "nobody"}), ("/steps/0/who/role", "E_NO_ROLE")),
    "no such role otherwise": (
        with_call(who={"field": "owner", "otherwise": {"role": "nobody"}}),
        ("/steps/0/who/otherwise/role", "E_NO_ROLE"),
    ),
    "a field that is nobody": (
        with_call(who={"field": "name"}),
        ("/steps/0/who/field", "E_FIELD_KIND"),
    ),
    "no such calendar": (with_call(calendar="nights"), ("/steps/0/calendar", "E_NO_CALENDAR")),
    "a limit to nobody": (
        with_call(limits=[{"key": "x", "after": "1h", "do": "escalate", "to": {"role": "no"}}]),
        ("/steps/0/limits/0/to/role", "E_NO_ROLE"),
    ),
    "an unknown field in a prefill": (
        with_call(prefill={"leed": "this"}),
        ("/steps/0/prefill/leed", "E_NO_FIELD"),
    ),
    "a prefill of another type": (
        with_call(prefill={"lead": "customer"}),
        ("/steps/0/prefill/lead", "E_FLOW_TYPE"),
    ),
    "an unknown name": (
        flow_of(set_status("a", "nonsense"), END),
        ("/steps/0/do/0/values/status", "E_NO_NAME"),
    ),
    "a condition that is no condition": (
        flow_of(branch({"key": "a", "when": "name", "steps": []}, {"key": "b", "steps": []}), END),
        ("/steps/0/cases/0/when", "E_EXPECT"),
    ),
    "a LOOKUP that no database can be asked": (
        flow_of(set_status("a", NESTED), END),
        ("/steps/0/do/0/values/status", "E_NOT_SQL"),
    ),
    "a required value missing": (
        flow_of(
            {
                "key": "x",
                "kind": "action",
                "do": [
                    {"key": "y", "action": "create", "form": "lead", "values": {"mobile": "mobile"}}
                ],
            },
            END,
        ),
        ("/steps/0/do/0/values", "E_FLOW_VALUE_MISSING"),
    ),
    "a name read before it is made": (
        flow_of(
            branch(
                {"key": "a", "when": 'first_call.result = "answered"', "steps": []},
                {"key": "b", "steps": []},
            ),
            deepcopy(FIRST_CALL),
            END,
        ),
        ("/steps/0/cases/0/when", "E_FLOW_NOT_YET"),
    ),
    "an action's name read by the one before": (
        flow_of(
            {"key": "x", "kind": "action", "do": [DEDUPE["do"][2], *DEDUPE["do"][:2]]},
            END,
        ),
        ("/steps/0/do/0/values/customer", "E_FLOW_NOT_YET"),
    ),
    "a record of nothing": (
        flow_of(
            ASSIGN,
            {
                "key": "x",
                "kind": "action",
                "do": [
                    {"key": "y", "action": "set", "record": "pick", "values": {"name": "name"}}
                ],
            },
            END,
        ),
        ("/steps/1/do/0/record", "E_FLOW_NO_RECORD"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_means_nothing_is_told(whole: Clinic, name: str) -> None:
    document, problem = NAMES[name]
    assert problem in found(whole, document)


def test_a_name_made_on_a_way_round_may_be_read(whole: Clinic) -> None:
    """The branch is entered before the call the first time, and after it the second."""
    document = flow_of(
        set_status("begin"),
        branch(
            {
                "key": "again",
                "when": 'first_call.result = "no_answer"',
                "steps": [set_status("given_up"), {"key": "out", "kind": "end"}],
            },
            {"key": "first", "steps": []},
        ),
        deepcopy(FIRST_CALL),
        {"key": "back", "kind": "go_to", "to": "which", "visits": 1},
        END,
    )
    assert found(whole, document) == []


@pytest.mark.parametrize("due", ["0m", "15", "1.5h", "fifteen", "15m\n", 15])
def test_a_duration_is_a_number_and_a_unit(whole: Clinic, due: Any) -> None:
    assert [path for path, _ in found(whole, with_call(due=due))] == ["/steps/0/due"]


def test_an_escalation_says_to_whom(whole: Clinic) -> None:
    limits = [{"key": "late", "after": "1h", "do": "escalate"}]
    assert found(whole, with_call(limits=limits)) != []
