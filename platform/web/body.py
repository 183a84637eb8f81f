"""Reading what a program sent: strict JSON, and query parameters said once.

Refused: other content types, bytes that are no UTF-8, a name given twice in one object, NaN and
numbers out of range, lone surrogates and control characters, nesting deeper than DEEPEST, bodies
over MOST bytes, and whatever the view's `Spec` does not know.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flask import Flask, current_app, request
from jsonschema import Draft202012Validator
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from ..store.errors import Malformed, Problem, Stale
from .routes import Spec, declaration_of

T = TypeVar("T")

EARLIEST, LATEST = 1900, 9998  # years that every zone and database can tell

MOST = 2_000_000
DEEPEST = 40
LONGEST_PARAMETER = 4_000
TYPES = ("application/json", "application/merge-patch+json")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
#: control characters other than tab and line ends, and lone surrogates
UNKEEPABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class _Bad(ValueError):
    """Something JSON allows and we do not."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.problem = Problem("", code, params)


def json_object() -> dict[str, Any]:
    """The request's body, a JSON object that the view's `Spec.body` accepts.

    Raises Malformed with problems (400), UnsupportedMediaType (415), RequestEntityTooLarge (413).
    """
    if request.mimetype not in TYPES:
        raise UnsupportedMediaType()
    if (request.content_length or 0) > MOST:
        raise RequestEntityTooLarge()
    value = strict_json(request.get_data(cache=True))
    if not isinstance(value, dict):
        raise Malformed("E_JSON_OBJECT", [Problem("", "E_JSON_OBJECT")])
    spec = _spec()
    if spec is not None and spec.body is not None:
        require_shape(spec.body, value)
    return value


def strict_json(data: bytes) -> Any:
    """Bytes read as JSON. Raises Malformed, saying where."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_once,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except UnicodeDecodeError:
        raise Malformed("E_JSON_LETTERS", [Problem("", "E_JSON_LETTERS")]) from None
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        raise Malformed("E_JSON", [Problem("", "E_JSON", place)], **place) from None
    except RecursionError:
        raise Malformed("E_JSON_DEEP", [Problem("", "E_JSON_DEEP")]) from None
    except _Bad as error:
        found = error.problem
        raise Malformed(found.code, [found], **found.params) from None
    problems = list(_letters(value, "", 0))
    if problems:
        raise Malformed(problems[0].code, problems)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise _Bad("E_JSON_TWICE", name=name[:100])
        made[name] = value
    return made


def _no_constant(text: str) -> Any:
    raise _Bad("E_JSON_NUMBER", text=text)


def _finite(text: str) -> float:
    number = float(text) if len(text) < 40 else math.inf
    if not math.isfinite(number):
        raise _Bad("E_JSON_NUMBER", text=text[:40])
    return number


def _whole(text: str) -> int:
    if len(text) > 20:
        raise _Bad("E_JSON_NUMBER", text=text[:40])
    return int(text)


def _letters(value: Any, path: str, depth: int) -> Iterable[Problem]:
    """Texts that cannot be kept, names included, and nesting too deep."""
    if depth > DEEPEST:
        yield Problem(path, "E_JSON_DEEP")
    elif isinstance(value, str):
        if not keepable(value):
            yield Problem(path, "E_JSON_LETTERS")
    elif isinstance(value, dict):
        for name, inner in value.items():
            if not keepable(name):
                yield Problem(path, "E_JSON_LETTERS")
            else:
                yield from _letters(inner, f"{path}/{pointed(name)}", depth + 1)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _letters(inner, f"{path}/{position}", depth + 1)


def keepable(text: str) -> bool:
    """Whether every database keeps the text: no control characters, no lone surrogates."""
    return UNKEEPABLE.search(text) is None


def pointed(name: str) -> str:
    """A name as a part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def require_shape(schema: Mapping[str, Any], value: Any) -> None:
    """Raises Malformed with every place where the value is not of the declared shape."""
    validator = _validator(json.dumps(schema, sort_keys=True))
    errors: Iterable[Any] = validator.iter_errors(value)
    problems = [problem for error in errors for problem in _told(error)]
    if problems:
        raise Malformed(problems=sorted(problems, key=lambda problem: problem.path)[:100])


