"""Whoever publishes a flow adds nothing to it that they could not do with every record."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import make
import pytest

from careloom.platform.definitions.powers import beyond
from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM, actor_of
from careloom.platform.identity.roles import save_role
from careloom.platform.store.database import Database, open_database
from careloom.platform.store.errors import Invalid

from ..clinic import FORMS, flow_of, plug_in

Json = dict[str, Any]
Atom = tuple[str, ...]
"""What the publisher may do: a right, or (form, action), or (form, action, field, level)."""

END = {"key": "end", "kind": "end"}
WAIT = {"key": "pause", "kind": "wait", "for": "2h"}
WON = {
    "key": "mark",
    "kind": "action",
    "do": [{"key": "won", "action": "set", "values": {"status": '"won"'}}],
}
OTHER = {
    "format": 1, "key": "other", "title": "Other", "subject": "lead",
    "steps": [{"key": "over", "kind": "end"}],
}  # fmt: skip


def act(action: str, **words: Any) -> Json:
    return {"key": "do_it", "kind": "action", "do": [{"key": "done", "action": action, **words}]}


DO = "/steps/0/do/0"
#: a step that is added, all that it needs, and where it is said when nothing of that is there
ADDED: dict[str, tuple[Json, list[Atom], set[str]]] = {
    "set": (
        act("set", values={"status": '"won"', "name": "mobile"}),
        [
            ("lead", "change"),
            ("lead", "change", "status", "write"),
            ("lead", "change", "name", "write"),
            ("lead", "read"),
            ("lead", "read", "mobile", "read"),
        ],
        {f"{DO}/action", f"{DO}/values/name"},
    ),
    "create": (
        act("create", form="call", values={"lead": "this", "result": '"answered"', "note": "name"}),
        [
            ("call", "create"),
            *(("call", "create", each, "write") for each in ("lead", "result", "note")),
            ("lead", "read"),
            ("lead", "read", "name", "read"),
        ],
        {f"{DO}/action", f"{DO}/values/note"},
    ),
    "find": (
        act("find", form="customer", where={"mobile": "mobile"}),
        [
            ("customer", "read"),
            ("customer", "read", "mobile", "read"),
            ("lead", "read"),
            ("lead", "read", "mobile", "read"),
        ],
        {f"{DO}/where/mobile"},
    ),
    "assign": (
        act("assign", role="agent", field="owner", at="assigned_at", open="urgent"),
        [
            ("lead", "change"),
            ("lead", "change", "owner", "write"),
            ("lead", "change", "assigned_at", "write"),
            ("lead", "read"),
            ("lead", "read", "urgent", "read"),
        ],
        {f"{DO}/action", f"{DO}/open"},
    ),
    "start": (act("start", flow="other"), [("flows.start",)], {f"{DO}/flow"}),
    "raise": (act("raise", event="lead.back"), [("lead", "change")], {f"{DO}/event"}),
    "call": (
        {
            "key": "tell", "kind": "call", "title": "Tell", "connection": "his",
            "body": {"who": {"mobile": "customer.mobile"}},
        },
        [
            ("connections.write",),
            ("lead", "read"),
            ("lead", "read", "customer", "read"),
            ("customer", "read"),
            ("customer", "read", "mobile", "read"),
        ],
        {"/steps/0/connection", "/steps/0/body/who/mobile"},
    ),
    "message": (
        {
            "key": "write", "kind": "notify", "text": "Dear {who}", "customer": "customer",
            "values": {"who": "name"},
        },
        [
            ("lead", "read"),
            ("lead", "read", "customer", "read"),
            ("lead", "read", "name", "read"),
        ],
        {"/steps/0/customer", "/steps/0/values/who"},
    ),
    "prefill": (
        {
            "key": "ask", "kind": "task", "title": "Ask", "form": "call", "who": {"role": "agent"},
            "prefill": {"lead": "this", "note": "mobile"},
        },
        [("lead", "read"), ("lead", "read", "mobile", "read")],
        {"/steps/0/prefill/note"},
    ),
    "branch": (
        {
            "key": "which", "kind": "branch",
            "cases": [
                {"key": "one", "when": 'LOOKUP("customer", mobile = "1", name) = "x"', "steps": []},
                {"key": "else", "steps": []},
            ],
        },
        [
            ("customer", "read"),
            ("customer", "read", "mobile", "read"),
            ("customer", "read", "name", "read"),
        ],
        {"/steps/0/cases/0/when"},
    ),
    "wait": (
        {"key": "until", "kind": "wait", "until": "visit_at", "offset": "-1d"},
        [("lead", "read"), ("lead", "read", "visit_at", "read")],
        {"/steps/0/until"},
    ),
}  # fmt: skip


def role_of(atoms: Sequence[Atom], scope: Any = "subtree") -> Json:
    """A role with just this, on every field that is not named nothing."""
    forms: dict[str, Json] = {}
    for form, *rest in (atom for atom in atoms if len(atom) > 1):
        rule = forms.setdefault(
            form, {"key": "all", "scope": scope, "actions": [], "fields": {"*": "hidden"}}
        )
        if rest[0] not in rule["actions"] and len(rest) == 1:
            rule["actions"].append(rest[0])
        if len(rest) > 1:
            rule["fields"][rest[1]] = rest[2]
    rules = {form: [rule] for form, rule in forms.items() if rule["actions"]}
    return make.role("designer", rules, [atom[0] for atom in atoms if len(atom) == 1])


class Bench:
    """Somebody who holds one role, at the group and at a branch, and asks what is beyond them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        plug_in()
        make.organisation(database)
        for key in ("agent", "designer"):
            make.publish(database, "role", make.role(key, {}))
        for form in FORMS:
            make.publish(database, "form", form)
        self.people = {
            at: make.person(database, f"on_{at}".lower(), at, "designer") for at in ("G", "B1")
        }
        for flow in (OTHER, flow_of(WAIT, END)):
            make.publish(database, "flow", flow)

    def told(self, role: Json, document: Json, at: str = "G") -> list[str]:
        """Where the document goes beyond the role, held there."""
        self.database.write(lambda session: save_role(session, role, 1))
        person = self.people[at].person_id
        assert person is not None
        with self.database.read() as session:
            found = beyond(session, actor_of(session, person), "flow", document)
        assert {problem.code for problem in found} <= {"E_BEYOND_PUBLISHER"}
        return [problem.path for problem in found]


