"""What somebody may is kept for the epoch only where grants and units alone decide it."""

from datetime import timedelta

import make
import pytest
from sqlalchemy.orm import Session

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.permissions import access
from careloom.platform.records.lists import list_records, may_do
from careloom.platform.records.submit import change, submit
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.session import epoch

PATIENT = make.form("patient", {"name": make.field()}, x_label="name")
STAY = make.form(
    "stay",
    {"name": make.field(), "patient": make.link("patient"), "day": make.field("date")},
    x_label="name",
)
OF_TODAY = {"within": "branch", "from": {"form": "stay", "link": "patient"}}
FOLLOWS = {**make.rule("follows", "read"), "scope": {**OF_TODAY, "where": "day = TODAY()"}}
DATED = {**make.rule("dated", "read"), "scope": {"within": "branch", "where": "day = TODAY()"}}
PLAIN = make.rule("branch", "read")


@pytest.fixture
def at(database: Database) -> dict[str, int]:
    """The units' ids by code; both forms are published."""
    units = make.organisation(database)
    make.publish(database, "form", PATIENT)
    make.publish(database, "form", STAY)
    return units


def test_whom_a_record_of_another_form_leads_to_is_asked_anew(
    database: Database, at: dict[str, int], clock: TurnedClock
) -> None:
    make.publish(database, "role", make.role("nurse", {"patient": [FOLLOWS]}))
    nurse = make.person(database, "nurse", "B1", "nurse")

    def made(session: Session) -> list[int]:
        one, two = (submit(session, SYSTEM, "patient", {}, unit_id=at["B1"]).id for _ in "ab")
        today = {"patient": str(one), "day": "2026-03-03"}
        return [one, two, submit(session, SYSTEM, "stay", today, unit_id=at["B1"]).id]

    one, two, stay = database.write(made)
    epochs = set()

    def seen() -> list[int]:
        with database.read() as session:
            epochs.add(epoch(session))
            listed = [row.id for row in list_records(session, nurse, "patient").items]
            alone = [each for each in (one, two) if may_do(session, nurse, "patient", each, "read")]
            assert listed == alone
            return listed

    assert seen() == [one]
    database.write(lambda session: change(session, SYSTEM, "stay", stay, {"patient": str(two)}))
    assert seen() == [two]
    clock.turn(timedelta(days=1))
    assert seen() == []
    assert len(epochs) == 1, "nothing of this moves the epoch"


@pytest.mark.parametrize(
    ("rules", "lasts"), [([PLAIN], True), ([PLAIN, FOLLOWS], False), ([DATED, PLAIN], False)]
)
def test_only_what_grants_and_units_decide_is_kept(
    database: Database, at: dict[str, int], rules: list[make.Json], lasts: bool
) -> None:
    form = "stay" if DATED in rules else "patient"
    make.publish(database, "role", make.role("r", {form: rules}))
    me = make.person(database, "me", "B1", "r")
    found = []
    for _ in range(2):
        with database.read() as session:
            found.append(access(session, me, form))
    assert (found[0] is found[1]) == lasts


def test_what_is_kept_ends_with_a_role_and_is_anothers_no_more(
    database: Database, at: dict[str, int]
) -> None:
    make.publish(database, "role", make.role("r", {"patient": [PLAIN]}))
    me, her = (make.person(database, login, "B1", "r") for login in ("me", "her"))
    with database.read() as session:
        mine, hers = (access(session, actor, "patient") for actor in (me, her))
        assert (mine.actor, hers.actor) == (me, her)
        assert mine.may("read") and not mine.may("change")
    make.publish(database, "role", make.role("r", {"patient": [make.rule("all", "change")]}))
    with database.read() as session:
        now = access(session, me, "patient")
        assert now.may("change") and not now.may("read")
