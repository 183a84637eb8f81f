"""Each demo role with each scope and each field right on one form, over every way of reading.

10 roles × 6 scopes × 4 rights, held where the demo's people hold them; each cell is one way of
reading under one of these. Every one of the 240 is put before every way; answers are searched for
fields of every type. Filters and sorts name a text and a number under each of the 240, and the
fields of all types in turn: each field under each scope and right, by one of the roles.
SQLite only: the two databases are compared in `test_matrix`.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import make
import pytest
from served import TUESDAY, site_in
from sqlalchemy.orm import Session

from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM, Actor, Grant
from careloom.platform.identity.roles import role_document, save_role
from careloom.platform.identity.rules import RIGHTS
from careloom.platform.identity.tree import tree
from careloom.platform.records.lists import get
from careloom.platform.records.narrow import SPANS, operators
from careloom.platform.records.shape import shape_of
from careloom.platform.records.submit import change, submit
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.files import Body

from .every_type import FORM, FRIEND, KEYS, asked_as, bodies, further_of, told_of
from .paths import ASKS, TELLS, Looker, _filtered, conditioned, literal, sorted_by
from .planted import COMPUTED, GUARDED, POINTER, values_of
from .test_matrix_demo import LOGINS

SCOPES = ("own", "team", "branch", "subtree", "all", "expression")
READABLE = ("read", "write")
#: a text and a number, asked for and sorted by; answers are searched for every field
ASKED = ("name", "amount")
#: asked for and sorted by in turn, each by one of the roles under each scope and right
EACH = (*KEYS, COMPUTED)
#: what else tells of records (offers, reports) is asked in `test_matrix` for each scope and right
WAYS = ("get", "list", "history", "link label", "export CSV", "export XLSX", "print")


@dataclass(frozen=True)
class Row:
    """A planted record: whose (a login, or nobody), at which unit's path, its values as JSON."""

    id: int
    pointer: int
    owner: str
    path: str
    values: Mapping[str, Any]
    before: Mapping[str, Any]


@dataclass(frozen=True)
class Clinic:
    """The demo clinic with the planted form; its people by login."""

    database: Database
    people: Mapping[str, Actor]
    rows: tuple[Row, ...]

    def holder(self, login: str, scope: str, right: str) -> Actor:
        """The demo's person with their role, made anew for this scope and right."""
        actor = self.people[login]
        own = actor.grants[0]
        return replace(actor, grants=(Grant(key(login, scope, right), own.unit_id, own.unit_path),))


def key(login: str, scope: str, right: str) -> str:
    return f"{login}_{scope}_{right}"


