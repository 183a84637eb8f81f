"""/api/openapi.json: OpenAPI 3.1 of every route that a program may call, and of every form.

A route's `Spec` says what it takes and gives. Where it speaks of a form's records, each published
form the asker may use has paths of its own with the form's own values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from flask import Blueprint, Flask, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from ..definitions.form import Form, form_of, values_schema
from ..definitions.form_scope import form_entries
from ..definitions.published import published
from ..identity.actor import Actor
from ..identity.permissions import Access, access
from .idempotency import headers_spec
from .request import language, reading, who
from .routes import PUBLIC, SIGNED_IN, Declaration, Spec, declaration_of, route
from .shapes import ID
from .words import text

area = Blueprint("openapi", __name__)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WELL_KNOWN = ("/healthz", "/readyz")
RECORDS = "/api/records/<form>"
_GAP = re.compile(r"<(?:(\w+):)?(\w+)>")

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "problems"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "code", "message"],
                "properties": {
                    "path": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "current": {},
        "reference": {"type": "string"},
    },
}
#: What an operation may be refused with; which of them, its route decides.
REFUSALS = {
    400: "It cannot be read.",
    401: "Nobody is signed in.",
    403: "The asker may not.",
    404: "It does not exist, or the asker may not see it.",
    409: "It is in another state by now.",
    412: "Somebody changed it in between; `current` says to what.",
    413: "Too large.",
    415: "Of another media type than is taken.",
    422: "It was read and is not right; every problem is named.",
    428: "If-Match is missing.",
    429: "Too often.",
    500: "Our fault; `reference` names it in the log.",
    503: "Not now; nothing was written.",
}


@route(
    area,
    "/api/openapi.json",
    needs=SIGNED_IN,
    spec=Spec("This document.", answers={200: {"type": "object"}}, tag="about"),
)
def openapi() -> ResponseReturnValue:
    """In the asker's language, with the forms they may use."""
    return jsonify(document(current_app, reading(), who(), language()))


def document(app: Flask, session: Session, actor: Actor, tongue: str) -> dict[str, Any]:
    """The whole document."""
    forms = list(_forms(session, actor))
    schemas: dict[str, Any] = {"Problem": PROBLEM}
    paths: dict[str, Any] = {}
    for rule, method, declaration in _operations(app):
        operation = _operation(rule, method, declaration)
        paths.setdefault(_address(rule.rule), {})[method.lower()] = _filled(operation, None)
    for form, asked in forms:
        _add_schemas(schemas, form, asked, tongue)
        for rule, method, declaration in _operations(app):
            if rule.rule.startswith(RECORDS) and _offered(asked, method):
                operation = _operation(rule, method, declaration, form.key)
                address = _address(rule.rule.replace("<form>", form.key))
                paths.setdefault(address, {})[method.lower()] = _filled(operation, form.key)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Careloom", "version": version("careloom")},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "careloom"},
            },
        },
    }


