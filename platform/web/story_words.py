"""A story's steps in words, for the terminal, the plan's page and the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..packs.story import Line, Told
from .words import say, text


def sentence(tongue: str, line: Line) -> str:
    """What one step was: “Online consultant completes “First call””."""
    params = dict(line.params)
    if params.get("who") == "system":
        params["who"] = say(tongue, "story.system")
    if isinstance(params.get("what"), list):
        named = [text(each, tongue) for each in params["what"]]
        params["what"] = say(tongue, "page.comma").join(named) or "—"
    return say(tongue, f"story.{line.verb}", **params)


def story_json(tongue: str, story: Told) -> Mapping[str, Any]:
    """A story with every step: scene, words, state, problems (path, code, message)."""
    return {
        "key": story.key,
        "title": text(story.title, tongue),
        "passed": story.passed,
        "steps": [
            {
                "scene": text(story.scenes.get(line.scene, ""), tongue),
                "key": line.key,
                "words": sentence(tongue, line),
                "state": line.state,
                "problems": [
                    {
                        "path": problem.path,
                        "code": problem.code,
                        "message": say(tongue, f"problem.{problem.code}", **problem.params),
                    }
                    for problem in line.problems
                ],
            }
            for line in story.lines
        ],
    }
