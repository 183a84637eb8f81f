"""Random flows, driven at random: whatever happens in whatever order, every instance is sound."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.submit import change, submit
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database, open_database
from careloom.platform.store.errors import Refusal
from careloom.runtime.flows import control
from careloom.runtime.flows.complete import complete
from careloom.runtime.flows.model import Incident, Instance
from careloom.runtime.flows.raised import raise_event
from careloom.runtime.tasks.hold import claim
from careloom.runtime.work.dispatch import drain

from ..clinic import Clinic, clinic_in, flow_of, listed, rows, sound

Document = dict[str, Any]
PEOPLE = ("ann", "bob", "sue", "max")
CONDITIONS = ('status = "new"', "ISBLANK(visit_at)", "urgent = true", 'name = "x"')


class Killed(Exception):
    """The process dies before its transaction is committed."""


@pytest.fixture(scope="module")
def clinic(sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    import shutil

    home = tmp_path_factory.mktemp("random")
    shutil.copyfile(sqlite_template, home / "careloom.db")
    clock = TurnedClock()
    database: Database = open_database(f"sqlite:///{home}/careloom.db", home, clock)
    made = clinic_in(database)
    yield made
    database.close()


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A flow that may be published: every way ends, every loop has a limit."""
    keys = (f"s{number}" for number in count())

    def sequence(depth: int, least: int = 0) -> list[Document]:
        return [step(depth) for _ in range(draw(st.integers(least, 3)))]

    def step(depth: int) -> Document:
        key = next(keys)
        kinds = ["task", "wait", "notify", "action", "go_to"]
        kinds += ["branch", "race", "race", "repeat", "approve"] if depth < 2 else []
        made: Document = {"key": key, "kind": draw(st.sampled_from(kinds))}
        return made | _PARTS[made["kind"]](key, depth)

    def task(key: str, depth: int) -> Document:
        limits = [
            {"key": "a", "after": "30m", "do": "remind"},
            {"key": "b", "at": {"until": "visit_at"}, "do": "escalate", "to": {"role": "manager"}},
            {"key": "c", "after": "3h", "do": "reassign", "to": {"role": "supervisor"}},
        ]
        due = draw(st.sampled_from(["15m", {"until": "visit_at", "offset": "-1h"}]))
        limits = draw(st.lists(st.sampled_from(limits), unique_by=lambda one: one["key"]))
        return {"title": key, "who": {"role": "agent"}, "due": due, "limits": limits}

    def approve(key: str, depth: int) -> Document:
        who = [{"key": "a", "role": "agent"}, {"key": "b", "role": "supervisor"}]
        no = [*sequence(depth + 1), {"key": f"{key}_no", "kind": "end"}]
        by = draw(st.sampled_from(["any", "all"]))
        return {"title": key, "who": who, "by": by, "due": "1h", "rejected": no}

    def wait(key: str, depth: int) -> Document:
        return draw(st.sampled_from([when(), came(), {"event": "lead.back"}]))

    def when() -> Document:
        until = {"until": "visit_at", "offset": "-1h"}
        return draw(st.sampled_from([{"for": "2h"}, until, {"at": "12:00"}]))

    def came() -> Document:
        return {"submitted": {"form": "call", "link": "lead", "to": "this"}}

    def notify(key: str, depth: int) -> Document:
        moments = [{"key": "a", **when()}, {"key": "b", "for": "1h"}]
        return {"text": key, "who": [{"key": "a", "role": "agent"}], "at": moments}

    def action(key: str, depth: int) -> Document:
        acts = [
            {"action": "set", "values": {"urgent": "NOT(urgent)"}},
            {"action": "set", "values": {"name": 'IF(name = "x", NULL, "x")'}},
            {"action": "create", "form": "customer", "values": {"name": "name"}},
            {"action": "raise", "event": "lead.back"},
        ]
        return {"do": [{"key": f"{key}_a", **draw(st.sampled_from(acts))}]}

    def go_to(key: str, depth: int) -> Document:
        return {"to": "begin", "visits": draw(st.integers(1, 2))}

    def branch(key: str, depth: int) -> Document:
        when = draw(st.sampled_from(CONDITIONS))
        cases = [{"key": "yes", "when": when, "steps": sequence(depth + 1)}]
        return {"cases": [*cases, {"key": "no", "steps": sequence(depth + 1)}]}

    def race(key: str, depth: int) -> Document:
        person = {"title": key, "who": {"role": "agent"}, "due": "1h"}
        arms = [
            {"key": f"{key}_w", "when": when(), "steps": sequence(depth + 1)},
            {"key": f"{key}_r", **came(), "steps": sequence(depth + 1)},
            {"key": f"{key}_e", "event": "lead.back", "steps": sequence(depth + 1)},
            {"key": f"{key}_t", "task": person, "steps": sequence(depth + 1)},
        ]
        return {"arms": draw(st.permutations(arms))[: draw(st.integers(2, 4))]}

    def repeat(key: str, depth: int) -> Document:
        waits = draw(st.sampled_from(["before", "between"]))
        until = draw(st.sampled_from(CONDITIONS))
        steps = sequence(depth + 1, least=1)
        return {"times": 2, "until": until, waits: [{"key": "a", **when()}], "steps": steps}

    _PARTS = {
        "task": task, "approve": approve, "wait": wait, "notify": notify, "action": action,
        "go_to": go_to, "branch": branch, "race": race, "repeat": repeat,
    }  # fmt: skip
    begin = {"key": "begin", "kind": "task", "title": "begin", "who": {"role": "agent"}}
    return flow_of(begin, *sequence(0, least=1), {"key": "end", "kind": "end"})