def _operations(app: Flask) -> Iterator[tuple[Rule, str, Declaration]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        declaration = declaration_of(app.view_functions[rule.endpoint])
        if declaration is None or not rule.rule.startswith(("/api/", *WELL_KNOWN)):
            continue
        for method in METHODS:
            if method in (rule.methods or ()):
                yield rule, method, declaration


def _address(rule: str) -> str:
    return _GAP.sub(r"{\2}", rule)


def _operation(
    rule: Rule, method: str, declaration: Declaration, form: str | None = None
) -> dict[str, Any]:
    spec = declaration.spec or Spec(open_query=True)
    name = rule.endpoint.replace(".", "_") + (f"_{form}" if form else "")
    made: dict[str, Any] = {
        "operationId": f"{method.lower()}_{name}",
        "summary": spec.summary or rule.endpoint,
        "tags": [form or spec.tag or rule.endpoint.partition(".")[0]],
        "parameters": [*_path(rule, form), *_query(spec), *_headers(method, spec)],
        "responses": _answers(method, declaration, spec),
        "x-needs": declaration.needs,
    }
    made["security"] = [] if declaration.needs == PUBLIC else [{"token": []}, {"session": []}]
    if spec.body is not None:
        made["requestBody"] = {
            "required": True,
            "content": {spec.body_type: {"schema": spec.body}},
        }
    return made


def _path(rule: Rule, form: str | None) -> Iterator[dict[str, Any]]:
    for kind, name in _GAP.findall(rule.rule):
        if name != "form" or form is None:
            schema = ID if kind == "id" else {"type": "string", "minLength": 1, "maxLength": 100}
            yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query(spec: Spec) -> Iterator[dict[str, Any]]:
    for name, schema in spec.query.items():
        yield {"name": name, "in": "query", "schema": schema}


def _headers(method: str, spec: Spec) -> Iterator[Mapping[str, Any]]:
    if spec.if_match:
        yield {
            "name": "If-Match",
            "in": "header",
            "schema": {"type": "string", "pattern": '^"?[0-9]{1,18}"?$'},
            "description": "The revision seen.",
        }
    if method == "POST":
        yield headers_spec()


def _answers(method: str, declaration: Declaration, spec: Spec) -> dict[str, Any]:
    """What the route gives, and what it may be refused with."""
    made: dict[str, Any] = {}
    for status, schema in (spec.answers or {200: {}}).items():
        made[str(status)] = {"description": "Done."}
        if status != 204:
            made[str(status)]["content"] = {spec.answer_type: {"schema": schema}}
    for status, words in REFUSALS.items():
        if _possible(status, method, declaration, spec) and str(status) not in made:
            made[str(status)] = {
                "description": words,
                "content": {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                },
            }
    return made


def _possible(status: int, method: str, declaration: Declaration, spec: Spec) -> bool:
    if declaration.needs == PUBLIC:
        return status in (400, 500, 503)
    if status in (412, 428):
        return spec.if_match
    if status in (413, 415):
        return spec.body is not None
    if status in (409, 422):
        return method != "GET" or bool(spec.query)
    return True


def _forms(session: Session, actor: Actor) -> Iterator[tuple[Form, Access]]:
    """The forms the asker may read or fill in."""
    for entry in form_entries(session):
        asked = access(session, actor, entry.key)
        if asked.may("read") or asked.may("create"):
            yield form_of(published(session, "form", entry.key)), asked


def _offered(asked: Access, method: str) -> bool:
    wanted = {"GET": "read", "POST": "create", "PATCH": "change", "DELETE": "retire"}[method]
    return asked.may(wanted)


def _add_schemas(schemas: dict[str, Any], form: Form, asked: Access, tongue: str) -> None:
    """`Values_<form>`, `Given_<form>` and `Changed_<form>`, without the fields hidden from them."""
    known = asked.rights(asked.all_rules, form.fields)
    given = values_schema(form)
    properties = {
        key: {**schema, "title": text(form.fields[key].title, tongue)}
        for key, schema in given["properties"].items()
        if known[key] != "hidden"
    }
    ours = {key: schema for key, schema in properties.items() if form.fields[key].by_people}
    required = [key for key in given["required"] if key in ours]
    title = text(form.title, tongue)
    closed = {"type": "object", "additionalProperties": False, "title": title}
    schemas[f"Values_{form.key}"] = {**closed, "properties": {key: {} for key in properties}}
    for key, schema in properties.items():
        masked = {"type": ["string", "null"]} if known[key] == "masked" else schema
        schemas[f"Values_{form.key}"]["properties"][key] = masked
    schemas[f"Given_{form.key}"] = {**closed, "properties": ours, "required": required}
    blank = {key: {"anyOf": [schema, {"type": "null"}]} for key, schema in ours.items()}
    schemas[f"Changed_{form.key}"] = {**closed, "properties": blank}


def _filled(part: Any, form: str | None) -> Any:
    """The operation with each `x-careloom` mark filled in for the form, or for any."""
    if isinstance(part, dict):
        if (mark := part.get("x-careloom")) is not None:
            return _marked(mark, form)
        return {key: _filled(value, form) for key, value in part.items()}
    return [_filled(value, form) for value in part] if isinstance(part, list) else part


def _marked(mark: str, form: str | None) -> dict[str, Any]:
    def ref(name: str) -> dict[str, Any]:
        return {"$ref": f"#/components/schemas/{name}_{form}"} if form else {"type": "object"}

    if mark == "values":
        return ref("Values")
    properties = {"values": ref("Given" if mark == "submit" else "Changed")}
    if mark == "submit":
        properties["unit"] = ID
    return {
        "type": "object",
        "properties": properties,
        "required": ["values"],
        "additionalProperties": False,
        "description": "The values alone are taken too.",
    }