@pytest.fixture(scope="module")
def clinic(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with site_in(demo_home, tmp_path_factory.mktemp("clinic"), TurnedClock(TUESDAY)) as site:
        people = {login: site.actor(login) for login in LOGINS}
        site.database.write(lambda session: define(session, people))
        files = bodies(site.database.home)
        rows = site.database.write(lambda session: plant(session, people, files))
        yield Clinic(site.database, people, rows)


def define(session: Session, people: Mapping[str, Actor]) -> None:
    """The form, and every role in every shape."""
    for document in (FRIEND, FORM, POINTER):
        publish_document(session, SYSTEM, "form", document)
    for login, actor in people.items():
        known = role_document(session, actor.grants[0].role)
        assert known is not None
        for scope, right in itertools.product(SCOPES, RIGHTS):
            save_role(session, shaped(known, login, scope, right), 1)


def plant(
    session: Session, people: Mapping[str, Actor], files: Sequence[tuple[Body, Body]]
) -> tuple[Row, ...]:
    """A record of each person's at their unit, and one of nobody's in each branch."""
    codes = {place.code: place.id for place in tree(session).places.values()}
    places = [(login, actor.unit_id) for login, actor in people.items()]
    places += [("nobody", codes["R1-B01"]), ("nobody", codes["R1-B02"])]
    found = []
    for n, (owner, unit_id) in enumerate(places):
        number = str(people[owner].person_id) if owner in people else None
        new = values_of(n) | further_of(session, n, files[n], codes["R1-B02"])
        old = new | {"name": f"Past{n:02d}zz", "note": f"Former{n:02d}zz"}
        state = "open" if n % 2 else "closed"
        fixed = {"unit": str(unit_id), "owner": number, "state": state}
        made = submit(session, SYSTEM, "secret", {**old, **fixed})
        change(session, SYSTEM, "secret", made.id, new)
        to = submit(session, SYSTEM, "pointer", {"name": f"to {n}", "secret": str(made.id)})
        path = tree(session).paths[unit_id or 0]
        values = get(session, SYSTEM, "secret", made.id).json()
        found.append(Row(made.id, to.id, owner, path, values, old))
    return tuple(found)


def shaped(role: Mapping[str, Any], login: str, scope: str, right: str) -> make.Json:
    """The demo's role as it is, and on the planted form this scope and right."""
    rule = {
        "key": "planted",
        "scope": {"where": 'state = "open"'} if scope == "expression" else scope,
        "actions": ["read", "change", "export"] if right == "write" else ["read", "export"],
        "fields": {**dict.fromkeys(KEYS, right), "*": "read"},
    }
    pointers = [make.rule("all", "read", "export")]
    forms = {**role["forms"], "secret": [rule], "pointer": pointers}
    return {**role, "key": key(login, scope, right), "forms": forms}


def covered(actor: Actor, scope: str, row: Row) -> bool:
    """Whether the scope reaches the row, told anew from its name alone."""
    held = actor.grants[0].unit_path
    return {
        "own": row.owner == actor.login,
        "team": row.path == held,
        "branch": row.path.startswith(held),
        "subtree": row.path.startswith(held),
        "all": True,
        "expression": row.values["state"] == "open",
    }[scope]


def planted_in(number: int, row: Row) -> Iterator[str]:
    """Every text that tells of a guarded field of the row, as it is or was."""
    yield from told_of(number, row.values)
    for field in GUARDED:
        yield str(row.values[field])
    yield from (row.before["name"], row.before["note"])
    yield from (row.values["name"].upper(), row.before["name"].upper())


@pytest.mark.parametrize("login", LOGINS)
def test_no_way_of_reading_tells_what_the_roles_scope_and_right_keep_back(
    clinic: Clinic, login: str, tmp_path: Path, record_property: Any
) -> None:
    cells = told = kept = 0
    texts = [list(planted_in(number, row)) for number, row in enumerate(clinic.rows)]
    turn = EACH[LOGINS.index(login) :: len(LOGINS)]
    for scope, right in itertools.product(SCOPES, RIGHTS):
        actor = clinic.holder(login, scope, right)
        seen = {row.id for row in clinic.rows if covered(actor, scope, row)}
        ids = tuple(row.id for row in clinic.rows)
        readable = seen if right in READABLE else set()
        with clinic.database.read() as session:
            for row in clinic.rows:
                if row.id in seen:
                    whole(session, actor, row, right)
            its = Looker(clinic.database, session, actor, "secret", ids, tmp_path)
            for way in WAYS:
                answer = TELLS[way](its)
                for number, row in enumerate(clinic.rows):
                    found = [text for text in texts[number] if text in answer]
                    assert row.id in readable or not found, (login, scope, right, way, found)
                    told, kept = told + bool(found), kept + (row.id not in readable)
                    if way in ("get", "list"):
                        assert (f"'id': '{row.id}'" in answer) == (row.id in seen)
                cells += 1
            assert _filtered(its, "true") == seen, "the count is of what one sees"
            cells += 1 + asked(clinic, its, seen, readable) + hopped(clinic, its, seen, readable)
            cells += sum(asked_by_type(clinic, its, field, seen, readable) for field in turn)
    assert told and kept, "some of it is told, and some kept back"
    record_property("cells", cells)


def whole(session: Session, actor: Actor, row: Row, right: str) -> None:
    """A record holds all of its guarded fields, or their masks, or does not name them."""
    record = get(session, actor, "secret", row.id)
    fields, values = record.form.fields, record.json()
    if right in READABLE:
        assert values == row.values
    elif right == "hidden":
        assert not {*KEYS, COMPUTED} & {
            *values,
            *(k for k, v in record.rights.items() if v != right),
        }
    else:
        masks = {key: fields[key].mask(row.values[key]) for key in KEYS}
        assert {key: values[key] for key in KEYS} == masks


def asked_by_type(
    clinic: Clinic, its: Looker, field: str, seen: set[int], readable: set[int]
) -> int:
    """All that a list's filter may ask of a field, and the order by it. How many ways."""
    kind = shape_of(its.session, "secret").form.fields[field]
    asks = [ask for ask in operators(kind) if ask not in SPANS]
    row = next((row for row in clinic.rows if row.id not in readable), clinic.rows[0])
    value = asked_as(field, row.values)
    same = {each.id for each in clinic.rows if asked_as(field, each.values) == value}
    for ask in asks:
        values = (
            () if ask in ("blank", "filled") else (value, value) if ask == "between" else (value,)
        )
        expected = {
            "blank": seen - readable,
            "filled": readable,
            "not": seen - (same & readable),
        }.get(ask, same & readable)
        assert conditioned(its, field, ask, values) == expected, (field, ask, its.actor.grants)
    assert _filtered(its, f"NOT(ISBLANK({field}))") in (readable, set()), field
    if not readable:
        order = sorted_by(its, field, False)
        assert order is None or order == sorted(seen), "as if the field were blank in all"
    return len(asks) + 2


def asked(clinic: Clinic, its: Looker, seen: set[int], readable: set[int]) -> int:
    """Questions that name a field, and the order by one. How many ways."""
    probes = [row for row in clinic.rows if row.id in seen][-1:]
    probes += [row for row in clinic.rows if row.id not in seen][:1]
    for row in probes:
        for way, ask in ASKS.items():
            found = ask(its, "name", row.values["name"])
            assert found <= ({row.id} & readable), (way, its.actor.grants)
        found = ASKS["filter"](its, "amount", row.values["amount"])
        assert found == ({row.id} & readable), its.actor.grants
    for field in ASKED:
        order = sorted_by(its, field, False)
        assert order is not None and set(order) == seen
        if not readable:
            assert order == sorted(order), "as if the field were blank in all"
    return len(ASKS) + 1


def hopped(clinic: Clinic, its: Looker, seen: set[int], readable: set[int]) -> int:
    """Over a link from a form that one reads whole. How many ways."""
    over = replace(its, form="pointer")
    row = next((row for row in clinic.rows if row.id not in readable), clinic.rows[0])
    found = _filtered(over, f"secret.name = {literal(row.values['name'])}")
    assert found == ({row.pointer} if row.id in readable else set())
    there = _filtered(over, 'secret.state = "open" OR secret.state = "closed"')
    assert there == {row.pointer for row in clinic.rows if row.id in seen}
    return 1
