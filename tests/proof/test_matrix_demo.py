"""The demo clinic's ten roles as they are: nobody learns of a field or a row their role keeps
from them, and marketing nothing clinical at all."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from served import TUESDAY, Site, site_in
from sqlalchemy.orm import Session

from careloom.platform.definitions.published import entries, published
from careloom.platform.identity.actor import SYSTEM, Actor, Grant
from careloom.platform.identity.rules import RIGHTS
from careloom.platform.identity.tree import tree
from careloom.platform.records.choices import choices_of
from careloom.platform.records.lists import get
from careloom.platform.records.shape import shape_of
from careloom.platform.records.submit import submit
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.errors import Invalid

from .paths import ASKS, TELLS, Looker

LOGINS = (
    "admin ops group manager supervisor agent desk consultant doctor nurse".split()
)  # and the roles that they hold
BRANCHES = ("R1-B01", "R1-B02")
READABLE = ("read", "write")
TODAY = re.compile(
    r"(\w+) > DATEADD\(NOW\(\), -1, \"day\"\) AND \1 < DATEADD\(NOW\(\), 1, \"day\"\)"
    r" AND DATE\(\1\) = TODAY\(\)"
)
PART = re.compile(
    r"(?P<today>\w+) TODAY|(?P<me>[\w.]+) = ME\(\)|ISBLANK\((?P<blank>[\w.]+)\)"
    r"|NOT\(status IN \((?P<but>.*)\)\)"
)
LINKS = {
    "lead": "lead_intake",
    "customer": "customer_profile",
    "plan": "treatment_plan",
    "appointment": "appointment",
}
SHANGHAI = timedelta(hours=8)
HOLDERS = ("attending_doctor", "doctor", "consultant")
"""Fields that give whoever they hold a sight of records, beside the owner."""


@dataclass(frozen=True)
class Row:
    """One planted record. values: JSON as the system sees it."""

    id: int
    unit_path: str
    owner: int | None
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Demo:
    """The demo clinic with records of every form in both branches."""

    site: Site
    rows: Mapping[str, list[Row]]


@pytest.fixture(scope="module")
def demo(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with site_in(demo_home, tmp_path_factory.mktemp("clinic"), TurnedClock(TUESDAY)) as site:
        people = {login: site.actor(login).person_id or 0 for login in LOGINS}
        yield Demo(site, site.database.write(lambda session: plant(session, people)))


def plant(session: Session, people: Mapping[str, int]) -> dict[str, list[Row]]:
    """A record of every form for each branch and each of some owners, with values of their own."""
    rows: dict[str, list[Row]] = {}
    places = {place.code: place for place in tree(session).places.values()}
    owners = [None, people["agent"], people["consultant"], people["doctor"]]
    for number, (form, branch, owner) in enumerate(
        itertools.product(forms_in_order(session), BRANCHES, owners)
    ):
        made = submit_some(session, form, number, places[branch].id, owner, rows)
        seen = get(session, SYSTEM, form, made)
        path = tree(session).paths[seen.unit_id]
        rows.setdefault(form, []).append(Row(made, path, seen.owner_id, seen.json()))
    return rows


def forms_in_order(session: Session) -> list[str]:
    """Forms so that what they link to comes first."""
    waiting = [entry.key for entry in entries(session, "form")]
    done: list[str] = []
    while waiting:
        ready = [
            key
            for key in waiting
            if set(shape_of(session, key).form.links.values()) <= {*done, key}
        ] or waiting[:1]
        done += ready
        waiting = [key for key in waiting if key not in ready]
    return done


def submit_some(
    session: Session,
    form_key: str,
    number: int,
    unit: int,
    owner: int | None,
    rows: Mapping[str, list[Row]],
) -> int:
    """A record with a value in every field that takes one; what does not fit is left out."""
    form = shape_of(session, form_key).form
    given: dict[str, Any] = {}
    for position, its in enumerate(form.fields.values()):
        if its.value is None and not its.type.generated:
            value = value_for(session, its, number * 60 + position, rows)
            if value is not None:
                given[its.key] = value
    if form.unit_field:
        given[form.unit_field] = str(unit)
    if form.owner_field and (owner or not form.fields[form.owner_field].required):
        given[form.owner_field] = None if owner is None else str(owner)
    for key in HOLDERS:
        if key in form.fields and (owner or not form.fields[key].required):
            given[key] = None if owner is None else str(owner)
    wrong: set[str] = set()
    for _ in range(6):
        try:
            return submit(session, SYSTEM, form_key, given, unit_id=unit).id
        except Invalid as refusal:
            wrong = {problem.path.split("/")[1] for problem in refusal.problems}
            given = {key: value for key, value in given.items() if key not in wrong}
            for key in wrong:  # what may not lie in the past comes later
                if form.fields[key].type.name == "datetime":
                    given[key] = "2026-03-09T08:00:00Z"
    raise AssertionError(f"{form_key}: {sorted(wrong)}")


def value_for(session: Session, its: Any, n: int, rows: Mapping[str, list[Row]]) -> Any:
    """A lawful value that no other record has, where the type allows that."""
    kind = its.type.name
    if kind in ("text", "longtext"):
        return f"Qx{n:05d}zz"[: its.schema.get("maxLength", 20)]
    if kind == "phone":
        return f"199{n + 10_000_000:08d}"
    if kind == "email":
        return f"q{n:05d}zz@example.com"
    if kind == "url":
        return f"https://example.com/q{n:05d}zz"
    if kind == "date":
        return f"{1950 + n % 50}-0{n % 9 + 1}-1{n % 10}"
    if kind == "datetime":
        return f"2026-03-0{(n + n // 60) % 3 + 1}T0{n % 8}:30:00Z"  # the last of them today
    if kind == "yesno":
        return True
    if kind in ("person", "unit"):
        return value_of_choice(session, its)
    if kind == "choices":
        return [value_of_choice(session, its)]
    if kind == "link":
        there = rows.get(its.link_form)
        return str(there[(n + n // 60) % len(there)].id) if there else None
    if kind == "choice":
        return value_of_choice(session, its)
    if kind == "subform":
        return [row_for(session, its, n, rows)]
    if its.storage == "whole":
        return n % 9 + 1
    return f"5.{'1' * its.scale}" if its.storage == "scaled" else None


def row_for(session: Session, its: Any, n: int, rows: Mapping[str, list[Row]]) -> dict[str, Any]:
    """A row of a sub-form with what it must have."""
    columns = [column for column in its.rows.fields.values() if column.required]
    return {column.key: value_for(session, column, n, rows) for column in columns}


def value_of_choice(session: Session, its: Any) -> str:
    return str(next(iter(choices_of(session, its).titles)))


def is_today(at: Any) -> bool:
    """Whether a moment lies on the clinic's day."""
    if at is None:
        return False
    return (datetime.fromisoformat(at) + SHANGHAI).date() == (TUESDAY + SHANGHAI).date()


