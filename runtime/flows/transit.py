"""One transition: a token walks on from a step, and the instance is written back."""

from ...platform.identity.actor import SYSTEM, Actor
from ..actions.sight import Sight
from ..steps.graph import Graph
from . import writing
from .instance import Standing
from .model import InstanceState, TokenState
from .shell import Shell


def go_on(
    sight: Sight,
    graph: Graph,
    standing: Standing,
    token_id: int,
    at: str | None,
    came_from: str,
    cause: int | None,
    actor: Actor = SYSTEM,
    entered: str | None = None,
) -> None:
    """Take a token of a locked instance on from the step `at`.

    entered: a step it came to by what just happened, to be noted as taken.
    """
    session = sight.session
    shell = Shell(sight, graph, standing, cause, actor)
    shell.walk(token_id, at, came_from, entered)
    writing.move_token(session, token_id, shell.token_step, shell.token_state)
    _end(shell)
    writing.write_back(session, standing)


def begin(
    sight: Sight,
    graph: Graph,
    standing: Standing,
    token_id: int,
    cause_event: int | None,
    actor: Actor,
    parent_id: int | None = None,
) -> None:
    """Take a new instance's first token as far as it goes, then write both down."""
    session = sight.session
    shell = Shell(sight, graph, standing, cause_event, actor)
    shell.tell(
        "flow:started",
        flow=graph.key,
        version=graph.version,
        form=standing.subject_form,
        record=str(standing.subject_id),
    )
    shell.walk(token_id, graph.first, graph.first)
    writing.add_token(session, standing, token_id, shell.token_step, shell.token_state)
    _end(shell)
    writing.add_instance(session, standing, cause_event, actor.person_id, parent_id)


def _end(shell: Shell) -> None:
    """An instance ends with the last of its tokens."""
    if shell.token_state == TokenState.ENDED and not writing.others_live(
        shell.session, shell.standing.id, shell.token_id
    ):
        shell.standing.state = InstanceState.ENDED
        shell.tell("flow:ended", step=shell.token_step)
