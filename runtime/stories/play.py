"""Play one story: deed by deed, scene by scene, until something is not as it should be."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ...platform.identity import grants
from ...platform.identity.actor import SYSTEM, TIME_ZONE
from ...platform.identity.people import add_person, disable
from ...platform.identity.tree import unit_by_code
from ...platform.identity.units import change_unit
from ...platform.packs.story import DONE, FAILED, NOT_REACHED, Line, Story, Told, verb_of
from ...platform.records.check import violations
from ...platform.store.database import Database
from ...platform.store.errors import Problem, Refusal
from .cast import Cast, Failed, titles
from .deeds import DEEDS, work
from .expect import EXPECT, troubles

Item = Mapping[str, Any]
MOVED = ("turn", "turn_to")


def play(database: Database, story: Story) -> Told:
    """Play a story in a database as `stage.build` leaves one, on its turned clock.

    The first deed that goes wrong ends it; of a scene's expectations each is looked at.
    """
    cast = Cast(database, ZoneInfo(story.get("time_zone", TIME_ZONE)))
    telling = _Telling(cast, story)
    telling.begin()
    telling.deeds("", story.get("given", ()))
    for scene in story["scenes"]:
        telling.deeds(scene["key"], scene["when"])
        telling.expectations(scene["key"], scene["then"])
    telling.end()
    scenes = {scene["key"]: scene.get("title", scene["key"]) for scene in story["scenes"]}
    return Told(story["key"], story["title"], tuple(telling.lines), scenes)


class _Telling:
    """A story while it is played."""

    def __init__(self, cast: Cast, story: Story) -> None:
        self.cast, self.story = cast, story
        self.lines: list[Line] = []
        self.over = False
        self.titles: dict[tuple[str, str], Any] = {}

    def begin(self) -> None:
        """The clock and the people as the story wants them."""
        cast, story = self.cast, self.story
        cast.clock.set(cast.moment(story["at"]))
        cast.database.write(lambda session: _settle(session, cast, story))
        with cast.database.read() as session:
            self.titles = titles(session)

    def deeds(self, scene: str, items: Any) -> None:
        for item in items:
            skipped = self.over
            self._tell(scene, item, [] if skipped else self._do(item), skipped)

    def expectations(self, scene: str, items: Any) -> None:
        """All of them, for together they say more than the first that fails."""
        skipped = self.over
        for item in items:
            self._tell(scene, item, [] if skipped else self._look(item), skipped)
        if not skipped:
            self._look_for_trouble(scene, items)

    def end(self) -> None:
        """What must always hold holds in the end too."""
        if self.over:
            return
        with self.cast.database.read() as session:
            found = [
                Problem("", "E_STORY_UNSOUND", {"words": each}) for each in violations(session)
            ]
        if found:
            self.lines.append(Line("", "", "sound", {}, FAILED, tuple(found)))

    def _do(self, item: Item) -> list[Problem]:
        verb = verb_of(item)
        wanted = item.get("refused")
        try:
            DEEDS[verb](self.cast, item)
            if verb not in MOVED:
                work(self.cast)
        except Failed as failed:
            return failed.problems
        except Refusal as refusal:
            codes = {refusal.code, *(problem.code for problem in refusal.problems)}
            if wanted in codes:
                return []
            code = "E_STORY_REFUSED" if wanted is None else "E_STORY_REFUSED_SO"
            first = Problem("", code, {"wanted": wanted})
            return [first, Problem("", refusal.code, refusal.params), *refusal.problems]
        return [Problem("", "E_STORY_NOT_REFUSED", {"wanted": wanted})] if wanted else []

    def _look(self, item: Item) -> list[Problem]:
        try:
            with self.cast.database.read() as session:
                return list(EXPECT[verb_of(item)](session, self.cast, item))
        except Failed as failed:
            return failed.problems
        except Refusal as refusal:
            first = Problem("", "E_STORY_REFUSED")
            return [first, Problem("", refusal.code, refusal.params), *refusal.problems]

    def _look_for_trouble(self, scene: str, items: Any) -> None:
        expected = {step for item in items for step in item.get("incidents", ())}
        with self.cast.database.read() as session:
            found = tuple(troubles(session, expected))
        if found:
            self.lines.append(Line(scene, "", "trouble", {}, FAILED, found))
            self.over = True

    def _tell(self, scene: str, item: Item, problems: list[Problem], skipped: bool) -> None:
        verb = verb_of(item)
        state = FAILED if problems else NOT_REACHED if skipped else DONE
        params = self._params(verb, item)
        told = tuple(map(self._in_titles, problems))
        self.lines.append(Line(scene, item["key"], verb, params, state, told))
        self.over = self.over or bool(problems)

    def _params(self, verb: str, item: Item) -> dict[str, Any]:
        """What the item's sentence names, by the labels people know."""
        named, who = item[verb], item.get("as", "system")
        what = [self._called(each) for each in named] if isinstance(named, list) else named
        if isinstance(what, str):
            what = self._called(what)
        return {"who": self.titles.get(("role", who), who), "what": what}

    def _in_titles(self, problem: Problem) -> Problem:
        """People by their role's title, steps by their own, as the rest of the sentence does."""
        params = dict(problem.params)
        for name, kind in (("person", "role"), ("step", "step")):
            if (kind, params.get(name)) in self.titles:
                params[name] = self.titles[kind, params[name]]
        return Problem(problem.path, problem.code, params)

    def _called(self, name: str) -> Any:
        kinds = ("step", "form", "flow")
        return next(
            (self.titles[each, name] for each in kinds if (each, name) in self.titles), name
        )


def _settle(session: Session, cast: Cast, story: Story) -> None:
    """The story's own time zone and people; those it does without are gone."""
    for code in ("group", "branch_1", "branch_2"):
        place = unit_by_code(session, code)
        if place.time_zone != str(cast.zone):
            change_unit(session, SYSTEM, place.id, time_zone=str(cast.zone))
    for somebody in story.get("people", ()):
        at = unit_by_code(session, somebody["unit"]).id
        person = add_person(session, SYSTEM, somebody["key"], somebody["key"], at).id
        for role in somebody["roles"]:
            grants.give(session, SYSTEM, person, role, at)
    for name in story.get("absent", ()):
        disable(session, SYSTEM, cast.person(session, name))
