"""What a deed may refuse with. The web turns each into an answer; none of them knows HTTP's words.

A refusal leaves the database as it was: `write` rolls the deed's savepoint back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    path: JSON pointer into what was sent (`/mobile`); `""` means the whole of it.
    code: stable, `E_…`; its sentence is the catalogue's `problem.<code>`, filled with params.
    """

    path: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Phrase:
    """A part of a sentence with words of its own: a parameter of a problem or of another phrase.

    key: of the catalogue, filled with params; a tuple among them is said one after another.
    """

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)


class Refusal(Exception):
    """A deed that was not done, and why."""

    status: ClassVar[int] = 400
    code: str = "E_REFUSED"

    def __init__(
        self,
        code: str | None = None,
        problems: Sequence[Problem] = (),
        **params: Any,
    ) -> None:
        self.code = code or type(self).code
        self.problems = tuple(problems)
        self.params = params
        super().__init__(self.code, *(f"{p.path} {p.code}" for p in self.problems[:5]))


class Malformed(Refusal):
    """What was sent cannot be read at all."""

    status = 400
    code = "E_MALFORMED"


class NotSignedIn(Refusal):
    """Nobody is asking, or no longer."""

    status = 401
    code = "E_NOT_SIGNED_IN"


class NotAllowed(Refusal):
    """The asker may know that it exists, and may not do this."""

    status = 403
    code = "E_NOT_ALLOWED"


class NotFound(Refusal):
    """It does not exist, or the asker may not learn that it does."""

    status = 404
    code = "E_NOT_FOUND"


class Conflict(Refusal):
    """Somebody else was faster, or the thing is in another state by now."""

    status = 409
    code = "E_CONFLICT"


class Stale(Refusal):
    """The asker saw an older revision. `current` is the one in force, shaped for the asker."""

    status = 412
    code = "E_STALE"

    def __init__(self, current: Any, **params: Any) -> None:
        super().__init__(**params)
        self.current = current


class Invalid(Refusal):
    """It was read, and is not right: every problem is in `problems`."""

    status = 422
    code = "E_INVALID"


class TooMany(Refusal):
    """Too often. `seconds` says when to try again."""

    status = 429
    code = "E_TOO_MANY"

    def __init__(self, seconds: int, **params: Any) -> None:
        super().__init__(seconds=seconds, **params)
        self.seconds = seconds


class NotUnderstood(Refusal):
    """A definition in force that this version cannot read: a later release published it, or it is
    damaged. Only what rests on it stands still; `problems` say where it is wrong."""

    status = 501
    code = "E_NOT_UNDERSTOOD"


class Unavailable(Refusal):
    """The store cannot answer now (full disk, lost connection). Nothing was written."""

    status = 503
    code = "E_UNAVAILABLE"


class TransactionLost(Exception):
    """SQLite rolled the whole transaction back (a full disk does that inside a savepoint)."""


def without_data(error: BaseException) -> str:
    """What an error was, to be kept or shown: `IntegrityError (UniqueViolation)`. Its words stay
    in the log, masked, for they may quote the row that was refused."""
    driver = getattr(error, "orig", None)
    inner = f" ({type(driver).__name__})" if driver is not None else ""
    return type(error).__name__ + inner
