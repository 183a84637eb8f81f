"""The application over a database, and visitors to it as browsers are."""

import re
from dataclasses import dataclass
from typing import Any

import make
from flask import Blueprint, Flask, jsonify
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from werkzeug.test import TestResponse

from careloom.builders.desk import drafts_api
from careloom.platform.identity import access_tokens
from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.identity.model import Person
from careloom.platform.identity.passwords import hashed
from careloom.platform.identity.roles import save_role
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Conflict, Invalid, Problem, Stale, TooMany
from careloom.platform.web.app import create_app
from careloom.platform.web.body import json_object
from careloom.platform.web.idempotency import Reply, reply
from careloom.platform.web.request import who, write
from careloom.platform.web.routes import PUBLIC, SIGNED_IN, Spec, route
from careloom.platform.web.settings import Settings
from careloom.runtime.forms import api as records_api

PASSWORD = "correct horse battery"
HASH = hashed(PASSWORD)
EVERYTHING = [
    "definitions.read",
    "definitions.write",
    "definitions.publish",
    "packs.read",
    "packs.apply",
    "people.read",
    "people.write",
    "units.write",
    "trail.read",
    "connections.write",
]
FORM = make.form(
    "lead",
    {
        "name": make.field(title="Name"),
        "mobile": make.field("phone", title="Mobile"),
        "owner": make.field("person", title="Owner"),
        "deal": make.field("money", title="Deal", x_scale=2),
    },
    ["name"],
    x_owner="owner",
    x_label="name",
)


def trial() -> Blueprint:
    """Pages that do what real ones should not, and what they seldom do."""
    area = Blueprint("trial", __name__)

    @route(area, "/trial/broken", needs=PUBLIC)
    def broken() -> ResponseReturnValue:
        raise RuntimeError("the secret of 19912345678")

    @route(area, "/api/trial/broken", needs=PUBLIC, endpoint="broken_api")
    def broken_api() -> ResponseReturnValue:
        raise RuntimeError("the secret of 19912345678")

    @route(area, "/api/trial/refused/<what>", needs=SIGNED_IN)
    def refused(what: str) -> ResponseReturnValue:
        raise {
            "invalid": Invalid(problems=[Problem("/name", "E_NAME")]),
            "conflict": Conflict(),
            "stale": Stale({"revision": 2}),
            "many": TooMany(7),
        }[what]

    shape = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}

    @route(area, "/api/trial/echo", methods=("POST",), needs=SIGNED_IN, spec=Spec(body=shape))
    def echo() -> ResponseReturnValue:
        return jsonify(json_object())

    done: list[int] = []

    @route(area, "/api/trial/count", methods=("POST",), needs=SIGNED_IN)
    def count() -> ResponseReturnValue:
        return reply(lambda s: done.append(1) or len(done), lambda n: Reply({"n": n}, 201))

    @route(area, "/api/trial/plain-count", methods=("POST",), needs=SIGNED_IN)
    def plain_count() -> ResponseReturnValue:
        return jsonify(n=write(lambda s: done.append(1) or len(done)))

    @route(area, "/api/trial/held/<key>", needs="reports.read:{key}")
    def held(key: str) -> ResponseReturnValue:
        return jsonify(login=who().login)

    return area


@dataclass
class Site:
    """The application, its database, and the units' ids by code."""

    app: Flask
    database: Database
    at: dict[str, int]

    def visitor(self, **environ: str) -> "Visitor":
        return Visitor(self.app.test_client(), environ)

    def person(self, login: str, unit: str = "B1", *roles: str) -> Actor:
        """Somebody who can sign in with PASSWORD."""
        actor = make.person(self.database, login, unit, *roles)

        def give(session: Any) -> None:
            session.get_one(Person, actor.person_id).password_hash = HASH

        self.database.write(give)
        return actor

    def token(self, actor: Actor) -> dict[str, str]:
        """The header of an access token for them."""
        assert actor.person_id
        number = actor.person_id
        token = self.database.write(lambda s: access_tokens.issue(s, SYSTEM, number, "test")[1])
        return {"Authorization": f"Bearer {token}"}

    def role(self, key: str, *rights: str, **forms: list[make.Json]) -> None:
        document = make.role(key, forms, rights)
        self.database.write(lambda s: save_role(s, document, 1))


@dataclass
class Visitor:
    """A browser: keeps cookies, sends the token of the last page's form."""

    client: FlaskClient
    environ: dict[str, str]

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, environ_base=self.environ, **more)

    def csrf(self, path: str = "/sign-in") -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(path).text)
        assert found, f"{path} has no form"
        return found[1]

    def post(self, path: str, **fields: str) -> TestResponse:
        """Send a form as a page would."""
        return self.client.post(path, data=fields, environ_base=self.environ)

    def sign_in(self, login: str, password: str = PASSWORD, next: str = "") -> TestResponse:
        return self.post("/sign-in", login=login, password=password, next=next, csrf=self.csrf())

    def cookie(self, name: str = "careloom") -> str | None:
        found = self.client.get_cookie(name)
        return found.value if found else None


class Caller:
    """A program with an access token."""

    def __init__(self, site: Site, token: dict[str, str]) -> None:
        self.client, self.token = site.app.test_client(), token

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(
            path,
            method=method,
            headers={**self.token, "Accept-Language": "en", **named},
            **({} if body is None else {"json": body}),
        )


def build(database: Database, settings: Settings) -> Site:
    at = make.organisation(database)
    make.publish(database, "form", FORM)
    areas = [trial(), records_api.area, drafts_api.area]
    site = Site(create_app(database, settings, areas), database, at)
    site.role("everything", *EVERYTHING)
    return site
