"""The worked example FX1: ten leads of branch one, through the door; and two of branch two."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import make
import pytest
from sqlalchemy.orm import Session

from careloom.platform.definitions.kinds import register
from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.packs.apply import apply_pack
from careloom.platform.packs.read import read_pack
from careloom.platform.records.submit import submit
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database, open_database
from careloom.runtime.flows.check import FLOW
from careloom.runtime.forms.view_kind import VIEW
from careloom.runtime.printouts.check import PRINTOUT
from careloom.runtime.reports.check import REPORT
from careloom.runtime.reports.dashboard import DASHBOARD

CLINIC = Path(__file__).parents[3] / "blueprints" / "clinic"
NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
MILESTONES = ("contacted_at", "invited_at", "arrived_at", "consulted_at", "deal_at")
#: lead, channel, consultant, contacted, invited, arrived, consulted, deal, amount
LEADS = """\
L1  baidu_sem      C1 1 1 1 1 1 8800
L2  baidu_sem      C1 1 1 0 0 0 0
L3  baidu_sem      C2 1 0 0 0 0 0
L4  douyin         C2 1 1 1 1 0 0
L5  douyin         C2 0 0 0 0 0 0
L6  douyin         C1 1 1 1 1 1 1980
L7  meituan        C3 1 1 1 1 1 2980
L8  meituan        C3 1 1 1 0 0 0
L9  old_brings_new C3 1 1 1 1 1 6200
L10 old_brings_new C1 1 1 1 1 1 380"""


@dataclass(frozen=True)
class FX1:
    """The clinic with its people by login."""

    database: Database
    people: dict[str, Actor]
    at: dict[str, int]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fx1(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One database of each kind for the module, asked and never changed."""
    url = request.getfixturevalue(f"shared_{request.param}_url")
    database = open_database(url, tmp_path_factory.mktemp("home"), TurnedClock(NOW))
    yield found(database)
    database.close()


def found(database: Database) -> FX1:
    """The pack, the people and the leads."""
    for kind in (FLOW, REPORT, VIEW, DASHBOARD, PRINTOUT):
        register(kind)
    at = make.organisation(database)
    pack = read_pack(CLINIC)
    database.write(lambda session: apply_pack(session, SYSTEM, pack))
    roles = {
        "manager": ("B1", "clinic_manager"),
        "manager2": ("B2", "clinic_manager"),
        "group": ("G", "group_exec"),
        "doctor": ("B1", "receptionist"),
        **{login: ("B1", "online_consultant") for login in ("C1", "C2", "C3")},
    }
    people = {
        login: make.person(database, login, unit, role) for login, (unit, role) in roles.items()
    }
    clinic = FX1(database, people, at)
    database.write(lambda session: _leads(session, clinic))
    return clinic


def _leads(session: Session, clinic: FX1) -> None:
    friend = {
        "name": "介绍人",
        "mobile": "19900000999",
        "first_channel": "walk_in",
        "owner_channel": "walk_in",
        "first_touch_at": "2026-01-05T10:00:00+08:00",
    }
    referrer = submit(session, SYSTEM, "customer_profile", friend).id
    for number, line in enumerate(LEADS.splitlines(), 1):
        lead, channel, owner, *steps, amount = line.split()
        values: dict[str, Any] = {
            "external_id": lead,
            "channel": channel,
            "name": lead,
            "mobile": f"199000000{number:02d}",
            "received_at": f"2026-03-{number:02d}T0{number % 2 + 8}:30:00+08:00",
            "consent_privacy": True,
            "pack_kind": "dental",
            "project": ["den_scaling"],
            "target_clinic": str(clinic.at["B1"]),
            "owner": str(clinic.people[owner].person_id),
        }
        for field, reached in zip(MILESTONES, steps, strict=True):
            if reached == "1":
                # 9:14 of the day of receipt: 14 minutes after opening, or 44 after 8:30
                values[field] = f"2026-03-{number:02d}T09:14:00+08:00"
        if channel == "old_brings_new":
            values["referrer"] = str(referrer)
        if int(amount):
            values["deal_amount"] = amount
        submit(session, SYSTEM, "lead_intake", values)
    for number in (1, 2):
        far = {
            "external_id": f"M{number}",
            "channel": "douyin",
            "name": f"M{number}",
            # in Urumqi this is still the day, and the month, before
            "received_at": f"2026-03-0{number}T00:30:00+08:00",
            "consent_privacy": True,
            "pack_kind": "dental",
            "project": ["den_scaling"],
            "target_clinic": str(clinic.at["B2"]),
        }
        submit(session, SYSTEM, "lead_intake", far)


def seen_by(actor: Actor, **changed: Any) -> Actor:
    """Somebody, with something about them changed."""
    return replace(actor, **changed)
