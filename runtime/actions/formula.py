"""An expression in its place in a definition, checked and ready to be worked out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Formula:
    """Two formulas are the same when their place and text are.

    at: JSON pointer of the text in the definition.

    run: environment -> Python value. names: the flow's names it reads (fields of the subject,
    `this`, keys of steps and actions). typed: what SQL is made of. own: the names that are a row's,
    where it is worked out over the rows of a list.
    """

    at: str
    text: str
    run: Callable[[Any], Any] = field(compare=False, repr=False)
    names: frozenset[str] = field(compare=False, repr=False, default=frozenset())
    typed: Any = field(compare=False, repr=False, default=None)
    own: frozenset[str] = field(compare=False, repr=False, default=frozenset())


@dataclass(frozen=True)
class RowsFormula(Formula):
    """A sub-form's rows, one for each of a list: its `run` gives a list of mappings.

    each: gives the list. values: a row's fields, worked out over one row or value of it.
    """

    each: Formula | None = None
    values: tuple[tuple[str, Formula], ...] = ()


VALUE = "value"
"""What a list that is of no rows, such as several choices, calls each of its values."""


def rows_formula(at: str, each: Formula, values: tuple[tuple[str, Formula], ...]) -> RowsFormula:
    """The rows that `values` make of each row of `each`; blank ones and blank values left out."""

    def run(env: Any) -> list[dict[str, Any]]:
        rows = (dict(_row(values, env, one)) for one in each.run(env) or ())
        return [row for row in rows if row]

    names = each.names.union(*(formula.names for _, formula in values))
    return RowsFormula(at, each.text, run, names, each=each, values=values)


def _row(values: tuple[tuple[str, Formula], ...], env: Any, one: Any) -> Iterator[tuple[str, Any]]:
    over = one if isinstance(one, Mapping) else {VALUE: one}
    for key, formula in values:
        # What is blank in the row is blank, and not the flow's of the same name.
        blank = dict.fromkeys(formula.own)
        value = formula.run(replace(env, values={**env.values, **blank, **over}))
        value = value.get("_id") if isinstance(value, Mapping) else value
        if value not in (None, "", []):
            yield key, value