@pytest.fixture(scope="module")
def bench(shared_sqlite_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    home: Path = tmp_path_factory.mktemp("home")
    opened = open_database(shared_sqlite_url, home)
    yield Bench(opened)
    opened.close()


@pytest.mark.parametrize("name", ADDED)
def test_a_step_needs_of_its_publisher_all_that_it_does_and_nothing_else(
    bench: Bench, name: str
) -> None:
    step, atoms, places = ADDED[name]
    document = flow_of(step, WAIT, END)
    assert set(bench.told(role_of([]), document)) == places
    assert bench.told(role_of(atoms), document) == []
    for atom in atoms:
        less = [each for each in atoms if each != atom]
        assert bench.told(role_of(less), document), atom
        if len(atom) == 4:
            weaker = {"read": "masked", "write": "read"}[atom[3]]
            assert bench.told(role_of([*less, (*atom[:3], weaker)]), document), atom


@pytest.mark.parametrize(
    ("scope", "at", "wide"),
    [
        ("all", "B1", True),
        ("subtree", "G", True),
        ("branch", "G", True),
        ("subtree", "B1", False),
        ("team", "G", False),
        ("own", "G", False),
        ("unowned", "G", False),
        ({"within": "all", "where": 'name = "x"'}, "G", False),
        ({"from": {"form": "call", "link": "lead"}, "within": "all", "where": "TRUE"}, "G", False),
    ],
)
def test_it_must_be_every_record_that_they_may_do_it_with(
    bench: Bench, scope: Any, at: str, wide: bool
) -> None:
    step, atoms, _ = ADDED["raise"]
    found = bench.told(role_of(atoms, scope), flow_of(step, WAIT, END), at)
    assert (found == []) == wide


def test_what_the_version_in_force_does_needs_no_right_anew(bench: Bench) -> None:
    nobody = role_of([])
    steps = [step for step, _, _ in ADDED.values() if step["key"] != "do_it"]
    whole = flow_of(*steps, WAIT, WON, END, key="whole")
    make.publish(bench.database, "flow", whole)
    longer = {**WAIT, "for": "3h"}
    assert bench.told(nobody, flow_of(*steps, longer, WON, END, key="whole")) == []
    assert bench.told(nobody, flow_of(WON, *reversed(steps), END, key="whole")) == []
    twice = {**WON, "key": "again", "do": [{**WON["do"][0], "key": "won_again"}]}  # type: ignore[index]
    assert bench.told(nobody, flow_of(*steps, WON, twice, END, key="whole")) == []
    assert bench.told(nobody, flow_of(*steps, WON, END, key="another")) != []


def test_what_is_read_already_goes_nowhere_else(bench: Bench) -> None:
    """It decided something; now it would be written where others see it, or be sent."""
    old = {"key": "until", "kind": "wait", "until": "visit_at"}
    note = act(
        "create", form="call", values={"lead": "this", "result": '"answered"', "note": "name"}
    )
    make.publish(bench.database, "flow", flow_of(old, note, END, key="reads"))
    both = 'CONCAT(name, TEXT(visit_at, "YYYY"))'
    more = act("create", form="call", values={**note["do"][0]["values"], "note": both})
    (place,) = bench.told(role_of([]), flow_of(old, more, END, key="reads"))
    assert place == "/steps/1/do/0/values/note"


def test_the_house_itself_publishes_anything(bench: Bench) -> None:
    with bench.database.read() as session:
        assert beyond(session, SYSTEM, "flow", flow_of(ADDED["call"][0], END)) == []


def test_publishing_is_refused_and_nothing_done(bench: Bench) -> None:
    bench.told(make.role("designer", {}, ["definitions.publish"]), flow_of(WAIT, END))
    person = bench.people["G"].person_id
    assert person is not None
    with pytest.raises(Invalid) as refused:
        bench.database.write(
            lambda session: publish_document(
                session, actor_of(session, person), "flow", flow_of(WON, END)
            )
        )
    assert [problem.code for problem in refused.value.problems] == ["E_BEYOND_PUBLISHER"]
