"""Whoever publishes a role gives by it nothing that they have not themselves everywhere."""

from collections.abc import Iterator

import make
import pytest

from careloom.platform.definitions.powers import beyond
from careloom.platform.identity.actor import actor_of
from careloom.platform.identity.roles import save_role
from careloom.platform.store.database import Database, open_database

OWN = make.role(
    "designer",
    {
        "lead": [
            make.rule(
                "all",
                "read",
                "change",
                **{"*": "read", "status": "write", "mobile": "masked", "secret": "hidden"},
            )
        ]
    },
    ["definitions.publish", "people.read"],
)
"""What the publisher may do."""
IN_FORCE = make.role(
    "nurse", {"lead": [make.rule("branch", "read", "retire", name="read", secret="masked")]}
)


@pytest.fixture(scope="module")
def database(
    shared_sqlite_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    opened = open_database(shared_sqlite_url, tmp_path_factory.mktemp("home"))
    make.organisation(opened)
    fields = {key: make.field() for key in ("name", "status", "mobile", "secret")}
    make.publish(opened, "form", make.form("lead", fields, ["name"]))
    make.publish(opened, "role", IN_FORCE)
    opened.write(lambda session: save_role(session, OWN, 1))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def publisher(database: Database) -> int:
    person_id = make.person(database, "ops", "G", "designer").person_id
    assert person_id is not None
    return person_id


def nurse(*rules: make.Json, rights: tuple[str, ...] = ()) -> make.Json:
    return make.role("nurse", {"lead": list(rules)} if rules else {}, rights)


def narrowed(where: str) -> make.Json:
    """Of the branch's records some are retired."""
    return make.rule("branch", "retire") | {"scope": {"within": "branch", "where": where}}


AT = "/forms/lead/0"
MASKED = {"mobile": "masked", "secret": "hidden"}


@pytest.mark.parametrize(
    ("document", "places"),
    [
        # what the publisher has
        (nurse(rights=("people.read",)), set()),
        (nurse(make.rule("branch", "read", **MASKED)), set()),
        (nurse(make.rule("all", "read", **MASKED)), set()),
        (nurse(make.rule("own", "change", **{"*": "read", "status": "write", **MASKED})), set()),
        # what is in force already, or less of it
        (IN_FORCE, set()),
        (nurse(make.rule("branch", "read", "retire", name="masked", **MASKED)), set()),
        (nurse(narrowed('name = "x"')), set()),
        # a right over the platform
        (nurse(rights=("people.read", "people.write")), {"/rights/1"}),
        (nurse(rights=("reports.read:*",)), {"/rights/0"}),
        # an action, by more records, by another scope
        (nurse(make.rule("own", "create")), {f"{AT}/actions"}),
        (nurse(make.rule("all", "retire")), {f"{AT}/actions"}),
        (nurse(make.rule("own", "retire")), {f"{AT}/actions"}),
        # a field: seen, seen whole, written, by the rule's default
        (
            nurse(make.rule("all", "read", mobile="masked", secret="masked")),
            {f"{AT}/fields/secret"},
        ),
        (nurse(make.rule("all", "read", mobile="read", secret="hidden")), {f"{AT}/fields/mobile"}),
        (nurse(make.rule("all", "read", **{"*": "read"})), {f"{AT}/fields"}),
        (
            nurse(make.rule("all", "change", name="write", **{"*": "hidden"})),
            {f"{AT}/fields/name"},
        ),
        # what a scope asks about tells of it
        (
            nurse(narrowed('secret = "x"')),
            {f"{AT}/scope/where"},
        ),
    ],
)  # fmt: skip
def test_a_role_gives_no_more_than_its_publisher_has(
    database: Database, publisher: int, document: make.Json, places: set[str]
) -> None:
    with database.read() as session:
        found = beyond(session, actor_of(session, publisher), "role", document)
    assert {problem.path for problem in found} == places
    assert {problem.code for problem in found} <= {"E_BEYOND_PUBLISHER"}
