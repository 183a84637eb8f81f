"""A list and two forms that make use of everything, for the tests of definitions."""

from typing import Any

COLOURS: dict[str, Any] = {
    "format": 1,
    "key": "colour",
    "title": "颜色",
    "items": [{"key": "red", "title": {"zh-CN": "红", "en": "Red"}}],
}
PERSON: dict[str, Any] = {
    "format": 1,
    "key": "patient",
    "x-title": "Patient",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "x-widget": "text", "x-title": {"zh-CN": "姓名", "en": "Name"}},
        "level": {
            "type": "integer",
            "x-widget": "number",
            "x-title": {"zh-CN": "等级", "en": "Level"},
        },
    },
    "x-layout": [{"key": "main", "fields": ["name", "level"]}],
    "x-label": "name",
}
VISIT: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "format": 1,
    "key": "visit",
    "x-title": {"zh-CN": "就诊", "en": "Visit"},
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "code": {
            "type": "string",
            "x-widget": "serial",
            "x-title": "No",
            "x-serial": "V{yy}{seq:4}",
        },
        "patient": {
            "type": "string",
            "x-widget": "link",
            "x-title": {"zh-CN": "患者", "en": "Patient"},
            "x-options": {"source": "form", "form": "patient"},
        },
        "colour": {
            "type": "string",
            "x-widget": "choice",
            "x-title": "Colour",
            "x-options": {"source": "list", "list": "colour"},
        },
        "kinds": {
            "type": "array",
            "items": {"type": "string"},
            "uniqueItems": True,
            "x-widget": "choices",
            "x-title": "Kinds",
            "x-options": {
                "source": "fixed",
                "items": [{"key": "a", "title": "甲"}, {"key": "b", "title": "乙"}],
            },
        },
        "scans": {
            "type": "array",
            "items": {"type": "string"},
            "uniqueItems": True,
            "x-widget": "file",
            "x-title": "Scans",
        },
        "seen_at": {
            "type": "string",
            "x-widget": "datetime",
            "x-title": "Seen",
            "x-default": "NOW()",
        },
        "price": {"type": "string", "x-widget": "money", "x-title": "Price"},
        "share": {"type": "string", "x-widget": "percent", "x-title": "Share"},
        "net": {
            "type": "string",
            "x-widget": "money",
            "x-title": "Net",
            "x-value": "price * (1 - share)",
        },
        "owner": {"type": "string", "x-widget": "person", "x-title": "Owner"},
        "clinic": {"type": "string", "x-widget": "unit", "x-title": "Clinic"},
        "note": {
            "type": "string",
            "x-widget": "text",
            "x-title": "Note",
            "x-visible": 'colour = "red"',
            "x-required": "net > 100",
            "maxLength": 50,
        },
    },
    "required": ["colour", "patient"],
    "x-layout": [
        {
            "key": "main",
            "columns": 2,
            "fields": ["code", "patient", "colour", "kinds", "scans", "seen_at"],
        },
        {"key": "money", "fields": ["price", "share", "net", "owner", "clinic", "note"]},
    ],
    "x-label": "code",
    "x-match": [["patient", "seen_at:day"], ["note"]],
    "x-unit": "clinic",
    "x-owner": "owner",
    "x-rules": [{"key": "paid", "if": "net >= 0", "message": "no", "field": "net"}],
}