class Drive:
    """One lead on its way, and what may happen to it."""

    def __init__(self, clinic: Clinic, data: st.DataObject, lead: int) -> None:
        self.clinic, self.data, self.lead = clinic, data, lead
        self.clock = clinic.database.clock
        assert isinstance(self.clock, TurnedClock)

    def write(self, deed: Any) -> None:
        """Now and then the process dies just before the commit; refusals are no matter."""
        killed = self.data.draw(st.integers(0, 5), label="killed") == 0

        def act(session: Any) -> None:
            deed(session)
            if killed:
                raise Killed

        try:
            self.clinic.database.write(act)
        except (Killed, Refusal):
            pass

    def do(self) -> None:
        moves = (self.complete, self.turn, self.submit, self.change, self.back, self.control)
        self.data.draw(st.sampled_from(moves), label="move")()
        if self.data.draw(st.booleans(), label="worked"):
            drain(self.clinic.database, until_idle=self.data.draw(st.booleans()))

    def complete(self) -> None:
        login = self.data.draw(st.sampled_from(PEOPLE))
        tasks = listed(self.clinic, login)
        if not tasks:
            return
        actor, task = self.clinic.actor(login), tasks[0].id
        if self.data.draw(st.booleans()):
            self.write(lambda session: claim(session, actor, task))
        outcome = self.data.draw(st.sampled_from([None, None, "approved", "rejected"]))
        self.write(lambda session: complete(session, actor, task, {}, outcome, "so"))

    def turn(self) -> None:
        assert isinstance(self.clock, TurnedClock)
        self.clock.turn(timedelta(minutes=self.data.draw(st.sampled_from([10, 65, 190, 2000]))))

    def submit(self) -> None:
        values = {"lead": str(self.lead), "result": "answered"}
        self.write(lambda session: submit(session, SYSTEM, "call", values))

    def change(self) -> None:
        at = self.clock.now() + timedelta(hours=self.data.draw(st.sampled_from([-3, 2, 30])))
        visit = self.data.draw(st.sampled_from([None, at.strftime("%Y-%m-%dT%H:%M:%SZ")]))
        self.write(lambda session: change(session, SYSTEM, "lead", self.lead, {"visit_at": visit}))

    def back(self) -> None:
        self.write(lambda session: raise_event(session, SYSTEM, "lead", self.lead, "lead.back"))

    def control(self) -> None:
        deed = self.data.draw(st.sampled_from(["suspend", "resume", "resume", "retry", "cancel"]))
        max_ = self.clinic.actor("max")
        instances = [one.id for one in rows(self.clinic, Instance) if one.subject_id == self.lead]
        if deed == "retry":
            found = rows(self.clinic, Incident)
            if found:
                self.write(lambda session: control.retry(session, max_, found[-1].id))
        elif deed != "cancel" or self.data.draw(st.integers(0, 3)) == 0:
            act = getattr(control, deed)
            self.write(lambda session: [act(session, max_, one) for one in instances])


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(document=documents(), data=st.data())
def test_whatever_happens_every_instance_is_sound(
    clinic: Clinic, document: Document, data: st.DataObject
) -> None:
    clinic.database.write(lambda session: publish_document(session, SYSTEM, "flow", document))
    visit = {"visit_at": "2026-03-04T13:00"} if data.draw(st.booleans()) else {}
    drive = Drive(clinic, data, clinic.lead(**visit))
    for _ in range(data.draw(st.integers(1, 12))):
        drive.do()
        sound(clinic)
    drain(clinic.database)
    sound(clinic)
