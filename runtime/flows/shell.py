"""The shell: carries out, in the caller's transaction, what the step function asks for."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from ...platform.identity.actor import SYSTEM, Actor
from ...platform.store.away import of_the_store
from ...platform.store.errors import Refusal, Unavailable
from ...platform.store.savepoints import Savepoint, savepoint
from ...platform.store.session import moment, new_id
from ..actions import commands as ask
from ..actions.assign import assign
from ..actions.moments import reckon
from ..actions.reasons import reasons
from ..actions.records import change_record, create, find
from ..actions.sight import Sight
from ..steps.graph import EndStep, Graph
from ..tasks.actors import Offered
from ..timers.set import NewTimer, set_timers, set_watches
from . import writing
from .advance import Walk, advance
from .instance import Standing
from .model import TokenState
from .put import Hands
from .who import resolve

log = logging.getLogger(__name__)

CHOOSING = ("branch", "again")
"""Kinds of step that people want to know the reasons of."""


class Shell(Hands):
    """One transition. The instance is locked, or as yet unwritten, by the caller."""

    def __init__(
        self,
        sight: Sight,
        graph: Graph,
        standing: Standing,
        cause: int | None,
        actor: Actor = SYSTEM,
    ) -> None:
        super().__init__(sight, graph, standing, cause, actor)
        self.token_state = ""  # nosec B105 # where a flow stands
        self.token_step = ""  # nosec B105
        self.steps: list[dict[str, Any]] = []
        self.savepoint: Savepoint | None = None
        self.set_before = (0, 0)
        self.asked: list[ask.Evaluate] = []
        """What the step at hand has had worked out so far."""

    def walk(
        self, token_id: int, at: str | None, came_from: str, entered: str | None = None
    ) -> None:
        """Take the token on from the step `at`, and write down what became of it.

        entered: a step that was taken already.
        """
        self.token_id = token_id
        if entered is not None:
            self._enter(ask.Enter(entered, writes=False))
        walk = advance(self.graph, self.standing.run, at, came_from)
        try:
            self.standing.run = self._drive(walk)
        except BaseException:
            self._undo()  # before that in which it stands, which could not be undone else
            raise
        set_timers(self.session, self.timers)
        set_watches(self.session, self.watches)
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
            if of_the_store(error):
                raise
            log.exception("step of instance %s", self.standing.id)
            return None, ask.StepFailed("E_STEP_BROKE", error=type(error).__name__)

    # What only knows

    def _evaluate(self, command: ask.Evaluate) -> Any:
        self.asked.append(command)
        return command.formula.run(self.sight.env(command.names))

    def _find(self, command: ask.Find) -> int | None:
        return find(self.session, command.form, command.where)

    def _resolve(self, command: ask.Resolve) -> tuple[Offered, ...]:
        return resolve(self.sight, command.who, command.names, command.but, command.each)

    def _reckon(self, command: ask.Reckon) -> ask.Reckoned:
        return reckon(self.sight, command.when, command.names)

    def _now(self, command: ask.Now) -> datetime:
        return moment(self.session)

    # What writes records

    def _create(self, command: ask.Create) -> int:
        return create(self.sight, command.form, command.values, self.cause)

    def _change(self, command: ask.Change) -> None:
        change_record(
            self.sight, command.record, command.values, self.cause, command.add, command.remove
        )

    def _assign(self, command: ask.Assign) -> int | None:
        return assign(self.sight, command, self.cause)

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
                "why": None,
            }
        )
        self.asked.clear()
        self.set_before = (len(self.timers), len(self.watches))
        if command.writes:
            self.savepoint = savepoint(self.session)

    def _leave(self, command: ask.Leave) -> None:
        self._keep()
        self.steps[-1]["case_key"] = command.case
        if self.graph.nodes[command.step].kind in CHOOSING:
            self.steps[-1]["why"] = [
                part
                for each in self.asked
                for part in reasons(self.sight, each.formula, each.names)
            ]

    def _rest(self, command: ask.Rest) -> None:
        self._keep()
        self._stand(TokenState.WAITING, command.step)

    def _finish(self, command: ask.Finish) -> None:
        self._keep()
        step = self.graph.nodes[command.step].step
        if isinstance(step, EndStep):
            self.standing.result = step.result
        self._stand(TokenState.ENDED, command.step)

    def _trouble(self, command: ask.Trouble) -> None:
        if self._undo():
            self.sight.forget()
        timers, watches = self.set_before
        del self.timers[timers:], self.watches[watches:]
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

    def _undo(self) -> bool:
        """What the step at hand has written, if it has begun to write."""
        if self.savepoint is None:
            return False
        taken, self.savepoint = self.savepoint, None
        taken.rollback()
        return True

    def _stand(self, state: TokenState, step: str) -> None:
        self.token_state, self.token_step = state, step


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
    ask.Reckon: Shell._reckon,
    ask.Now: Shell._now,
    ask.Offer: Shell.offer,
    ask.SetLimit: Shell.limit,
    ask.Look: Shell.look,
    ask.Sleep: Shell.sleep,
    ask.Listen: Shell.listen,
    ask.Beside: Shell.beside,
    ask.Notice: Shell.notice,
    ask.Unsend: Shell.unsend,
    ask.Launch: Shell.launch,
    ask.Raise: Shell.raise_event,
    ask.Call: Shell.call,
    ask.Enter: Shell._enter,
    ask.Leave: Shell._leave,
    ask.Rest: Shell._rest,
    ask.Finish: Shell._finish,
    ask.Trouble: Shell._trouble,
    ask.Later: Shell._later,
}