class Oracle:
    """What a demo role lets its holder see, read anew from the packs' own files."""

    def __init__(self, session: Session, actor: Actor, form: str, demo: Demo) -> None:
        self.person = actor.person_id
        self.demo = demo
        self.rules = [
            (grant, rule)
            for grant in actor.grants
            for rule in published(session, "role", grant.role).document["forms"].get(form, ())
        ]

    def covering(self, row: Row, *actions: str) -> list[Mapping[str, Any]]:
        return [
            rule
            for grant, rule in self.rules
            if set(actions) & set(rule["actions"]) and self.reaches(grant, rule["scope"], row)
        ]

    def reaches(self, grant: Grant, scope: Any, row: Row) -> bool:
        """A scope by expression is about the row, or about another form's that leads to it."""
        if isinstance(scope, Mapping) and "from" in scope:
            led = scope["from"]
            meant = str(row.id) if "via" not in led else row.values.get(led["via"])
            own = {key: value for key, value in scope.items() if key != "from"}
            return any(
                one.values.get(led["link"]) == meant and self.reaches(grant, own, one)
                for one in self.demo.rows[led["form"]]
            )
        if isinstance(scope, Mapping):
            here = self.reaches(grant, scope.get("within", "all"), row)
            return here and self.holds(row, scope["where"])
        below = row.unit_path.startswith(grant.unit_path)
        reached = {
            "own": row.owner == self.person,
            "unowned": row.owner is None and below,
            "team": row.unit_path == grant.unit_path,
            "branch": below,
            "subtree": below,
            "all": True,
        }
        return reached[scope]

    def holds(self, row: Row, text: str) -> bool:
        """What the packs' scopes say, read by hand: these parts, with AND and OR between them."""
        said = TODAY.sub(r"\1 TODAY", text)
        return any(
            all(self.part(row, part) for part in either.split(" AND "))
            for either in said.split(" OR ")
        )

    def part(self, row: Row, text: str) -> bool:
        found = PART.fullmatch(text)
        assert found is not None, text
        if found["today"]:
            return is_today(row.values.get(found["today"]))
        if found["me"]:
            return self.value(row, found["me"]) == str(self.person)
        if found["blank"]:
            return self.value(row, found["blank"]) is None
        return f'"{row.values.get("status")}"' not in found["but"]

    def value(self, row: Row, path: str) -> Any:
        """A field of the row, or of the record that its link leads to."""
        link, _, field = path.rpartition(".")
        if not link:
            return row.values.get(field)
        there = {str(one.id): one for one in self.demo.rows[LINKS[link]]}
        leads_to = there.get(row.values.get(link, ""))
        return leads_to.values.get(field) if leads_to is not None else None

    def sees(self, row: Row) -> bool:
        return bool(self.covering(row, "read"))

    def right(self, row: Row, field: str) -> str:
        if not self.sees(row):
            return "hidden"
        rights = [
            rule.get("fields", {}).get(field, rule.get("fields", {}).get("*", "read"))
            for rule in self.covering(row, "read", "change")
        ]
        return max(rights, key=RIGHTS.index)


