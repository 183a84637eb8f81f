"""What a step puts before people, to sleep, or on its way: carried out in the caller's session."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from ...platform.events.log import DEEPEST, append, depth_of
from ...platform.identity.actor import SYSTEM, Actor
from ...platform.records.shape import shape_of
from ...platform.store.session import database_of, moment
from ..actions import commands as ask
from ..actions.reasons import fields_read
from ..actions.sent import body_with, sent_value
from ..actions.sight import Sight
from ..channels.calls import MOST_BYTES, NewCall, TooLong, is_set_up, write_call
from ..steps.graph import CallStep, Graph, NotifyStep
from ..tasks.messages import NewMessage, drop_messages, filled, write_message
from ..tasks.model import MessageState
from ..tasks.offer import NewTask, offer
from ..timers.set import NewTimer, NewWatch, cancel_timers
from . import writing
from .instance import Standing
from .say import values_of


class Hands:
    """One transition of one instance: what it has set so far, written down at its end.

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
        self.timers: list[NewTimer] = []
        self.watches: list[NewWatch] = []

    def tell(self, name: str, **data: Any) -> int:
        """Write down what happened, in the instance's own trail."""
        subject = ("instance", self.standing.id)
        return append(
            self.session, name, self.actor, subject, self.standing.unit_id, data, self.cause
        )

    def _watch(self, at: ask.Reckoned, owner: int, purpose: str, key: str = "") -> None:
        """Have it worked out again when one of its records changes."""
        self.watches += [
            NewWatch(form, record, self.standing.id, owner, purpose, key)
            for form, record in at.reads
        ]

    # Before people

    def offer(self, command: ask.Offer) -> int:
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
            due_at=command.due.at,
        )
        task_id = offer(self.session, new, command.actors)
        self._watch(command.due, task_id, "due")
        self.tell(
            "task:offered",
            task=str(task_id),
            step=node.key,
            to=writing.told_actors(command.actors),
            due=writing.told_moment(command.due.at),
        )
        return task_id

    def limit(self, command: ask.SetLimit) -> None:
        self._watch(command.at, command.task, "limit", command.limit)
        if command.at.at is not None:
            data = {"limit": command.limit}
            self._set(command.at.at, "limit", command.task, data)

    def _set(
        self, at: datetime, purpose: str, owner: int, data: dict[str, Any] | None = None
    ) -> None:
        self.timers.append(NewTimer(at, purpose, self.standing.id, owner, data or {}))

    # Messages

    def notice(self, command: ask.Notice) -> None:
        """Sent at once when it is due now; one whose moment is over is only kept."""
        step = self.graph.nodes[command.step].step
        assert isinstance(step, NotifyStep)
        now, due_at = moment(self.session), command.at.at
        state = MessageState.SCHEDULED
        if due_at == now:
            state = MessageState.SENT
        elif due_at is not None and due_at < now:
            state = MessageState.PASSED
        text = step.text
        if state == MessageState.SENT:
            text = filled(text, values_of(self.sight, step, self.standing.run.names))
        standing, customer = self.standing, command.customer
        new = NewMessage(
            instance_id=standing.id,
            step_key=command.step,
            number=command.number,
            flow_key=standing.flow_key,
            flow_version=standing.flow_version,
            subject_form=standing.subject_form,
            subject_id=standing.subject_id,
            unit_id=self.sight.subject.unit_id,
            customer_form=customer.form if customer else None,
            customer_id=customer.id if customer else None,
            text=text,
            state=state,
            due_at=due_at,
        )
        people = [actor.person for actor in command.people if actor.person is not None]
        message_id = write_message(self.session, new, people)
        self._watch(command.at, message_id, "message")
        if state == MessageState.SENT:
            self.tell(
                "message:sent",
                step=command.step,
                message=str(message_id),
                to=writing.told_actors(command.people),
            )
        elif state == MessageState.SCHEDULED and due_at is not None:
            self._set(due_at, "message", message_id)

    def unsend(self, command: ask.Unsend) -> None:
        for message_id in drop_messages(self.session, self.standing.id, command.step):
            stuck = cancel_timers(self.session, message_id)
            writing.close_incidents(self.session, stuck, "passed")

    # To sleep

    def sleep(self, command: ask.Sleep) -> None:
        wait_id = self._wait(command.step, "moment", command.arm, until=command.until.at)
        self._watch(command.until, wait_id, "wait")
        assert command.until.at is not None
        self._set(command.until.at, "wait", wait_id)

    def listen(self, command: ask.Listen) -> None:
        meeting = command.meeting
        form, record = self._about(meeting.about)
        what = meeting.what
        if meeting.kind == "record":
            what = f"{meeting.comes_as}.{meeting.what}"
        self._wait(
            command.step, meeting.kind, command.arm, form_key=form, record_id=record, what=what
        )

    def beside(self, command: ask.Beside) -> None:
        self._wait(command.step, "task", command.arm, record_id=command.task)

    def _wait(self, step: str, kind: str, arm: str | None, **more: Any) -> int:
        new = writing.NewWait(self.standing.id, self.token_id, step, kind, arm, **more)
        return writing.add_wait(self.session, new)

    def look(self, command: ask.Look) -> int | None:
        """The newest record that leads there, of those since the instance began. The one it
        leads to is locked, so that one that comes at this moment finds the wait (`arrive.py`)."""
        meeting = command.meeting
        form, record = self._about(meeting.about)
        if database_of(self.session).dialect == "postgresql":
            target = shape_of(self.session, form).table
            row = select(target.c._id).where(target.c._id == record)
            self.session.execute(row.with_for_update(read=True))
        table = shape_of(self.session, meeting.comes_as or "").table
        query = (
            select(table.c._id)
            .where(
                table.c[meeting.what] == record,
                table.c._id > max(command.since, self.standing.id),
                table.c._retired_at.is_(None),
            )
            .order_by(table.c._id.desc())
            .limit(1)
        )
        return self.session.execute(query).scalar_one_or_none()

    def _about(self, about: ask.Named | None) -> tuple[str, int]:
        if about is None or about.id is None:
            return self.standing.subject_form, self.standing.subject_id
        return about.form or self.standing.subject_form, about.id

    # On its way

    def launch(self, command: ask.Launch) -> None:
        """Ask for it; whoever follows events up starts it once. Refused here, and not there, when
        flows start one another without end."""
        if depth_of(self.session, self.cause) + 2 > DEEPEST:
            raise ask.StepFailed("E_TOO_DEEP", depth=DEEPEST)
        form, record = self._about(command.about)
        given = {key: {"form": named.form, "id": str(named.id)} for key, named in command.give}
        data = {"flow": command.flow, "given": given, "parent": str(self.standing.id)}
        subject = (f"form:{form}", record)
        unit = self.standing.unit_id
        append(self.session, "flow:called", self.actor, subject, unit, data, self.cause)

    def call(self, command: ask.Call) -> bool:
        """Written down here, sent by the worker once this is committed."""
        step = self.graph.nodes[command.step].step
        assert isinstance(step, CallStep)
        if not is_set_up(self.session, step.connection):
            return False
        standing, names = self.standing, self.standing.run.names
        formulas = dict(step.body)
        sent = [(path, sent_value(formulas[path], value)) for path, value in command.values]
        new = NewCall(
            instance_id=standing.id,
            token_id=self.token_id,
            step_key=command.step,
            connection_key=step.connection,
            subject_form=standing.subject_form,
            subject_id=standing.subject_id,
            body=body_with(sent),
            reads={
                "/".join(path): fields_read(self.sight, formula, names)
                for path, formula in step.body
            },
            wants=step.saves,
            lasting=step.within,
        )
        try:
            call_id = write_call(self.session, new)
        except TooLong:
            raise ask.StepFailed("E_CALL_LONG", most=MOST_BYTES) from None
        self.tell("call:made", step=command.step, call=str(call_id), connection=step.connection)
        return True

    def raise_event(self, command: ask.Raise) -> None:
        form, record = self._about(command.about)
        subject, data = (f"form:{form}", record), {"event": command.event}
        unit = self.standing.unit_id
        append(self.session, "flow:raised", self.actor, subject, unit, data, self.cause)
