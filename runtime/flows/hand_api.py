"""/api/tasks/ID/…: approve and reject, hand over, ask, add who signs, take back, hurry, comment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ...platform.web.body import json_object, number
from ...platform.web.idempotency import Reply, reply
from ...platform.web.request import who
from ...platform.web.routes import SIGNED_IN, Spec, route
from ...platform.web.shapes import ID, KEY, thing
from ..tasks.worklist import task_row
from . import hand_over
from .complete import complete
from .definition import NO, YES
from .shown import TASK_LINE, task_line
from .sign import BESIDE, WAYS
from .sign import add_sign as add_sign_deed
from .take_back import take_back as take_back_deed
from .turn_back import turn_back as turn_back_deed

area = Blueprint("hand_api", __name__)

_COMMENT = {"type": ["string", "null"], "maxLength": 2000}
_SAID = {"type": "string", "maxLength": 2000}
_TO = thing({"to": ID}, comment=_COMMENT)


def _then_line(task_id: int, deed: Callable[[Session], Any]) -> ResponseReturnValue:
    """Do it, and answer with the task's line: whoever gave it away may not open it any more."""
    actor = who()

    def act(session: Session) -> dict[str, Any]:
        deed(session)
        session.flush()
        return task_line(task_row(session, actor, task_id))

    return reply(act, Reply)


def _decide(task_id: int, outcome: str) -> ResponseReturnValue:
    sent, actor = json_object(), who()
    said = sent.get("comment")
    return _then_line(task_id, lambda session: complete(session, actor, task_id, {}, outcome, said))


@route(
    area,
    "/api/tasks/<id:task_id>/approve",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Say yes to an approval.",
        body=thing({}, comment=_COMMENT),
        answers={200: TASK_LINE},
        tag="tasks",
    ),
)
def approve(task_id: int) -> ResponseReturnValue:
    """422 when the task is no approval; 409 when another was faster."""
    return _decide(task_id, YES)


@route(
    area,
    "/api/tasks/<id:task_id>/reject",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Say no to an approval, and why.",
        body=thing({}, comment=_COMMENT),
        answers={200: TASK_LINE},
        tag="tasks",
    ),
)
def reject(task_id: int) -> ResponseReturnValue:
    """422 when the task is no approval, or no reason is given; 409 when another was faster."""
    return _decide(task_id, NO)


@route(
    area,
    "/api/tasks/<id:task_id>/return",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Return a task to the step `to` that was done before, or to the last one; say why.",
        body=thing({"comment": _SAID}, to=KEY),
        answers={200: TASK_LINE},
        tag="tasks",
    ),
)
def turn_back(task_id: int) -> ResponseReturnValue:
    """403 when its step is not to be returned; 422 when that step was not done before."""
    sent, actor = json_object(), who()
    to, said = sent.get("to"), sent["comment"]
    return _then_line(task_id, lambda session: turn_back_deed(session, actor, task_id, to, said))


@route(
    area,
    "/api/tasks/<id:task_id>/reassign",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Give a task to another person for good; with `record` its record too, where the step "
        "asks for a person of the record.",
        body=thing({"to": ID}, comment=_COMMENT, record={"type": "boolean"}),
        answers={200: TASK_LINE},
        tag="tasks",
    ),
)
def reassign(task_id: int) -> ResponseReturnValue:
    """Whoever has it may, and who holds `tasks.assign`; 422 when that person may not do it."""
    sent, actor = json_object(), who()
    to, said, record = number(sent["to"]), sent.get("comment"), sent.get("record", False)
    return _then_line(
        task_id,
        lambda session: hand_over.reassign(session, actor, task_id, to, said, record=record),
    )


@route(
    area,
    "/api/tasks/<id:task_id>/delegate",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Have another person look at a task of one's own; it comes back with their answer.",
        body=_TO,
        answers={200: TASK_LINE},
        tag="tasks",
    ),
)
def delegate(task_id: int) -> ResponseReturnValue:
    """Their `complete` with a comment, or `unclaim`, brings it back."""
    sent, actor = json_object(), who()
    to, said = number(sent["to"]), sent.get("comment")
    return _then_line(
        task_id, lambda session: hand_over.delegate(session, actor, task_id, to, said)
    )


@route(
    area,
    "/api/tasks/<id:task_id>/add-sign",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Have another person say yes to an approval of one's own as well: `beside` oneself, or "
        "`after` one's own yes, which is said with it.",
        body=thing({"to": ID}, way={"enum": list(WAYS)}, comment=_COMMENT),
        answers={200: TASK_LINE},
        tag="tasks",
    ),
)
def add_sign(task_id: int) -> ResponseReturnValue:
    """403 when the task is no approval; 422 when that person may not do it or is asked already."""
    sent, actor = json_object(), who()
    to, way, said = number(sent["to"]), sent.get("way", BESIDE), sent.get("comment")
    return _then_line(
        task_id, lambda session: add_sign_deed(session, actor, task_id, to, way, said)
    )


@route(
    area,
    "/api/tasks/<id:task_id>/take-back",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Take back a task one has completed, while nobody has begun what comes after it; "
        "answers with the task that is open instead.",
        body=thing({}),
        answers={200: TASK_LINE},
        tag="tasks",
    ),
)
def take_back(task_id: int) -> ResponseReturnValue:
    """403 when another completed it; 409 when the flow has gone on too far."""
    actor = who()

    def act(session: Session) -> dict[str, Any]:
        made = take_back_deed(session, actor, task_id)
        session.flush()
        return task_line(task_row(session, actor, made))

    return reply(act, Reply)


@route(
    area,
    "/api/tasks/<id:task_id>/remind",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Ask those who have a task to hurry, once in half an hour.",
        body=thing({}),
        answers={200: TASK_LINE},
        tag="tasks",
    ),
)
def remind(task_id: int) -> ResponseReturnValue:
    """429 when they were asked a short while ago."""
    actor = who()
    return _then_line(task_id, lambda session: hand_over.remind(session, actor, task_id))


@route(
    area,
    "/api/tasks/<id:task_id>/comment",
    methods=("POST",),
    needs=SIGNED_IN,
    spec=Spec(
        "Say something to a task, for all who see it.",
        body=thing({"comment": _SAID}),
        answers={201: thing({"id": ID})},
        tag="tasks",
    ),
)
def comment(task_id: int) -> ResponseReturnValue:
    """Whoever is or was asked may, and whoever sees its instance."""
    said, actor = json_object()["comment"], who()
    return reply(
        lambda session: hand_over.comment(session, actor, task_id, said),
        lambda note: Reply({"id": str(note)}, 201),
    )
