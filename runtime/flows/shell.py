"""The shell: carries out, in the caller's transaction, what the step function asks for."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.orm import SessionTransaction

from ...platform.events.log import append
from ...platform.identity.actor import SYSTEM, Actor
from ...platform.store.errors import Refusal, Unavailable
from ...platform.store.session import moment, new_id
from ..actions import commands as ask
from ..actions.assign import assign
from ..actions.moments import after
from ..actions.records import change_record, create, find
from ..actions.sight import Sight
from ..steps.graph import Graph
from ..tasks.actors import Offered
from ..tasks.offer import NewTask, offer
from ..timers.set import NewTimer, set_timers
from . import writing
from .advance import Walk, advance
from .instance import Standing
from .model import TokenState
from .who import resolve

log = logging.getLogger(__name__)


class Shell:
    """One transition of one instance. The instance is locked, or as yet unwritten, by the caller.

    cause: the event that what happens now follows from.
    """

    def __init__(
        self,
        sight: Sight,
        graph: Graph,
        standing: Standing,
        cause: int | None,
        actor: Actor = SYSTEM,
    ) -> None:
        self.sight = sight
        self.session = sight.session
        self.graph = graph
        self.standing = standing
        self.cause = cause
        self.actor = actor
        self.token_id = 0
        self.token_state = ""
        self.token_step = ""
        self.steps: list[dict[str, Any]] = []
        self.timers: list[NewTimer] = []
        self.savepoint: SessionTransaction | None = None

    def walk(self, token_id: int, at: str | None, came_from: str) -> None:
        """Take the token on from the step `at`, and write down what became of it."""
        self.token_id = token_id
        walk = advance(self.graph, self.standing.run, at, came_from)
        self.standing.run = self._drive(walk)
        set_timers(self.session, self.timers)
        writing.write_steps(self.session, self.steps)

    def _drive(self, walk: Walk) -> ask.Run:
        answer: Any = None
        failure: ask.StepFailed | None = None
        while True:
            try:
                command = walk.throw(failure) if failure else walk.send(answer)
            except StopIteration as over:
                run = over.value
                assert isinstance(run, ask.Run)
                return run
            answer, failure = self._answer(command)

    def _answer(self, command: ask.Command) -> tuple[Any, ask.StepFailed | None]:
        """The command's result, or why it cannot be carried out.

        What goes wrong with the database itself (lost, full, serialisation) is no failure of the
        step: it ends the whole transaction, which is tried again.
        """
        try:
            return _ANSWERS[type(command)](self, command), None
        except ask.StepFailed as failure:
            return None, failure
        except Unavailable:
            raise
        except Refusal as refusal:
            return None, ask.StepFailed(refusal.code, **_told(refusal))
        except DBAPIError as error:
            if self.savepoint is None or not isinstance(error, IntegrityError | DataError):
                raise
            return None, ask.StepFailed("E_STEP_DATA", error=type(error.orig).__name__)
        except Exception as error:
            log.exception("step of instance %s", self.standing.id)
            return None, ask.StepFailed("E_STEP_BROKE", error=type(error).__name__)

    # What only knows

    def _evaluate(self, command: ask.Evaluate) -> Any:
        return command.formula.run(self.sight.env(command.names))

    def _find(self, command: ask.Find) -> int | None:
        return find(self.session, command.form, command.where)

    def _resolve(self, command: ask.Resolve) -> tuple[Offered, ...]:
        return resolve(self.sight, command.who, command.names)

    def _after(self, command: ask.After) -> datetime:
        return after(self.session, command.duration, command.calendar, self.sight.zone)

    def _now(self, command: ask.Now) -> datetime:
        return moment(self.session)

    # What writes records

    def _create(self, command: ask.Create) -> int:
        return create(self.sight, command.form, command.values, self.cause)

    def _change(self, command: ask.Change) -> None:
        change_record(self.sight, command.record, command.values, self.cause)

    def _assign(self, command: ask.Assign) -> int | None:
        return assign(self.sight, command, self.cause)

    # What puts something before people, or to sleep

    def _offer(self, command: ask.Offer) -> int:
        standing, node = self.standing, self.graph.nodes[command.step]
        new = NewTask(
            instance_id=standing.id,
            token_id=self.token_id,
            flow_key=standing.flow_key,
            flow_version=standing.flow_version,
            step_key=node.key,
            title=node.title,
            form_key=self.graph.task(node.key).form,
            subject_form=standing.subject_form,
            subject_id=standing.subject_id,
            unit_id=self.sight.subject.unit_id,
            due_at=command.due_at,
        )
        task_id = offer(self.session, new, command.actors)
        self.tell(
            "task:offered",
            task=str(task_id),
            step=node.key,
            to=writing.told_actors(command.actors),
            due=writing.told_moment(command.due_at),
        )
        return task_id

    def _limit(self, command: ask.SetLimit) -> None:
        data = {"limit": command.limit}
        timer = NewTimer(command.at, "limit", self.standing.id, command.task, data)
        self.timers.append(timer)

    def _sleep(self, command: ask.Sleep) -> None:
        wait_id = writing.add_wait(
            self.session, self.standing.id, self.token_id, command.step, command.until
        )
        self.timers.append(NewTimer(command.until, "wait", self.standing.id, wait_id))

    # What moves the token

    def _enter(self, command: ask.Enter) -> None:
        self.steps.append(
            {
                "id": new_id(self.session),
                "instance_id": self.standing.id,
                "token_id": self.token_id,
                "step_key": command.step,
                "at": moment(self.session),
                "case_key": None,
            }
        )
        if command.writes:
            self.savepoint = self.session.begin_nested()

    def _leave(self, command: ask.Leave) -> None:
        self._keep()
        self.steps[-1]["case_key"] = command.case

    def _rest(self, command: ask.Rest) -> None:
        self._keep()
        self._stand(TokenState.WAITING, command.step)

    def _finish(self, command: ask.Finish) -> None:
        self._keep()
        self._stand(TokenState.ENDED, command.step)

    def _trouble(self, command: ask.Trouble) -> None:
        if self.savepoint is not None:
            self.savepoint.rollback()
            self.savepoint = None
            self.sight.forget()
        self.timers.clear()
        self.steps[-1]["case_key"] = "failed"
        self._stand(TokenState.STUCK, command.step)
        writing.open_incident(
            self.session,
            self.standing.id,
            self.token_id,
            command.step,
            command.code,
            command.params,
        )
        self.tell("incident:opened", step=command.step, code=command.code)

    def _later(self, command: ask.Later) -> None:
        self._stand(TokenState.PAUSED, command.step)
        now = moment(self.session)
        self.timers.append(NewTimer(now, "go_on", self.standing.id, self.token_id))

    def _keep(self) -> None:
        if self.savepoint is not None:
            self.savepoint.commit()
            self.savepoint = None

    def _stand(self, state: TokenState, step: str) -> None:
        self.token_state, self.token_step = state, step

    def tell(self, name: str, **data: Any) -> None:
        """Write down what happened, in the instance's own trail."""
        subject = ("instance", self.standing.id)
        append(self.session, name, self.actor, subject, self.standing.unit_id, data, self.cause)


def _told(refusal: Refusal) -> dict[str, Any]:
    """What a refusal says, as an incident keeps it."""
    told: dict[str, Any] = {key: str(value) for key, value in refusal.params.items()}
    if refusal.problems:
        told["problems"] = [
            {
                "path": one.path,
                "code": one.code,
                "params": {k: str(v) for k, v in one.params.items()},
            }
            for one in refusal.problems[:20]
        ]
    return told


_ANSWERS: dict[type, Callable[..., Any]] = {
    ask.Evaluate: Shell._evaluate,
    ask.Find: Shell._find,
    ask.Create: Shell._create,
    ask.Change: Shell._change,
    ask.Assign: Shell._assign,
    ask.Resolve: Shell._resolve,
    ask.After: Shell._after,
    ask.Now: Shell._now,
    ask.Offer: Shell._offer,
    ask.SetLimit: Shell._limit,
    ask.Sleep: Shell._sleep,
    ask.Enter: Shell._enter,
    ask.Leave: Shell._leave,
    ask.Rest: Shell._rest,
    ask.Finish: Shell._finish,
    ask.Trouble: Shell._trouble,
    ask.Later: Shell._later,
}
