"""The step function, driven by a shell that only answers."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careloom.runtime.actions.commands import (
    Change,
    Create,
    Enter,
    Evaluate,
    Find,
    Finish,
    Later,
    Leave,
    Look,
    Named,
    Offer,
    Reckon,
    Reckoned,
    Rest,
    Run,
    SetLimit,
    Sleep,
    StepFailed,
    Trouble,
)

from .walks import NOON, Answers, Document, end, flow, flows, graph_of, replay, task


def act(key: str, action: str, **more: Any) -> Document:
    return {"key": key, "action": action, **more}


def test_a_token_rests_at_a_task_with_its_due_time_and_limits() -> None:
    answers = Answers()
    limits = [{"key": "late", "after": "30m", "do": "escalate", "to": {"role": "boss"}}]
    answers.walk(graph_of(flow(task("call", due="15m", limits=limits), end())))
    (offer,) = answers.of(Offer)
    assert offer.due.at == NOON + timedelta(minutes=15)
    assert answers.of(SetLimit) == [SetLimit(1, "late", Reckoned(NOON + timedelta(minutes=30)))]
    assert answers.last == Rest("call")


def test_a_task_that_nobody_can_do_is_trouble_and_offers_nothing() -> None:
    answers = Answers(nobody=True)
    answers.walk(graph_of(flow(task("call"), end())))
    assert not answers.of(Offer)
    assert answers.last == Trouble("call", "E_NOBODY", {"who": "agent"})


def test_the_first_case_that_holds_is_taken() -> None:
    branch = {
        "key": "which",
        "kind": "branch",
        "cases": [
            {"key": "a", "when": "a", "steps": [end("at_a")]},
            {"key": "b", "when": "b", "steps": [end("at_b")]},
            {"key": "other", "steps": [end("at_other")]},
        ],
    }
    graph = graph_of(flow(branch))
    for worth, reached in [
        ({"a": True, "b": True}, "at_a"),
        ({"a": False, "b": True}, "at_b"),
        ({"a": None, "b": "yes"}, "at_other"),
    ]:
        answers = Answers(worth=worth)
        answers.walk(graph)
        assert answers.last == Finish(reached)


def test_a_case_without_steps_goes_on_after_the_branch() -> None:
    branch = {"key": "which", "kind": "branch", "cases": [{"key": "other", "steps": []}]}
    answers = Answers()
    answers.walk(graph_of(flow(branch, task("call"), end())))
    assert Leave("which", "call", "other") in answers.commands
    assert answers.last == Rest("call")


def test_a_branch_where_no_case_holds_is_trouble() -> None:
    branch = {"key": "which", "kind": "branch", "cases": [{"key": "a", "when": "a", "steps": []}]}
    answers = Answers()
    answers.walk(graph_of(flow(branch, end())))
    assert answers.last == Trouble("which", "E_NO_CASE", {"step": "which"})


def test_go_to_is_taken_as_often_as_it_may_and_then_passed() -> None:
    steps = [
        {"key": "touch", "kind": "action", "do": [act("set", "set", values={"x": "1"})]},
        {"key": "again", "kind": "go_to", "to": "touch", "visits": 3},
        end(),
    ]
    answers = Answers()
    run = answers.walk(graph_of(flow(*steps)))
    assert len(answers.of(Change)) == 4
    assert run.visits == {"again": 3}
    cases = [left.case for left in answers.of(Leave) if left.step == "again"]
    assert cases == ["taken", "taken", "taken", "spent"]
    assert answers.last == Finish("end")


def test_what_a_step_makes_stands_under_its_key_for_those_after_it() -> None:
    do = [
        act("made", "create", form="customer", values={"name": "name"}),
        act("linked", "set", values={"customer": "made"}),
    ]
    answers = Answers()
    run = answers.walk(graph_of(flow({"key": "dedupe", "kind": "action", "do": do}, end())))
    assert run.names == {"made": Named("customer", 1)}
    asked = [one for one in answers.of(Evaluate) if one.formula.text == "made"]
    assert asked[0].names == {"made": Named("customer", 1)}


def test_a_second_visit_does_not_see_what_the_first_one_found() -> None:
    find = act("same", "find", form="customer", where={"mobile": "mobile"})
    answers = Answers(worth={"mobile": None})
    graph = graph_of(flow({"key": "look", "kind": "action", "do": [find]}, end()))
    run = answers.walk(graph, run=Run(names={"same": Named("customer", 7)}))
    assert run.names == {}
    assert not answers.of(Find), "a blank value finds nobody"


def test_a_condition_that_does_not_hold_skips_its_action() -> None:
    make = act("made", "create", when="missing", form="customer", values={"name": "name"})
    for worth, made in [(True, 1), (False, 0), (None, 0)]:
        answers = Answers(worth={"missing": worth})
        answers.walk(graph_of(flow({"key": "x", "kind": "action", "do": [make]}, end())))
        assert len(answers.of(Create)) == made


def test_a_failing_action_leaves_the_run_as_it_was_before_its_step() -> None:
    do = [
        act("first", "create", form="customer", values={"name": "name"}),
        act("second", "create", form="broken", values={"name": "name"}),
    ]
    fails = lambda c: StepFailed("E_INVALID") if c == broken else None  # noqa: E731
    broken = Create("broken", (("name", None),))
    answers = Answers(fails=fails)
    run = answers.walk(graph_of(flow({"key": "make", "kind": "action", "do": do}, end())))
    assert run.names == {}
    assert answers.last == Trouble("make", "E_INVALID", {})


def test_the_actions_after_a_task_are_a_step_of_their_own() -> None:
    then = [act("touched", "set", values={"contacted_at": "NOW()"})]
    graph = graph_of(flow(task("call", then=then), end()))
    assert graph.nodes["call"].next == "call/then"
    answers = Answers()
    answers.walk(graph, at="call/then")
    assert [c.step for c in answers.of(Enter)] == ["call/then", "end"]
    assert answers.last == Finish("end")


def test_a_wait_sleeps_until_its_moment_and_passes_one_that_is_over() -> None:
    graph = graph_of(flow({"key": "pause", "kind": "wait", "until": "when"}, end()))
    sleeps = Answers(worth={"when": NOON + timedelta(hours=1)})
    sleeps.walk(graph)
    assert sleeps.of(Sleep) == [Sleep("pause", Reckoned(NOON + timedelta(hours=1)))]
    assert sleeps.last == Rest("pause")
    for over in (NOON, None):
        passes = Answers(worth={"when": over})
        passes.walk(graph)
        assert passes.last == Finish("end")


def test_a_full_budget_goes_on_later_where_it_stopped() -> None:
    steps = [
        {"key": "a", "kind": "action", "do": [act("x", "set", values={"x": "1"})]},
        {"key": "again", "kind": "go_to", "to": "a", "visits": 1000},
        end(),
    ]
    answers = Answers()
    run = answers.walk(graph_of(flow(*steps)), budget=10)
    assert answers.last == Later("a")
    assert run.visits == {"again": 5}
    on = Answers()
    assert on.walk(graph_of(flow(*steps)), at="a", run=run, budget=3).visits == {"again": 6}


def test_a_path_that_falls_off_the_end_is_trouble_and_not_silence() -> None:
    answers = Answers()
    answers.walk(graph_of(flow({"key": "x", "kind": "action", "do": [act("y", "set", values={})]})))
    assert answers.last == Trouble("x", "E_FLOW_NO_END", {"step": "x"})


WORTH = st.sampled_from([True, False, None, 0, "text", NOON, NOON + timedelta(days=1)])


@settings(max_examples=400, deadline=None)
@given(document=flows(), data=st.data())
def test_every_walk_comes_to_a_rest_an_end_or_an_incident(
    document: Document, data: st.DataObject
) -> None:
    graph = graph_of(document)
    worth: dict[str, Any] = {}

    class Random(Answers):
        def answer(self, command: Any) -> Any:
            if isinstance(command, Evaluate) and command.formula.text != "this":
                value = data.draw(WORTH)
                worth[command.formula.at] = value
                return value
            if isinstance(command, Find | Look) and data.draw(st.booleans()):
                return None
            if isinstance(command, Evaluate) and command.formula.text == "this":
                return 7
            if isinstance(command, Reckon) and command.when.formulas:
                value = data.draw(st.sampled_from([None, NOON, NOON + timedelta(days=1)]))
                return Reckoned(value)
            return super().answer(command)

    fails = lambda c: (  # noqa: E731
        StepFailed("E_ANY")
        if isinstance(c, Create | Change | Find) and data.draw(st.integers(0, 9)) == 0
        else None
    )
    answers = Random(fails=fails)
    run = answers.walk(graph)
    assert isinstance(answers.last, Rest | Finish | Trouble | Later)
    assert not any(isinstance(c, Rest | Finish | Trouble | Later) for c in answers.commands[:-1])
    _entered_and_left_in_turn(answers)
    for key, times in run.visits.items():
        step = graph.nodes[key].step
        assert times <= step.visits  # type: ignore[union-attr]
    assert replay(graph, answers.log) == answers.commands


def _entered_and_left_in_turn(answers: Answers) -> None:
    """Each step is left for the one that is entered next."""
    leads_to: str | None = None
    for command in answers.commands:
        if isinstance(command, Enter) and leads_to is not None:
            assert command.step == leads_to
        if isinstance(command, Leave):
            leads_to = command.to


def test_replay_notices_another_answer() -> None:
    branch = {
        "key": "which",
        "kind": "branch",
        "cases": [{"key": "a", "when": "a", "steps": [end("one")]}, {"key": "b", "steps": []}],
    }
    graph = graph_of(flow(branch, end()))
    answers = Answers(worth={"a": True})
    answers.walk(graph)
    changed = [(c, False if isinstance(c, Evaluate) else r) for c, r in answers.log]
    assert replay(graph, changed) != answers.commands


@pytest.mark.parametrize("text", ["0m", "15", "m", "15M", "15m\n", "-3d", "100000m", "1.5h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    from careloom.runtime.flows.timing import duration

    with pytest.raises(ValueError):
        duration(text)
