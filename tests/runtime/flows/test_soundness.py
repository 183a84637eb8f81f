"""What a transition costs, and whether the checks notice what is broken."""

from typing import Any

import pytest
from sqlalchemy import event, text

from careloom.platform.store.errors import Conflict
from careloom.runtime.work.dispatch import drain

from ..clinic import Clinic, done, listed


def test_a_transition_costs_a_known_number_of_statements(sqlite_clinic: Clinic) -> None:
    """Speed is statements first: a step more than this wants a reason."""
    clinic = sqlite_clinic
    clinic.started("warm")
    done(clinic, "ann", listed(clinic, "ann")[0].id, result="answered")
    drain(clinic.database)
    clinic.lead("李雷")
    with counted() as starting:
        drain(clinic.database, until_idle=False)
    call = next(task for task in listed(clinic, "bob") if task.label == "李雷")
    actor = clinic.actor("bob")
    from careloom.runtime.flows.complete import complete

    with counted() as completing:
        clinic.database.write(
            lambda session: complete(session, actor, call.id, {"result": "answered"})
        )
    # Dedupe makes a customer and links it, assign changes the lead: three trips through the door.
    assert len(starting) <= 31, "\n".join(starting)
    assert len(completing) <= 26, "\n".join(completing)


class counted:
    """The statements on tables sent while it lasts."""

    def __init__(self) -> None:
        from sqlalchemy import Engine

        self.engine = Engine
        self.statements: list[str] = []

    def _note(self, connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.split()[0] not in ("BEGIN", "SAVEPOINT", "RELEASE"):
            self.statements.append(" ".join(statement.split())[:120])

    def __enter__(self) -> list[str]:
        event.listen(self.engine, "before_cursor_execute", self._note)
        return self.statements

    def __exit__(self, *_: object) -> None:
        event.remove(self.engine, "before_cursor_execute", self._note)


def test_the_checks_notice_what_is_broken(sqlite_clinic: Clinic) -> None:
    from careloom.runtime.flows.soundness import flows_are_sound

    clinic = sqlite_clinic
    clinic.started()

    def broken(*statements: Any) -> list[str]:
        found: list[str] = []

        def deed(session: Any) -> None:
            for statement in statements:
                session.execute(statement)
            found.extend(flows_are_sound(session))
            raise Conflict()

        with pytest.raises(Conflict):
            clinic.database.write(deed)
        return found

    assert broken() == []
    for statement, word in [
        ("DELETE FROM token", "no token of it is live"),
        ("UPDATE token SET step_key = 'invite'", "its token is elsewhere"),
        ("UPDATE task SET state = 'done'", "waits for nothing live"),
        ("UPDATE task_actor SET open = 0", "nobody is asked"),
        ("UPDATE instance SET state = 'ended'", "and a token of it is live"),
        ("DELETE FROM task", "of nothing that is there"),
        ("UPDATE step_taken SET step_key = 'invite' WHERE step_key = 'assign'", "no way leads"),
        ("UPDATE token SET state = 'stuck'", "stuck without an incident"),
        ("UPDATE task SET state = 'done'", "completed 0 times"),
    ]:
        assert any(word in sentence for sentence in broken(text(statement))), statement
