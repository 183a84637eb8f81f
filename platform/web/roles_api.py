"""/api/roles, and why somebody may do something with a record: rights, also in words."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from ..identity.roles import role_document, role_keys
from ..identity.rules import ACTIONS, RIGHTS
from ..records.explain import explain
from ..store.errors import Malformed, NotFound
from .body import number
from .paging import page, page_schema
from .request import language, reading, who
from .role_words import (
    FormWords,
    forms_words,
    reason_words,
    right_words,
    role_title,
    verdict_words,
)
from .routes import Spec, route
from .shapes import ID, KEY, LABEL, thing

area = Blueprint("roles_api", __name__)

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_ROLE = {"key": KEY, "title": LABEL, "rights": _TEXTS, "second_factor": {"type": "boolean"}}
_RULE = thing({"key": KEY, "actions": _TEXT, "rows": _TEXT, "fields": _TEXTS})


@route(
    area,
    "/api/roles",
    needs="people.read",
    spec=Spec("The roles in force.", answers={200: page_schema(thing(_ROLE))}, tag="people"),
)
def list_roles() -> ResponseReturnValue:
    """What each is called and which platform-wide rights it brings."""
    session = reading()
    documents = [role_document(session, key) or {} for key in role_keys(session)]
    items = [
        {
            "key": its["key"],
            "title": its["title"],
            "rights": list(its.get("rights", ())),
            "second_factor": bool(its.get("second_factor")),
        }
        for its in documents
    ]
    return jsonify(page(items, None, len(items)))


@route(
    area,
    "/api/roles/<role>",
    needs="people.read",
    spec=Spec(
        "What a role's people may do, in words.",
        answers={
            200: thing(
                {
                    **_ROLE,
                    "rights": {"type": "array", "items": thing({"right": _TEXT, "words": _TEXT})},
                    "forms": {
                        "type": "array",
                        "items": thing(
                            {
                                "form": KEY,
                                "title": _TEXT,
                                "rules": {"type": "array", "items": _RULE},
                            }
                        ),
                    },
                }
            )
        },
        tag="people",
    ),
)
def read_role(role: str) -> ResponseReturnValue:
    """Actions, rows and fields of each rule as the pages say them."""
    session, tongue = reading(), language()
    document = role_document(session, role)
    if document is None:
        raise NotFound("E_NO_ROLE", role=role[:40])
    rights = [
        {"right": right, "words": right_words(session, right, tongue)}
        for right in document.get("rights", ())
    ]
    return jsonify(
        key=role,
        title=document["title"],
        second_factor=bool(document.get("second_factor")),
        rights=rights,
        forms=[_form(each) for each in forms_words(session, document, tongue)],
    )


def _form(its: FormWords) -> dict[str, object]:
    rules = [
        {
            "key": rule.key,
            "actions": rule.actions,
            "rows": rule.rows,
            "fields": list(rule.fields),
        }
        for rule in its.rules
    ]
    return {"form": its.key, "title": its.title, "rules": rules}


_REASON = thing(
    {
        "role": KEY,
        "title": _TEXT,
        "unit": ID,
        "rule": KEY,
        "scope": _TEXT,
        "where": {"type": ["string", "null"]},
        "from": {"type": ["string", "null"]},
        "actions": {"type": "array", "items": {"enum": list(ACTIONS)}},
        "covers": {"type": "boolean"},
        "words": _TEXT,
    }
)


@route(
    area,
    "/api/people/<id:person_id>/why",
    needs="people.read",
    spec=Spec(
        "What a person may do with a record, and every rule that does or does not let them.",
        query={"form": KEY, "record": ID},
        answers={
            200: thing(
                {
                    "words": _TEXT,
                    "may": {"type": "array", "items": {"enum": list(ACTIONS)}},
                    "rights": {"type": "object", "additionalProperties": {"enum": list(RIGHTS)}},
                    "reasons": {"type": "array", "items": _REASON},
                }
            )
        },
        tag="people",
    ),
)
def why(person_id: int) -> ResponseReturnValue:
    """Of a record that the asker may read; `rights` on the fields that the asker may see."""
    session, tongue = reading(), language()
    form, record = request.args.get("form", ""), number(request.args.get("record"))
    if not form:
        raise Malformed("E_PARAMETER", name="form")
    its = explain(session, who(), form, record, person_id)
    reasons = [
        {
            "role": reason.role,
            "title": role_title(session, reason.role, tongue),
            "unit": str(reason.unit_id),
            "rule": reason.rule,
            "scope": reason.scope,
            "where": reason.where,
            "from": reason.leading,
            "actions": list(reason.actions),
            "covers": reason.covers,
            "words": reason_words(session, reason, tongue),
        }
        for reason in its.reasons
    ]
    return jsonify(
        words=verdict_words(its.person.name, its.record.label, its.may, tongue),
        may=list(its.may),
        rights=dict(its.rights),
        reasons=reasons,
    )
