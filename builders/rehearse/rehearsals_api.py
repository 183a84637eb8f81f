"""/api/rehearsals: try a flow out, draft or in force, and see what would come of it."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from ...platform.web.body import json_object
from ...platform.web.definitions_api import SENTENCES, sentences
from ...platform.web.request import close_reading, reading, who
from ...platform.web.routes import Spec, route
from ...platform.web.shapes import thing
from .plan import ASKED, planned
from .tell import TOLD, tell
from .walk import walked

area = Blueprint("rehearsals_api", __name__)


@route(
    area,
    "/api/rehearsals",
    methods=("POST",),
    needs="definitions.write",
    spec=Spec(
        "Walk a flow on sample values and a clock of its own; nothing is written, nobody is told.",
        body=ASKED,
        answers={200: thing({**TOLD, "problems": SENTENCES})},
        tag="definitions",
    ),
)
def new_rehearsal() -> ResponseReturnValue:
    """The whole walk is sent each time, and walked from its beginning. 422 for a draft or sample
    values that are wrong; a deed that cannot be done ends the walk and stands in `problems`."""
    plan = planned(reading(), who(), json_object())
    close_reading()  # it may take a while, and needs no more of this database
    with walked(plan) as walk:
        return jsonify({**tell(walk.cast, walk.done), "problems": sentences(walk.problems)})
