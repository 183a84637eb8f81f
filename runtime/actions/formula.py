"""An expression in its place in a definition, checked and ready to be worked out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Formula:
    """Two formulas are the same when their place and text are.

    at: JSON pointer of the text in the definition.

    run: environment -> Python value. names: the flow's names it reads (fields of the subject,
    `this`, keys of steps and actions). typed: what SQL is made of.
    """

    at: str
    text: str
    run: Callable[[Any], Any] = field(compare=False, repr=False)
    names: frozenset[str] = field(compare=False, repr=False, default=frozenset())
    typed: Any = field(compare=False, repr=False, default=None)
