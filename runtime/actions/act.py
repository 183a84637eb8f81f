"""The table of actions: what a step may do to records, each a generator of commands."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from .commands import (
    Assign,
    Change,
    Command,
    Create,
    Evaluate,
    Find,
    Launch,
    Named,
    Raise,
    Run,
    StepFailed,
    Unsend,
)
from .formula import Formula

Performs = Generator[Command, Any, Named | None]


@dataclass(frozen=True)
class Act:
    """One action of a definition, compiled. Which fields are used depends on `action`."""

    key: str
    action: str
    when: Formula | None = None
    form: str | None = None
    record: str | None = None
    values: tuple[tuple[str, Formula], ...] = ()
    role: str | None = None
    field: str | None = None
    at: str | None = None
    open: Formula | None = None
    daily: int | None = None
    add: tuple[tuple[str, Formula], ...] = ()
    remove: tuple[tuple[str, Formula], ...] = ()
    flow: str | None = None
    subject: str | None = None
    """The form of the flow that is started."""
    give: tuple[tuple[str, Formula], ...] = ()
    event: str | None = None
    step: str | None = None

    def formulas(self) -> tuple[Formula, ...]:
        """Those worked out over the instance; `open` is over other records, in SQL."""
        when = (self.when,) if self.when else ()
        every = (*self.values, *self.add, *self.remove, *self.give)
        return (*when, *(formula for _, formula in every))


def find(act: Act, run: Run) -> Performs:
    """The newest record where every field equals its value; nothing when a value is blank."""
    assert act.form
    values = yield from evaluated(act.values, run)
    if any(value in (None, "", []) for _, value in values):
        return None
    found = yield Find(act.form, values)
    return Named(form=act.form, id=found) if found else None


def create(act: Act, run: Run) -> Performs:
    """A new record, through the door."""
    assert act.form
    values = yield from evaluated(act.values, run)
    made = yield Create(act.form, values)
    return Named(form=act.form, id=made)


def set_values(act: Act, run: Run) -> Performs:
    """Values of the subject, or of what an earlier step produced; of nothing, if it made none."""
    record = run.names.get(act.record) if act.record else None
    if act.record and (record is None or record.id is None):
        return None
    values = yield from evaluated(act.values, run)
    add = yield from evaluated(act.add, run)
    remove = yield from evaluated(act.remove, run)
    yield Change(record, values, add, remove)
    return None


def assign(act: Act, run: Run) -> Performs:
    """The person of the role with the least open work, written into the subject."""
    assert act.role and act.field
    person = yield Assign(act.role, act.field, act.at, act.open, act.daily)
    return Named(person=person) if person else None


def start(act: Act, run: Run) -> Performs:
    """Another flow, about the subject, an earlier record or a new one; it runs by itself."""
    assert act.flow
    about = run.names.get(act.record) if act.record else Named()
    if about is None or (act.record and about.id is None):
        return None
    if act.values:
        assert act.subject
        values = yield from evaluated(act.values, run)
        about = Named(act.subject, (yield Create(act.subject, values)))
    given = []
    for key, formula in act.give:
        value = plain((yield Evaluate(formula, dict(run.names))))
        if value:
            form = formula.typed.type.form if formula.typed is not None else None
            given.append((key, Named((form or "").partition("+")[0] or None, int(value))))
    yield Launch(act.flow, about, tuple(given))
    return None


def raise_event(act: Act, run: Run) -> Performs:
    """Say that an event happened, to the subject or to what an earlier step produced."""
    assert act.event
    about = run.names.get(act.record) if act.record else Named()
    if about is None or (act.record and about.id is None):
        raise StepFailed("E_NO_RECORD")
    yield Raise(act.event, about)
    return None


def unsend(act: Act, run: Run) -> Performs:
    """Messages of a notify step that are not sent yet are dropped."""
    assert act.step
    yield Unsend(act.step)
    return None


def plain(value: Any) -> Any:
    """An expression's value as a field takes it: of a row its id."""
    return value.get("_id") if isinstance(value, Mapping) else value


@dataclass(frozen=True)
class Action:
    """A table entry: how it is performed, and what its key stands for afterwards."""

    name: str
    perform: Callable[[Act, Run], Performs]
    gives: str
    """`row` of its form, `person`, or `nothing`."""


ACTIONS = {
    entry.name: entry
    for entry in (
        Action("find", find, "row"),
        Action("create", create, "row"),
        Action("set", set_values, "nothing"),
        Action("assign", assign, "person"),
        Action("start", start, "nothing"),
        Action("raise", raise_event, "nothing"),
        Action("unsend", unsend, "nothing"),
    )
}


def perform(acts: tuple[Act, ...], run: Run) -> Generator[Command, Any, None]:
    """Carry actions out in order; each whose condition holds puts its product under its key."""
    for act in acts:
        holds = True if act.when is None else (yield Evaluate(act.when, dict(run.names)))
        product = (yield from ACTIONS[act.action].perform(act, run)) if holds is True else None
        # A second visit must not read what the first one made.
        run.names.pop(act.key, None)
        if product is not None:
            run.names[act.key] = product


def evaluated(
    values: tuple[tuple[str, Formula], ...], run: Run
) -> Generator[Command, Any, tuple[tuple[str, Any], ...]]:
    """Each expression's value, in the definition's order."""
    made = []
    for key, formula in values:
        made.append((key, (yield Evaluate(formula, dict(run.names)))))
    return tuple(made)
