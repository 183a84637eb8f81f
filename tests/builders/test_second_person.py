"""What a draft adds beyond its author's own rights is published by somebody else."""

import make
from sqlalchemy import select
from visitors import Caller, Site

from careloom.platform.definitions.powers import new_powers, told
from careloom.platform.events.model import Event
from careloom.platform.identity.model import Person
from careloom.platform.web.words import phrase

PLACE = "/api/definitions/role/nurse"
RIGHTS = ("definitions.read", "definitions.write", "definitions.publish", "trail.read")
ROLE = make.role("nurse", {"lead": [make.rule("branch", "read", "change", deal="read")]})


def somebody(site: Site, login: str, *rights: str, **forms: list[make.Json]) -> Caller:
    site.role(login, *RIGHTS, *rights, **forms)
    return Caller(site, site.token(site.person(login, "G", login)))


def test_what_goes_beyond_its_publisher_is_told_by_the_check_and_refused(site: Site) -> None:
    ops = somebody(site, "ops", lead=[make.rule("all", "read", deal="masked")])
    assert ops("PUT", f"{PLACE}/draft", ROLE).status_code == 200
    checked = ops("POST", f"{PLACE}/check").json["problems"]
    refused = ops("POST", f"{PLACE}/publish")
    assert refused.status_code == 422 and refused.json["problems"] == checked
    assert ops("GET", PLACE).status_code == 404
    assert {(each["path"], each["code"]) for each in checked} == {
        ("/forms/lead/0/actions", "E_BEYOND_PUBLISHER"),
        ("/forms/lead/0/fields/deal", "E_BEYOND_PUBLISHER"),
    }
    words = " ".join(each["message"] for each in checked)
    assert "change records of “lead”: records of the unit and below" in words
    assert "shows its people Deal of “lead” (Read only)" in words and "definitions.vouch" in words
    in_chinese = ops("POST", f"{PLACE}/check", Accept_Language="zh-CN").json["problems"]
    assert "修改“lead”的记录：本机构及下级的记录" in in_chinese[0]["message"]


def test_somebody_who_has_the_rights_publishes_what_another_drafted(site: Site) -> None:
    ops = somebody(site, "ops")
    head = somebody(site, "head", lead=[make.rule("all", "read", "change")])
    ops("PUT", f"{PLACE}/draft", ROLE)
    assert ops("POST", f"{PLACE}/publish").status_code == 422
    assert head("POST", f"{PLACE}/check").json["problems"] == []
    assert head("POST", f"{PLACE}/publish").json["version"] == 1
    assert published(site) == (["ops"], "head", 0)
    visitor = site.visitor()
    visitor.client.set_cookie("careloom_language", "en")
    visitor.sign_in("head")
    assert "role nurse version 1 was published; drafted by Ops" in visitor.get("/trail").text


def test_a_second_person_vouches_for_what_they_have_not_worked_on(site: Site) -> None:
    ops, also = (
        somebody(site, "ops", "definitions.vouch"),
        somebody(site, "also", "definitions.vouch"),
    )
    ops("PUT", f"{PLACE}/draft", ROLE)
    also("PUT", f"{PLACE}/draft", {**ROLE, "title": "Nurse"}, If_Match='"1"')
    for author in (ops, also):  # whoever saved any of it is no second person
        assert author("POST", f"{PLACE}/publish").status_code == 422
    third = somebody(site, "third", "definitions.vouch")
    checked = third("POST", f"{PLACE}/check").json
    assert checked["problems"] == []
    assert [each["code"] for each in checked["warnings"]] == ["E_BEYOND_ANSWERED"] * 2
    stale = third("POST", f"{PLACE}/publish", If_Match='"1"')
    assert stale.status_code == 412 and stale.json["current"]["revision"] == 2
    done = third("POST", f"{PLACE}/publish", If_Match='"2"').json
    assert (done["version"], done["warnings"]) == (1, checked["warnings"])
    assert published(site) == (["also", "ops"], "third", 2)
    ops("PUT", f"{PLACE}/draft", make.role("nurse", {}, ["people.write"]))
    assert also("POST", f"{PLACE}/publish").json["version"] == 2  # a new draft has new authors


def published(site: Site) -> tuple[list[str], str, int]:
    """Who wrote what was published last, who published it, and how much of it was vouched for."""
    with site.database.read() as session:
        query = select(Event).where(Event.name == "definition:published")
        event = session.scalars(query.order_by(Event.id.desc())).first()
        logins = {
            number: login for number, login in session.execute(select(Person.id, Person.login))
        }
        assert event is not None and event.actor_id is not None
        authors = sorted(logins[int(author)] for author in event.data["authors"])
        return authors, logins[event.actor_id], event.data["beyond"]


def test_powers_are_told_in_few_words(site: Site) -> None:
    document = make.role(
        "nurse", {"lead": [make.rule("all", "read", name="read", deal="masked")]}, ["a.b"]
    )
    with site.database.read() as session:
        lines = [
            phrase("en", part) for part in told(session, new_powers(session, "role", document))
        ]
    assert lines == [
        "It gives the right a.b",
        "It lets its people read records of “lead”: all records",
    ]