def guarded(demo: Demo, session: Session, form: str) -> list[str]:
    """The fields in which every record holds a text of its own."""
    fields = shape_of(session, form).form.fields
    kinds = ("text", "longtext", "phone", "email", "url")
    return [key for key, its in fields.items() if its.type.name in kinds]


@pytest.mark.parametrize("login", LOGINS)
def test_a_demo_role_learns_only_what_it_may(
    demo: Demo, login: str, tmp_path: Path, record_property: Any
) -> None:
    site, cells, hidden = demo.site, 0, 0
    actor = site.actor(login)
    for form, rows in demo.rows.items():
        with site.database.read() as session:
            oracle = Oracle(session, actor, form, demo)
            fields = guarded(demo, session, form)
            ids = tuple(row.id for row in rows)
            its = Looker(site.database, session, actor, form, ids, tmp_path)
            answers = {path: tell(its) for path, tell in TELLS.items()}
            for row in rows:
                shown = f"'id': '{row.id}'"
                assert (shown in answers["get"]) == oracle.sees(row), (login, form)
                assert (shown in answers["list"]) == oracle.sees(row), (login, form)
                for field in fields:
                    value = row.values.get(field)
                    if value is None:
                        continue
                    may = oracle.right(row, field) in READABLE
                    hidden += not may
                    for path, answer in answers.items():
                        assert may or value not in answer, (login, form, field, path)
                    assert not may or value in answers["get"], (login, form, field)
            for field, row in itertools.product(fields, (rows[0], rows[-1])):
                if (value := row.values.get(field)) is not None:
                    may = oracle.right(row, field) in READABLE
                    for path, ask in ASKS.items():
                        found = ask(its, field, value)
                        assert found <= ({row.id} if may else set()), (login, form, field, path)
            cells += len(fields) * (len(TELLS) + len(ASKS))
    assert hidden, "something is kept from everybody"
    record_property("cells", cells)


NEITHER_NONE_NOR_ALL = [
    ("nurse", "appointment checkin customer_profile den_exam_first treatment_plan"),
    ("doctor", "appointment checkin customer_profile den_exam_first treatment_plan"),
    ("consultant", "appointment customer_profile followup_log lead_intake payment treatment_plan"),
    ("agent", "customer_profile followup_log lead_intake"),
]


@pytest.mark.parametrize(("login", "forms"), NEITHER_NONE_NOR_ALL)
def test_some_of_the_branch_is_theirs_and_some_is_not(demo: Demo, login: str, forms: str) -> None:
    """So that what the matrix asks of them says something."""
    actor = demo.site.actor(login)
    for form in forms.split():
        with demo.site.database.read() as session:
            oracle = Oracle(session, actor, form, demo)
        here = [row for row in demo.rows[form] if row.unit_path == actor.unit_path]
        seen = [row for row in here if oracle.sees(row)]
        assert 0 < len(seen) < len(here), form


def test_marketing_never_sees_a_clinical_field(demo: Demo) -> None:
    with demo.site.database.read() as session:
        role = published(session, "role", "marketing_manager").document
        for entry in entries(session, "form"):
            fields = shape_of(session, entry.key).form.fields.values()
            medical = [its.key for its in fields if its.sensitive == "medical"]
            for rule in role["forms"].get(entry.key, ()):
                told = rule.get("fields", {})
                open_ = [key for key in medical if told.get(key, told.get("*", "")) != "hidden"]
                assert not open_, f"{entry.key}: {open_}"
