"""One form with planted values in the rows of two branches, and a role for each scope and right."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import make
from sqlalchemy.orm import Session

from careloom.platform.definitions.kinds import register
from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM, Actor, Grant
from careloom.platform.identity.people import add_person
from careloom.platform.identity.rules import RIGHTS
from careloom.platform.identity.tree import tree
from careloom.platform.identity.units import add_unit
from careloom.platform.records.submit import change, submit
from careloom.platform.store.database import Database
from careloom.runtime.printouts.check import PRINTOUT
from careloom.runtime.reports.check import REPORT

SCOPES = ("own", "unowned", "team", "branch", "subtree", "all", "expression")
UNITS = ("B1", "D1", "B2", "R")
OWNERS = ("me", "other", "nobody")
GRADES = [f"grade{n:02d}" for n in range(len(UNITS) * len(OWNERS))]
#: what a role hides, masks, shows or lets be written in the one form, all at once
GUARDED = ("name", "mobile", "amount", "grade", "day", "id_no", "note")
COMPUTED = "loud"  # follows from `name`
SECRET = make.form(
    "secret",
    {
        "name": make.field(),
        "mobile": make.field("phone"),
        "amount": make.field("money", x_scale=2),
        "grade": make.field("choice", x_options=make.fixed(*GRADES)),
        "day": make.field("date"),
        "id_no": make.field("id_card", x_encrypted=True),
        "note": make.field("longtext"),
        "loud": make.field(x_value="UPPER(name)"),
        "state": make.field("choice", x_options=make.fixed("open", "closed")),
        "owner": make.field("person"),
        "unit": make.field("unit"),
    },
    x_label="name",
    x_owner="owner",
    x_unit="unit",
)
POINTER = make.form("pointer", {"name": make.field(), "secret": make.link("secret")})


def report(key: str, by: str, *formulas: str) -> make.Json:
    """A report on the form by one field."""
    return {
        "format": 1,
        "key": key,
        "title": key,
        "form": "secret",
        "dimensions": [{"key": by, "field": by}],
        "measures": [
            {"key": f"m{n}", "title": formula, "formula": formula}
            for n, formula in enumerate(formulas)
        ],
    }


GROUPED = ("name", "mobile", "grade", "day", "loud", "state")
REPORTS = [
    report(f"by_{key}", key, "COUNT()", "SUM(amount)", "MAX(amount)", "COUNT(mobile)")
    for key in GROUPED
]


def measured(key: str, by: str) -> make.Json:
    """A report whose measures are of each kind, by one field, filtered by another."""
    kinds = ("sum", "avg", "min", "max", "median")
    made = report(key, by, "COUNT()") | {"filters": ["grade"], "date": "day"}
    made["measures"] += [
        {"key": kind, "title": kind, "kind": kind, "of": "amount"} for kind in kinds
    ]
    made["measures"] += [
        {"key": f"has_{field}", "title": field, "kind": "count", "of": field}
        for field in ("name", "mobile", "amount", "grade", "day", "note", "loud")
    ]
    return made


REPORTS += [measured(f"all_{key}", key) for key in GROUPED]


def printed(key: str, form: str, hop: str = "") -> make.Json:
    """Every guarded field in each way that a sheet has: alone, in a text, in a formula, as what
    decides whether something is printed."""
    fields = [hop + key for key in (*GUARDED, COMPUTED)]
    return {
        "format": 1,
        "key": key,
        "title": key,
        "form": form,
        "blocks": [
            {
                "key": "facts",
                "kind": "fields",
                "fields": [
                    {"key": f"f{n}", "show": field, "title": "F"} for n, field in enumerate(fields)
                ],
            },
            {"key": "alone", "kind": "text", "text": " | ".join(f"{{{{ {f} }}}}" for f in fields)},
            {
                "key": "worked_out",
                "kind": "text",
                "text": f'{{{{ "<" & {hop}name & ">" }}}} {{{{ {hop}amount + 0 }}}}',
            },
            {
                "key": "decided",
                "kind": "text",
                "when": f"NOT(ISBLANK({hop}name))",
                "text": "the name is filled in",
            },
        ],
    }


PRINTOUTS = [printed("printed", "secret"), printed("behind", "pointer", "secret.")]


@dataclass(frozen=True)
class Planted:
    """One row: whose, where, its values as JSON, and the values it had before."""

    id: int
    pointer: int
    owner: str
    unit: str
    values: Mapping[str, Any]
    before: Mapping[str, Any]


@dataclass(frozen=True)
class World:
    """The database with everything planted in it."""

    database: Database
    at: Mapping[str, int]
    paths: Mapping[str, str]
    me: int
    rows: tuple[Planted, ...]

    def actor(self, scope: str, right: str) -> Actor:
        """A person with the one role for this scope and right, held at the first branch."""
        grant = Grant(f"{scope}_{right}", self.at["B1"], self.paths["B1"])
        return replace(
            SYSTEM,
            person_id=self.me,
            login="probe",
            unit_id=self.at["B1"],
            unit_path=self.paths["B1"],
            grants=(grant,),
            language="en",
        )


def covered(scope: str, row: Planted) -> bool:
    """Whether a scope held at the first branch reaches a row, told anew from its name alone."""
    return {
        "own": row.owner == "me",
        "unowned": row.owner == "nobody" and row.unit in ("B1", "D1"),
        "team": row.unit == "B1",
        "branch": row.unit in ("B1", "D1"),
        "subtree": row.unit in ("B1", "D1"),
        "all": True,
        "expression": row.values["state"] == "open",
    }[scope]


def role_document(scope: str, right: str) -> make.Json:
    """Reads, exports and changes the rows of the scope, with one right on what is guarded."""
    actions = ["read", "change", "export"] if right == "write" else ["read", "export"]
    rule = {
        "key": "rule",
        "scope": {"where": 'state = "open"'} if scope == "expression" else scope,
        "actions": actions,
        "fields": {**dict.fromkeys(GUARDED, right), "*": "read"},
    }
    pointers = [make.rule("all", "read", "export")]
    return make.role(
        f"{scope}_{right}", {"secret": [rule], "pointer": pointers}, ["reports.read:*"]
    )


def id_number(n: int) -> str:
    """A number of 18 digits whose last one is right."""
    first = f"1101011990{n % 12 + 1:02d}{n % 28 + 1:02d}{n:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    rest = sum(int(digit) * weight for digit, weight in zip(first, weights, strict=True)) % 11
    return first + "10X98765432"[rest]


def values_of(row: int) -> dict[str, Any]:
    """What is planted in a row: no value is in two rows, none is part of another, and their order
    is not the order of the rows."""
    n = (row * 5 + 3) % len(GRADES)
    return {
        "name": f"Quill{n:02d}zz",
        "mobile": f"1990{n + 11:02d}77{n + 40:03d}",
        "amount": f"{7100 + 37 * n}.{13 + n}",
        "grade": GRADES[n],
        "day": f"1987-{n + 1:02d}-17",
        "id_no": id_number(n + 200),
        "note": f"Whisper{n:02d}zz",
    }


def plant(database: Database) -> World:
    """Everything in a few transactions; roles are published in bulk."""
    register(REPORT)
    register(PRINTOUT)
    at = make.organisation(database)

    def definitions(session: Session) -> None:
        for form in (SECRET, POINTER):
            publish_document(session, SYSTEM, "form", form)
        for scope, right in itertools.product(SCOPES, RIGHTS):
            publish_document(session, SYSTEM, "role", role_document(scope, right))
        for each in REPORTS:
            publish_document(session, SYSTEM, "report", each)
        for each in PRINTOUTS:
            publish_document(session, SYSTEM, "printout", each)

    def people(session: Session) -> tuple[int, int]:
        at["D1"] = add_unit(session, SYSTEM, "D1", "Dentistry", "department", at["B1"]).id
        me = add_person(session, SYSTEM, "me", "Me", at["B1"]).id
        return me, add_person(session, SYSTEM, "other", "Other", at["B2"]).id

    database.write(definitions)
    me, other = database.write(people)
    owners = {"me": str(me), "other": str(other), "nobody": None}

    def rows(session: Session) -> list[Planted]:
        found = []
        for n, (unit, owner) in enumerate(itertools.product(UNITS, OWNERS)):
            old = values_of(n) | {"name": f"Past{n:02d}zz", "note": f"Former{n:02d}zz"}
            new = values_of(n)
            state = "open" if n % 2 else "closed"
            fixed = {"unit": str(at[unit]), "owner": owners[owner], "state": state}
            made = submit(session, SYSTEM, "secret", {**old, **fixed})
            change(session, SYSTEM, "secret", made.id, new)
            link = {"name": f"pointer {n}", "secret": str(made.id)}
            to = submit(session, SYSTEM, "pointer", link)
            found.append(Planted(made.id, to.id, owner, unit, {**new, **fixed}, old))
        return found

    planted = tuple(database.write(rows))
    with database.read() as session:
        paths = {place.code: place.path for place in tree(session).places.values()}
    return World(database, at, paths, me, planted)
