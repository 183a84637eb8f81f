"""JSON Schema first, then the kind's own check: every problem, each with where it is."""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from sqlalchemy.orm import Session

from ..store.errors import Problem
from .kinds import KINDS, Document, kind_of
from .known import coming
from .schema_check import pointer, schema

MOST_PROBLEMS = 200
MOST_DETAIL = 200  # letters


class Judge:
    """A JSON Schema asked twice: quickly whether a document fits, and jsonschema what is wrong.

    Nearly every document fits, and the quick answer costs a hundredth. What it refuses is refused,
    also where the other finds nothing to name (Python's `$` lets a line's end pass).
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = dict(schema)
        self._quick = jsonschema_rs.Draft202012Validator(self._schema)

    @cached_property
    def _thorough(self) -> Draft202012Validator:
        return Draft202012Validator(self._schema)

    def fits(self, document: Any) -> bool:
        """Whether a document has the shape."""
        return self._quick.is_valid(document)

    def misfits(self, document: Any) -> list[Problem]:
        """What is wrong with a document's shape, sorted by where it is."""
        if self.fits(document):
            return []
        errors = sorted(
            self._thorough.iter_errors(document), key=lambda e: [str(p) for p in e.absolute_path]
        )
        if errors:
            return [_problem(error) for error in errors[:MOST_PROBLEMS]]
        return [
            Problem(
                pointer(*error.instance_path), "E_SCHEMA", {"detail": error.message[:MOST_DETAIL]}
            )
            for error in self._quick.iter_errors(document)
        ]


@lru_cache(maxsize=64)
def _judge(kind: str) -> Judge:
    return Judge(kind_of(kind).schema)


def fits_schema(kind: str, document: Document) -> bool:
    """Whether a document has the shape its kind asks for."""
    return _judge(kind).fits(document)


def shape_problems(kind: str, document: Any) -> list[Problem]:
    """What is wrong with the shape of a document of a kind; of one that is unknown, nothing."""
    return _judge(kind).misfits(document) if kind in KINDS else []


def check(session: Session, kind: str, document: Document) -> list[Problem]:
    """What is wrong with a document of a kind; nothing when it may be published.

    The kind's own check is asked only when the shape is right, so it may rely on it.
    """
    if found := _judge(kind).misfits(document):
        return found
    with coming({(kind, document["key"]): document}):
        return kind_of(kind).check(session, document)


def misfits(name: str, document: Any, part: str | None = None) -> list[Problem]:
    """What is wrong with the shape of something that is no definition: a pack's manifest, a story.

    name: the file in the folder schemas. part: one of its `$defs`, instead of the whole.
    """
    return _named_judge(name, part).misfits(document)


@lru_cache(maxsize=64)
def _named_judge(name: str, part: str | None) -> Judge:
    whole = schema(name)
    return Judge(whole if part is None else {"$ref": f"#/$defs/{part}", "$defs": whole["$defs"]})


def _problem(error: ValidationError) -> Problem:
    """A schema error in our words: what was hoped for stands in the schema itself."""
    path = list(error.absolute_path)
    params: dict[str, Any] = {}
    code = "E_SCHEMA"
    if error.validator == "required":
        hoped: Any = error.validator_value
        there: Any = error.instance
        missing = next(key for key in hoped if key not in there)
        return Problem(pointer(*path, missing), "E_MISSING", {"key": missing})
    if error.validator in ("additionalProperties", "unevaluatedProperties"):
        code, params = "E_UNKNOWN_KEY", {"keys": _unknown(error)}
    elif error.validator in ("enum", "const"):
        value = error.validator_value
        code = "E_ONE_OF"
        params = {"allowed": ", ".join(map(str, value if isinstance(value, list) else [value]))}
    elif error.validator == "type":
        code, params = "E_JSON_TYPE", {"type": error.validator_value}
    elif error.validator == "pattern":
        code, params = "E_PATTERN", {"pattern": error.validator_value}
    else:
        params = {"detail": error.message[:MOST_DETAIL]}
    return Problem(pointer(*path), code, params)


def _unknown(error: ValidationError) -> str:
    schema: Any = error.schema
    found: Any = error.instance
    return ", ".join(sorted(set(found) - set(schema.get("properties", ()))))
