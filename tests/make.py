"""Factories with lawful defaults: units, people, roles, forms, records."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

import careloom.platform.records.kinds  # noqa: F401  registers the platform's kinds
from careloom.platform.definitions.publish import Version, publish_document
from careloom.platform.identity import grants
from careloom.platform.identity.actor import SYSTEM, Actor, actor_of
from careloom.platform.identity.people import add_person
from careloom.platform.identity.tree import unit_by_code
from careloom.platform.identity.units import add_unit, set_intake
from careloom.platform.records.record import Record
from careloom.platform.records.submit import submit
from careloom.platform.store.database import Database

Json = dict[str, Any]
LISTS = ("choices", "file", "image")


def field(widget: str = "text", title: str = "", **words: Any) -> Json:
    """A field's property; `x_visible` and the like become `x-visible`."""
    json_type = {"yesno": "boolean", **dict.fromkeys(LISTS, "array")}.get(widget, "string")
    if widget == "number" and not words.get("x_scale"):
        json_type = "integer"
    made: Json = {"type": json_type, "x-widget": widget, "x-title": title or widget}
    if widget in LISTS:
        made |= {"items": {"type": "string"}, "uniqueItems": True}
    return made | {word.replace("_", "-"): value for word, value in words.items()}


def fixed(*keys: str) -> Json:
    """The options of a choice, each titled by its key."""
    return {"source": "fixed", "items": [{"key": key, "title": key} for key in keys]}


def link(form: str) -> Json:
    """A field that leads to a record of another form."""
    return field("link", x_options={"source": "form", "form": form})


def rows(fields: Mapping[str, Json], required: Iterable[str] = (), **words: Any) -> Json:
    """A sub-form; `x_layout` is that of its rows."""
    items: Json = {
        "type": "object",
        "additionalProperties": False,
        "properties": dict(fields),
        "required": list(required),
        "x-layout": words.pop("x_layout", list(fields)),
    }
    return {"type": "array", "items": items} | {
        word: value
        for word, value in field("subform", **words).items()
        if word not in ("type", "items")
    }


def form(
    key: str, properties: Mapping[str, Json], required: Iterable[str] = (), **words: Any
) -> Json:
    """A form's document with all its fields in one section."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "format": 1,
        "key": key,
        "type": "object",
        "additionalProperties": False,
        "x-title": key,
        "properties": dict(properties),
        "required": list(required),
        "x-layout": [{"key": "all", "fields": list(properties)}],
    } | {word.replace("_", "-"): value for word, value in words.items()}


def role(key: str, forms: Mapping[str, list[Json]], rights: Iterable[str] = ()) -> Json:
    """A role's document."""
    return {"format": 1, "key": key, "title": key, "rights": list(rights), "forms": dict(forms)}


def rule(scope: str, *actions: str, **fields: str) -> Json:
    """A rule of a role; `key` is made of its scope and actions."""
    made: Json = {"key": "_".join((scope, *actions))[:40], "scope": scope, "actions": list(actions)}
    return made | ({"fields": fields} if fields else {})


def publish(database: Database, kind: str, document: Json) -> Version:
    """Put a document in force as the system."""
    return database.write(lambda session: publish_document(session, SYSTEM, kind, document))


def organisation(database: Database) -> dict[str, int]:
    """A group with one region and two branches, one of them in another time zone; ids by code."""

    def deed(session: Session) -> dict[str, int]:
        at = {"G": add_unit(session, SYSTEM, "G", "Group", "group").id}
        at["R"] = add_unit(session, SYSTEM, "R", "Region", "region", at["G"]).id
        at["B1"] = add_unit(session, SYSTEM, "B1", "Branch 1", "branch", at["R"]).id
        zone = "Asia/Urumqi"
        at["B2"] = add_unit(session, SYSTEM, "B2", "Branch 2", "branch", at["R"], zone).id
        set_intake(session, SYSTEM, at["G"], at["R"])
        set_intake(session, SYSTEM, at["R"], at["B1"])
        return at

    return database.write(deed)


def person(database: Database, login: str, unit: str, *roles: str) -> Actor:
    """Somebody at a unit with roles there, as an actor."""

    def deed(session: Session) -> Actor:
        at = unit_by_code(session, unit).id
        made = add_person(session, SYSTEM, login, login.title(), at)
        for key in roles:
            grants.give(session, SYSTEM, made.id, key, at)
        return actor_of(session, made.id)

    return database.write(deed)


def record(database: Database, form_key: str, actor: Actor = SYSTEM, **values: Any) -> Record:
    """A record, submitted through the door."""
    return database.write(lambda session: submit(session, actor, form_key, values))