@lru_cache(maxsize=256)
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema))


def _told(error: Any) -> Iterable[Problem]:
    path = "".join(f"/{pointed(str(part))}" for part in error.absolute_path)
    if error.validator == "additionalProperties":
        known = set(error.schema.get("properties", ()))
        for name in error.instance.keys() - known:
            yield Problem(f"{path}/{pointed(name)}", "E_UNKNOWN_FIELD", {"name": name[:100]})
    elif error.validator == "required":
        for name in error.validator_value:
            if name not in error.instance:
                yield Problem(f"{path}/{pointed(name)}", "E_MISSING_FIELD", {"name": name})
    else:
        wanted = error.schema.get("title") or error.schema.get("type") or error.validator_value
        yield Problem(path, "E_WRONG_TYPE", {"wanted": str(wanted)[:100]})


def check_texts() -> None:
    """No address, query or form holds what no database keeps. Raises Malformed.

    On /api besides: each parameter once, known to the view when it says which it knows, and no
    longer than declared.
    """
    sent = [request.path, *_said(request.args)]
    if request.mimetype in FORMS:
        sent += _said(request.form)
    if not all(map(keepable, sent)):
        raise Malformed("E_JSON_LETTERS")
    if not request.path.startswith("/api/"):
        return
    spec = _spec()
    for name, values in request.args.lists():
        if len(values) > 1:
            raise Malformed("E_PARAMETER_TWICE", name=name[:100])
        if spec is not None and not spec.open_query and name not in spec.query:
            raise Malformed("E_UNKNOWN_PARAMETER", name=name[:100])
        if len(values[0]) > _longest(spec, name):
            raise Malformed("E_PARAMETER", name=name[:100])


def _longest(spec: Spec | None, name: str) -> int:
    """How long a parameter may be: as declared, and never longer than any needs to be."""
    declared = spec.query.get(name, {}) if spec is not None else {}
    return int(declared.get("maxLength", LONGEST_PARAMETER))


def _said(said: MultiDict[str, str]) -> list[str]:
    return [text for pair in said.items(multi=True) for text in pair]


def _spec() -> Spec | None:
    declaration = declaration_of(current_app.view_functions.get(request.endpoint or ""))
    return declaration.spec if declaration else None


def number(text: str | None) -> int:
    """An id out of an address or a body: 1 to 19 digits. Raises Malformed."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 19:
        raise Malformed("E_ID")
    found = int(text)
    if found >= 2**63:
        raise Malformed("E_ID")
    return found


def moment_of(text: str | None, name: str, time_zone: str) -> datetime | None:
    """A moment out of the parameter of that name: with its offset, or a day, which begins on the
    asker's clock. None when nothing was given. Raises Malformed."""
    if not text:
        return None
    try:
        if len(text) == 10:
            found = datetime.combine(date.fromisoformat(text), time(), ZoneInfo(time_zone))
        else:
            found = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed("E_PARAMETER", name=name) from None
    if found.tzinfo is None or not EARLIEST <= found.year <= LATEST:
        raise Malformed("E_PARAMETER", name=name)
    return found


def if_match() -> int | None:
    """The revision in If-Match: `"3"` (a weak mark and missing quotes are taken too), or None."""
    text = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Malformed("E_IF_MATCH")
    return int(text)


@contextmanager
def current_shown(kind: type[T], shown: Callable[[T], dict[str, Any]]) -> Iterator[None]:
    """Where somebody else was quicker, the `current` of the Stale that is raised becomes JSON."""
    try:
        yield
    except Stale as stale:
        current = stale.current
        raise Stale(shown(current) if isinstance(current, kind) else None) from None


def use(app: Flask) -> None:
    """Look at what was sent before the view does."""
    app.before_request(check_texts)
