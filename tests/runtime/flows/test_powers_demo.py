"""The demo's builder publishes day by day; who may bring in no packs asks somebody for more."""

from copy import deepcopy
from typing import Any

from served import Site
from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.definitions.drafts import save_draft
from careloom.platform.definitions.kinds import KINDS
from careloom.platform.definitions.publish import judge_draft, publish, publish_document
from careloom.platform.definitions.published import published
from careloom.platform.events.model import Event
from careloom.platform.identity.actor import SYSTEM

KEY = "den_lead_followup"
IN_READERS_EYES = {"form", "list", "calendar", "report", "dashboard", "view", "printout"}


def drafted(site: Site, document: dict[str, Any]) -> list[str]:
    """Saved by the builder; where it goes beyond them."""
    ops = site.actor("ops")
    site.database.write(lambda session: save_draft(session, ops, "flow", KEY, document))
    with site.database.read() as session:
        return [problem.path for problem in judge_draft(session, ops, "flow", KEY).problems]


def put_in_force(site: Site, login: str) -> int:
    actor = site.actor(login)
    return site.database.write(lambda session: publish(session, actor, "flow", KEY)).version


def only_designs(site: Site) -> None:
    """The builder may bring in no packs from now on."""

    def deed(session: Session) -> None:
        role = dict(published(session, "role", "builder").document)
        role["rights"] = [right for right in role["rights"] if right != "packs.apply"]
        publish_document(session, SYSTEM, "role", role)

    site.database.write(deed)


def test_who_only_designs_moves_a_limit_and_asks_the_administrator_for_more(site: Site) -> None:
    only_designs(site)
    with site.database.read() as session:
        document = deepcopy(dict(published(session, "flow", KEY).document))
    places = {step["key"]: number for number, step in enumerate(document["steps"])}
    pool = document["steps"][places["pool"]]
    pool["limits"][0]["after"] = "20m"
    by_grade = {"key": "high", "when": 'grade = "A"', "steps": []}
    branch = {
        "key": "by_grade",
        "kind": "branch",
        "cases": [by_grade, {"key": "rest", "steps": []}],
    }
    document["steps"].insert(places["pool"], branch)
    assert drafted(site, document) == []
    assert put_in_force(site, "ops") == 2
    more = {"key": "copied", "action": "set", "values": {"demand": "customer.id_no"}}
    document["steps"][places["dedupe"]]["do"].append(more)
    at = f"/steps/{places['dedupe']}/do/{len(document['steps'][places['dedupe']]['do']) - 1}"
    assert drafted(site, document) == [f"{at}/values/demand"] * 2  # what is read, what is written
    assert put_in_force(site, "admin") == 3
    with site.database.read() as session:
        query = select(Event).where(Event.name == "definition:published").order_by(Event.id.desc())
        event = session.scalars(query).first()
        assert event is not None and event.actor_id == site.actor("admin").person_id
        assert event.data["authors"] == [str(site.actor("ops").person_id)]
        assert event.data["beyond"] == 2


def test_who_may_bring_in_a_pack_answers_for_a_draft_alone(site: Site) -> None:
    with site.database.read() as session:
        document = deepcopy(dict(published(session, "flow", KEY).document))
    more = {"key": "copied", "action": "set", "values": {"demand": "customer.id_no"}}
    next(step for step in document["steps"] if step["key"] == "dedupe")["do"].append(more)
    assert drafted(site, document) == [] and put_in_force(site, "ops") == 2


def test_every_other_kind_acts_in_its_readers_eyes(site: Site) -> None:
    """A new kind says what it does by itself (`powers`), or is named here."""
    assert {name for name, kind in KINDS.items() if kind.powers is None} == IN_READERS_EYES
    assert set(KINDS) - IN_READERS_EYES == {"flow", "role"}
