"""A pack's stories: their shape, and what playing one told. Who plays them plugs in here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from ..definitions.check import misfits
from ..definitions.schema_check import nearest, pointer, schema
from ..store.errors import Problem

if TYPE_CHECKING:
    from .read import Pack

Story = Mapping[str, Any]
DONE, FAILED, NOT_REACHED = "done", "failed", "not_reached"


@cache
def deeds() -> frozenset[str]:
    """What may happen in a story: the names of its deeds."""
    return _named("deed_")


@cache
def expectations() -> frozenset[str]:
    """What a story may expect."""
    return _named("expect_")


def _named(begin: str) -> frozenset[str]:
    parts = schema("story")["$defs"]
    return frozenset(name.removeprefix(begin) for name in parts if name.startswith(begin))


def verb_of(item: Mapping[str, Any]) -> str:
    """Which deed or expectation an item of a sound story is."""
    return next(name for name in item if name in deeds() or name in expectations())


def story_problems(story: Any) -> list[Problem]:
    """What is wrong with a story's shape, each with its place in it."""
    problems = misfits("story", story)
    if problems:
        return problems
    problems += _moments(story)
    seen: set[str] = set()
    for at, item, kind in _items(story):
        names = deeds() if kind == "deed" else expectations()
        said = [name for name in item if name in names]
        if len(said) != 1:
            wrong = next((name for name in item if name != "key"), "")
            params = {"allowed": ", ".join(sorted(names)), "nearest": nearest(wrong, names)}
            problems.append(Problem(at, "E_STORY_VERB", params))
            continue
        for problem in misfits("story", item, f"{kind}_{said[0]}"):
            problems.append(Problem(at + problem.path, problem.code, problem.params))
        if item.get("key") in seen:
            problems.append(Problem(at + "/key", "E_STORY_TWICE", {"key": item["key"]}))
        seen.add(str(item.get("key")))
    return problems


def _items(story: Story) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Each deed and expectation with its place; keys are each once in the whole story."""
    for number, item in enumerate(story.get("given", ())):
        yield pointer("given", number), item, "deed"
    for scene, its in enumerate(story["scenes"]):
        for part, kind in (("when", "deed"), ("then", "expect")):
            for number, item in enumerate(its[part]):
                yield pointer("scenes", scene, part, number), item, kind


def _moments(story: Story) -> Iterator[Problem]:
    """Moments that no calendar has, and a time zone that no place has."""
    zone = story.get("time_zone")
    if zone is not None and zone not in available_timezones():
        yield Problem("/time_zone", "E_STORY_ZONE", {"zone": zone})
    places = [("/at", story["at"])]
    for at, item, _ in _items(story):
        due = item.get("due", ())
        places += [(f"{at}/due", each) for each in ([due] if isinstance(due, str) else due)]
        places += [(f"{at}/turn_to", item["turn_to"])] if "turn_to" in item else []
    for at, written in places:
        try:
            datetime.fromisoformat(str(written))
        except ValueError:
            yield Problem(at, "E_STORY_MOMENT", {"moment": str(written)[:40]})


@dataclass(frozen=True)
class Line:
    """One step of a story that was played. scene: its key, "" before the first one.

    verb, params: what it was, for its sentence `story.VERB`. problems: why it failed.
    """

    scene: str
    key: str
    verb: str
    params: Mapping[str, Any]
    state: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Told:
    """What came of a story. title: its own; scenes: their titles by key."""

    key: str
    title: Any
    lines: tuple[Line, ...]
    scenes: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Every step of it was done."""
        return all(line.state == DONE for line in self.lines)

    @property
    def failures(self) -> list[Problem]:
        """What failed, each at its place `/stories/STORY/SCENE/STEP`."""
        return [
            Problem(
                pointer(*filter(None, ("stories", self.key, line.scene, line.key))) + problem.path,
                problem.code,
                problem.params,
            )
            for line in self.lines
            for problem in line.problems
        ]


#: (packs, the last of which is asked; keys of its stories, None for all) -> what came of each
Player = Callable[[Sequence["Pack"], Sequence[str] | None], list[Told]]

PLAYERS: list[Player] = []
"""Whoever can play a story stands above this room and puts itself here; the last one plays."""


def play(packs: Sequence["Pack"], names: Sequence[str] | None = None) -> list[Told]:
    """Play the stories of the last of the packs, on the ground of all of them, in a database that
    is thrown away. Slow, so never inside a write."""
    if not PLAYERS:
        raise RuntimeError("nobody is there to play stories")
    return PLAYERS[-1](packs, names)
