"""What can be wrong with an expression, said with its place."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from .messages import sentence, type_words
from .tree import Place

# Every code has a sentence in templates/words/<language>/expressions.json under problem.<code>.
CODES = frozenset(
    {
        "E_EMPTY", "E_LENGTH", "E_NODES", "E_DEPTH", "E_CHARACTER", "E_STRING", "E_SYNTAX",
        "E_END", "E_FULLWIDTH", "E_NUMBER", "E_NO_NAME", "E_NO_NAME_NEAR",
        "E_UNKNOWN_FUNCTION", "E_UNKNOWN_FUNCTION_NEAR", "E_BARE_NAME", "E_HOPS", "E_NOT_LINK",
        "E_NO_PARENT", "E_TYPE", "E_COMPARE", "E_OPERANDS", "E_BRANCHES", "E_EXPECT",
        "E_ARGUMENTS", "E_CHOICE", "E_LITERAL", "E_FORMAT", "E_DATE_TEXT", "E_LISTING",
        "E_AGGREGATE", "E_LOOKUP_FORM", "E_POWER_LITERAL", "E_STEPS", "E_ROWS", "E_NOT_SQL",
        "E_RELATED", "E_RELATED_PLACE",
    }
)  # fmt: skip

# What may go wrong with the values: the result is blank and the code is noted as a warning.
WARNINGS = frozenset(
    {
        "E_DIV0", "E_RANGE", "E_DATE", "E_CALENDAR", "E_ARGUMENT", "E_POWER", "E_TEXT_LENGTH",
        "E_VALUE",
    }
)  # fmt: skip


# Codes whose parameters name types, and those parameters.
TYPED = frozenset({"E_TYPE", "E_COMPARE", "E_OPERANDS", "E_BRANCHES", "E_EXPECT", "E_NOT_LINK"})
TYPE_PARAMS = frozenset({"wanted", "found", "left", "right"})


class ExpressionError(ValueError):
    """A refusal with its code, its place (offsets in code points, line and column from 1) and the
    parameters of its words; `say("problem." + code, **params)` of the catalogues says it."""

    def __init__(self, code: str, place: Place, **params: Any) -> None:
        self.code = code
        self.start, self.end = place.start, place.end
        self.line, self.column = place.line, place.column
        if code in TYPED:
            for key in TYPE_PARAMS & params.keys():
                params[key] = type_words(params[key])
        self.params: dict[str, Any] = {"line": place.line, "column": place.column, **params}
        super().__init__(f"{code} at {place.line}:{place.column} {params}")

    def sentence(self, language: str) -> str:
        """What is wrong, in words."""
        return sentence(self.code, self.params, language)


class Blank(Exception):
    """Raised by an operation whose result is blank for a reason worth a warning."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def nearest(name: str, among: list[str]) -> str | None:
    """The name that was most likely meant, or None."""
    lowered: dict[str, str] = {}
    for known in among:
        lowered.setdefault(known.lower(), known)
    close = get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else None
