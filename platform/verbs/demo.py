"""The demo clinic: its packs, its organisation and the people who may sign in."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..identity import grants
from ..identity.actor import SYSTEM
from ..identity.model import Person, Unit
from ..identity.passwords import hashed
from ..identity.people import add_person
from ..identity.tree import tree, unit_by_code
from ..identity.units import add_unit, set_intake
from ..packs.apply import apply_pack
from ..packs.library import shipped_pack
from ..store.database import Database

BLUEPRINTS = Path(__file__).parents[2] / "blueprints"
PACKS = ("clinic", "dental")
#: letters and digits that are not mistaken for one another when read from a screen
CLEAR = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class SignIn:
    """Somebody who may sign in. password: None when it was given out on an earlier run."""

    login: str
    name: str
    roles: tuple[str, ...]
    unit: Any
    password: str | None


def load_demo(database: Database) -> list[SignIn]:
    """Bring in what is not there yet; run again, it changes nothing and knows no passwords."""
    for key in PACKS:
        pack = shipped_pack(key)
        database.write(lambda session, p=pack: apply_pack(session, SYSTEM, p))  # type: ignore[misc]
    content = json.loads((BLUEPRINTS / "demo.json").read_text("utf-8"))
    database.write(lambda session: _organisation(session, content["units"]))
    with database.read() as session:
        there = set(session.scalars(select(Person.login)))
        titles = {place.code: place.title for place in tree(session).places.values()}
    signed = []
    for person in content["people"]:
        password = None
        if person["login"] not in there:
            password = _password()
            hash_ = hashed(password)  # slow on purpose, so outside the deed
            database.write(lambda session, p=person, h=hash_: _join(session, p, h))  # type: ignore[misc]
        roles = tuple(person["roles"])
        title = titles[person["unit"]]
        signed.append(SignIn(person["login"], person["name"], roles, title, password))
    return signed


def _password() -> str:
    return "-".join("".join(secrets.choice(CLEAR) for _ in range(4)) for _ in range(3))


def _organisation(session: Session, units: list[Mapping[str, Any]]) -> None:
    there = set(session.scalars(select(Unit.code)))
    for each in units:
        if each["code"] not in there:
            parent = unit_by_code(session, each["parent"]).id if "parent" in each else None
            add_unit(
                session,
                SYSTEM,
                each["code"],
                each["title"],
                each["type"],
                parent,
                each.get("time_zone"),
            )
    for each in units:
        if each["code"] not in there and "intake" in each:
            intake = unit_by_code(session, each["intake"]).id
            set_intake(session, SYSTEM, unit_by_code(session, each["code"]).id, intake)


def _join(session: Session, person: Mapping[str, Any], password_hash: str) -> None:
    at = unit_by_code(session, person["unit"]).id
    row = add_person(
        session,
        SYSTEM,
        person["login"],
        person["name"],
        at,
        password_hash,
        person.get("language", "zh-CN"),
    )
    for role in person["roles"]:
        grants.give(session, SYSTEM, row.id, role, at)
