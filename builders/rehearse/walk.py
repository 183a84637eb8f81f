"""A flow walked through on sample values: what people would do, and the clock turned on."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import BoundedSemaphore
from typing import Any

from sqlalchemy.orm import Session

from ...platform.identity.actor import SYSTEM
from ...platform.records.submit import submit
from ...platform.store.errors import Invalid, NotUnderstood, Problem, Refusal, TooMany
from ...runtime.flows.start import start
from ...runtime.stories.cast import Cast, Failed
from ...runtime.stories.deeds import DEEDS, instances_of, open_task, work
from .plan import SUBJECT, VERBS, Plan
from .scene import answers, scene
from .tell import doers

MOST_SECONDS = 20
"""Then no further deed is begun."""
AT_ONCE = 2
"""Rehearsals in one process, for they take the processor from people at work."""
MOST_WAIT = 5.0
"""Seconds that one waits for others'."""
_places = BoundedSemaphore(AT_ONCE)


@dataclass
class Walk:
    """How far a rehearsal came: how many deeds of its walk were done, and why no further."""

    cast: Cast
    done: int = 0
    problems: list[Problem] = field(default_factory=list)

    def go(self, deed: Mapping[str, Any]) -> None:
        """Do one more deed, as `plan.deed_of` gives one; what is wrong with it ends the walk."""
        self.problems += _tried(partial(_do, self.cast, deed), f"/walk/{self.done}")
        self.done += not self.problems


@contextmanager
def walked(plan: Plan) -> Iterator[Walk]:
    """The scene as it is after the walk, until this is left. Nothing of this house is read or
    changed.

    Raises Invalid with what is wrong with a draft or with the sample values, NotUnderstood where it
    rests on what this version cannot read, and TooMany while others rehearse.
    """
    if not _places.acquire(timeout=MOST_WAIT):
        raise TooMany(5)
    try:
        with scene(plan.house, plan.drafts, plan.zone, plan.begin) as cast:
            for key, answer in plan.answers.items():
                answers(cast, key, answer)
            walk = Walk(cast)
            _begin(walk, plan)
            until = time.monotonic() + MOST_SECONDS
            for deed in plan.deeds:
                if time.monotonic() > until and not walk.problems:
                    walk.problems.append(Problem(f"/walk/{walk.done}", "E_REHEARSAL_LONG"))
                if walk.problems:
                    break
                walk.go(deed)
            yield walk
    finally:
        _places.release()


def _begin(walk: Walk, plan: Plan) -> None:
    """The record that the flow is about comes in, and the flow begins: by itself or by hand.

    Raises Invalid where the record does not come in; then there is nothing to walk.
    """
    cast, flow = walk.cast, plan.flow

    def deed(session: Session) -> int:
        actor = cast.actor(session, plan.actor)
        values = cast.filled(session, plan.values)
        return submit(session, actor, flow["subject"], values, unit_id=plan.place.id).id

    def by_hand(session: Session) -> None:
        if "start" not in flow:
            start(session, SYSTEM, flow["key"], record_id=cast.records[SUBJECT][1])

    def submitted() -> None:
        cast.records[SUBJECT] = flow["subject"], cast.database.write(deed)

    def begun() -> None:
        cast.database.write(by_hand)
        work(cast)

    if problems := _tried(submitted, "/values"):
        raise Invalid(problems=problems)
    walk.problems += _tried(begun, "/flow")
    with cast.database.read() as session:
        if not walk.problems and not instances_of(session, flow["key"], cast.records[SUBJECT]):
            walk.problems.append(Problem("/values", "E_REHEARSAL_NOT_BEGUN"))


def _do(cast: Cast, item: Mapping[str, Any]) -> None:
    verb = next(verb for verb in VERBS if verb in item)
    if verb in ("complete", "claim") and "as" not in item:
        item = {**item, "as": _whoever(cast, item, item[verb])}
    DEEDS[verb](cast, item)
    work(cast)


def _tried(deed: Callable[[], None], path: str) -> list[Problem]:
    """Do it; what was wrong with it, each problem under this path. Raises NotUnderstood."""
    try:
        deed()
    except NotUnderstood:
        raise
    except Failed as failed:
        found: Sequence[Problem] = failed.problems
    except Refusal as refusal:
        found = refusal.problems or [Problem("", refusal.code, refusal.params)]
    else:
        return []
    return [Problem(path + one.path, one.code, one.params) for one in found]


def _whoever(cast: Cast, item: Mapping[str, Any], step: str) -> str:
    """Who has the task, else the first of those who are asked."""
    with cast.database.read() as session:
        row = open_task(session, cast.record(item["of"]), step)
        if row is None:
            raise Failed("E_STORY_NO_TASK")
        people = doers(session, row)
        if not people:
            raise Failed("E_REHEARSAL_NOBODY")
        return cast.people(session)[people[0]]
