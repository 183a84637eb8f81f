"""How a step leaves the token: on to another step, resting, or ended."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..actions.commands import Command


@dataclass(frozen=True)
class Move:
    """`how` is on, rest or end; `to` and `case` go with on."""

    how: str
    to: str | None = None
    case: str | None = None

    @classmethod
    def on(cls, to: str | None, case: str | None = None) -> "Move":
        return cls("on", to, case)

    @classmethod
    def rest(cls) -> "Move":
        return cls("rest")

    @classmethod
    def end(cls) -> "Move":
        return cls("end")


Entering: TypeAlias = Generator[Command, Any, Move]
