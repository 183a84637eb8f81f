"""The table of actions: what a step may do to records, each a generator of commands."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from .commands import Assign, Change, Command, Create, Evaluate, Find, Named, Run
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

    def formulas(self) -> tuple[Formula, ...]:
        """Those worked out over the instance; `open` is over other records, in SQL."""
        when = (self.when,) if self.when else ()
        return (*when, *(formula for _, formula in self.values))


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
    yield Change(record, values)
    return None


def assign(act: Act, run: Run) -> Performs:
    """The person of the role with the least open work, written into the subject."""
    assert act.role and act.field
    person = yield Assign(act.role, act.field, act.at, act.open, act.daily)
    return Named(person=person) if person else None


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
