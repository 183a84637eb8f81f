"""A shell that only answers, and random flows for it: what the engine's tests are driven by."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from hypothesis import strategies as st

from careloom.runtime.actions.commands import (
    Assign,
    Call,
    Command,
    Create,
    Evaluate,
    Find,
    Look,
    Now,
    Offer,
    Reckon,
    Reckoned,
    Resolve,
    Run,
    StepFailed,
)
from careloom.runtime.actions.formula import Formula
from careloom.runtime.flows.advance import BUDGET, advance
from careloom.runtime.flows.definition import compile_flow
from careloom.runtime.steps.graph import Graph
from careloom.runtime.tasks.actors import Offered

NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)
Document = dict[str, Any]


def formula(
    text: str,
    at: str,
    expect: str | None = None,
    over: str | None = None,
    rows: str | None = None,
) -> Formula:
    """A formula that nobody works out: the test says what it is worth."""
    return Formula(at, text, run=lambda env: None)


def graph_of(document: Document) -> Graph:
    return compile_flow(document, 1, formula)


def flow(*steps: Document, **more: Any) -> Document:
    return {
        "format": 1,
        "key": "walk",
        "title": "Walk",
        "subject": "lead_intake",
        "steps": list(steps),
        **more,
    }


def task(key: str, **more: Any) -> Document:
    return {"key": key, "kind": "task", "title": key, "who": {"role": "agent"}, **more}


def end(key: str = "end") -> Document:
    return {"key": key, "kind": "end"}


@dataclass
class Answers:
    """The fake shell. `worth`: text of an expression -> its value; `fails`: commands that cannot
    be carried out. It keeps every command and what it answered."""

    worth: dict[str, Any] = field(default_factory=dict)
    fails: Callable[[Command], StepFailed | None] = lambda command: None
    nobody: bool = False
    log: list[tuple[Command, Any]] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    def answer(self, command: Command) -> Any:
        match command:
            case Evaluate(formula):
                return self.worth.get(formula.text)
            case Find() | Create() | Assign() | Offer() | Look():
                return next(self.ids)
            case Resolve():
                return () if self.nobody else (Offered(role="agent", unit=1),)
            case Reckon(when):
                if when.duration is not None:
                    return Reckoned(NOON + when.duration)
                at = self.worth.get(when.formulas[0].text) if when.formulas else NOON
                return Reckoned(at if isinstance(at, datetime) else None)
            case Now():
                return NOON
            case Call():
                return self.worth.get("set_up", True)
            case _:
                return None

    def walk(
        self, graph: Graph, at: str | None = None, run: Run | None = None, budget: int = BUDGET
    ) -> Run:
        walk = advance(graph, run or Run(), at or graph.first, at or graph.first, budget)
        try:
            command = next(walk)
            while True:
                failure = self.fails(command)
                self.log.append((command, failure or self.answer(command)))
                if failure is not None:
                    command = walk.throw(failure)
                else:
                    command = walk.send(self.log[-1][1])
        except StopIteration as over:
            assert isinstance(over.value, Run)
            return over.value

    @property
    def commands(self) -> list[Command]:
        return [command for command, _ in self.log]

    def of(self, kind: type[Any]) -> list[Any]:
        return [command for command in self.commands if isinstance(command, kind)]

    @property
    def last(self) -> Command:
        return self.commands[-1]


def replay(graph: Graph, log: list[tuple[Command, Any]]) -> list[Command]:
    """The commands that recorded results bring about."""
    walk = advance(graph, Run(), graph.first, graph.first)
    commands: list[Command] = []
    try:
        commands.append(next(walk))
        for _, result in log:
            failed = isinstance(result, StepFailed)
            commands.append(walk.throw(result) if failed else walk.send(result))
    except StopIteration:
        pass
    return commands


@st.composite
def flows(draw: st.DrawFn) -> Document:
    """Any tree that the schema accepts, sound or not: go_to anywhere, cases without an `other`."""
    keys = (f"s{number}" for number in count())
    used: list[str] = []

    def sequence(depth: int) -> list[Document]:
        return [step(depth) for _ in range(draw(st.integers(0 if depth else 1, 4)))]

    def step(depth: int) -> Document:
        key = next(keys)
        used.append(key)
        kinds = ["task", "action", "wait", "notify", "call", "end", "go_to"]
        kinds += ["branch", "branch", "race", "repeat", "approve"] if depth < 3 else []
        kind = draw(st.sampled_from(kinds))
        made: Document = {"key": key, "kind": kind}
        if kind == "task":
            made |= task(key, due="15m", limits=[{"key": "l", "after": "5m", "do": "remind"}])
            if draw(st.booleans()):
                made["then"] = [acts(key)]
        elif kind == "approve":
            who = [{"key": "a", "role": "agent"}, {"key": "b", "role": "boss"}]
            made |= {"title": key, "who": who, "by": draw(st.sampled_from(["any", "all"]))}
            made["rejected"] = sequence(depth + 1) or [end(f"{key}_no")]
        elif kind == "action":
            made["do"] = [acts(key)]
        elif kind == "notify":
            who = [{"key": "a", "role": "agent"}]
            made |= {"text": key, "who": who, "at": [{"key": "a", **when(key)}]}
        elif kind == "call":
            made |= {"title": key, "connection": "far", "body": {"x": f"x_{key}"}}
            made |= {"optional": draw(st.booleans())}
            if depth < 3 and draw(st.booleans()):
                made["failed"] = sequence(depth + 1) or [end(f"{key}_lost")]
        elif kind == "wait":
            made |= draw(st.sampled_from([when(key), came(key)]))
        elif kind == "go_to":
            made |= {"to": draw(st.sampled_from(used)), "visits": draw(st.integers(1, 4))}
        elif kind == "repeat":
            made |= {"times": draw(st.integers(1, 3)), "until": f"until_{key}"}
            waits = [{"key": "a", **when(key)}]
            made |= {draw(st.sampled_from(["before", "between"])): waits}
            made["steps"] = sequence(depth + 1) or [{"key": f"{key}_body", **waiting()}]
        elif kind == "race":
            arms: list[Document] = [
                {"key": f"{key}_0", "when": when(key)},
                {"key": f"{key}_1", **came(key)},
                {"key": f"{key}_2", "task": {"title": key, "who": {"role": "agent"}}},
            ]
            # only what stays gets steps: a go_to leads to any that was made
            arms = draw(st.permutations(arms))[: draw(st.integers(2, 3))]
            made["arms"] = [{**arm, "steps": sequence(depth + 1)} for arm in arms]
        elif kind == "branch":
            made["cases"] = [
                {"key": f"c{number}", "when": f"case_{key}_{number}", "steps": sequence(depth + 1)}
                for number in range(draw(st.integers(1, 3)))
            ]
            if draw(st.booleans()):
                del made["cases"][-1]["when"]
        return made

    def waiting() -> Document:
        return {"kind": "wait", "for": "1h"}

    def when(key: str) -> Document:
        return draw(st.sampled_from([{"for": "2h"}, {"until": f"until_{key}"}, {"at": "10:00"}]))

    def came(key: str) -> Document:
        record = {"form": "call", "link": "lead", "to": "this"}
        return draw(st.sampled_from([{"submitted": record}, {"event": "lead.back"}]))

    def acts(key: str) -> Document:
        return draw(
            st.sampled_from(
                [
                    {"key": f"{key}_a", "action": "find", "form": "f", "where": {"x": f"x_{key}"}},
                    {"key": f"{key}_a", "action": "create", "form": "f", "values": {"x": "1"}},
                    {"key": f"{key}_a", "action": "set", "values": {"x": f"x_{key}"}},
                    {"key": f"{key}_a", "action": "assign", "role": "agent", "field": "owner"},
                ]
            )
        )

    return flow(*sequence(0))
