"""A large export over the API: asked for with a reason, allowed by somebody else, taken once."""

import csv
import io
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import make
import pytest
from openpyxl import load_workbook

from careloom.platform.identity import grants
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.people import disable
from careloom.platform.store.clock import TurnedClock

from .desk import REASON, Desk, said

ALL = {"form": "lead", "reason": REASON}


def asked(desk: Desk, **more: Any) -> str:
    """The id of a question of the clerk's."""
    got = desk.call(desk.clerk)("POST", "/api/exports", {**ALL, **more})
    assert got.status_code == 202, got.text
    return str(got.json["id"])


def allowed(desk: Desk, **more: Any) -> str:
    """The id of one that the head said yes to."""
    number = asked(desk, **more)
    got = desk.call(desk.head)("POST", f"/api/exports/{number}/allow", {})
    assert got.status_code == 200, got.text
    return number


def taken(desk: Desk, number: str) -> Any:
    return desk.call(desk.clerk)("POST", f"/api/exports/{number}/file", {})


def names(got: Any) -> list[str]:
    assert got.status_code == 200, got.text
    lines = csv.reader(io.StringIO(got.get_data().decode("utf-8-sig")))
    return sorted(line[0] for line in lines)[:-1]


def test_many_rows_leave_with_a_reason_and_another_persons_yes(either_desk: Desk) -> None:
    desk = either_desk
    clerk, head = desk.call(desk.clerk), desk.call(desk.head)
    refused = clerk("GET", "/api/records/lead/export")
    assert said(refused) == (403, "E_EXPORT_WANTS_YES")
    assert "3" in refused.json["detail"]
    got = clerk("POST", "/api/exports", {**ALL, "sort": "name"})
    assert got.status_code == 202 and got.json["state"] == "asked" and got.json["rows"] == 4
    assert got.headers["Location"] == f"/api/exports/{got.json['id']}"
    number = got.json["id"]
    waiting = head("GET", "/api/exports").json["items"]
    assert [(one["id"], one["may"], one["reason"]) for one in waiting] == [
        (number, ["answer"], REASON)
    ]
    assert waiting[0]["columns"] == {"name": "read", "mobile": "masked", "owner": "read"}
    yes = head("POST", f"/api/exports/{number}/allow", {"words": "Till Friday"})
    assert yes.json["state"] == "allowed" and yes.json["answered_by"]["name"] == "Head"
    assert clerk("GET", f"/api/exports/{number}").json["may"] == ["take"]
    got = taken(desk, number)
    assert names(got) == ["Ann", "Bob", "Cid", "Dan"]
    assert f"{number}.csv" in unquote(got.headers["Content-Disposition"])
    again = taken(desk, number)
    assert said(again) == (409, "E_EXPORT_NO_YES")
    after = clerk("GET", f"/api/exports/{number}").json
    assert (after["state"], after["taken"], after["may"]) == ("done", 4, [])
    assert [event.name for event in desk.events()] == [
        "export:asked",
        "export:allowed",
        "export:done",
    ]
    assert desk.events()[0].data == {"form": "lead", "rows": 4, "reason": REASON}
    (out,) = desk.events("records:exported")
    assert out.data == {"form": "lead", "rows": 4, "export": number}


def test_nobody_says_yes_to_their_own(desk: Desk) -> None:
    """Though they hold the right."""
    head = desk.call(desk.head)
    desk.database.write(
        lambda s: grants.give(s, SYSTEM, desk.clerk.person_id or 0, "head", desk.site.at["B1"])
    )
    number = head("POST", "/api/exports", ALL).json["id"]
    for answer in ("allow", "refuse"):
        got = head("POST", f"/api/exports/{number}/{answer}", {})
        assert said(got) == (403, "E_EXPORT_OWN")
    assert said(head("POST", f"/api/exports/{number}/file", {}))[1] == "E_EXPORT_NO_YES"
    assert desk.call(desk.clerk)("POST", f"/api/exports/{number}/allow", {}).status_code == 200


def test_who_may_say_yes_holds_the_right_where_the_records_come_from(desk: Desk) -> None:
    number = asked(desk)
    desk.site.role("reader", "trail.read")
    reader = desk.site.person("reader", "B1", "reader")
    other = desk.call(desk.other)
    assert other("GET", "/api/exports").json["items"] == []
    assert other("POST", f"/api/exports/{number}/allow", {}).status_code == 404
    got = desk.call(reader)("POST", f"/api/exports/{number}/allow", {})
    assert said(got) == (403, "E_NOT_ALLOWED")
    # who takes out what all branches have needs somebody above all of them
    desk.site.role("everywhere", lead=[make.rule("all", "read", "export")])
    at = desk.site.at["B1"]
    desk.database.write(
        lambda s: grants.give(s, SYSTEM, desk.clerk.person_id or 0, "everywhere", at)
    )
    assert desk.call(desk.head)("POST", f"/api/exports/{number}/allow", {}).status_code == 404
    chief = desk.site.person("chief", "G", "head")
    assert desk.call(chief)("POST", f"/api/exports/{number}/allow", {}).status_code == 200


def test_a_yes_is_for_the_question_that_was_asked(desk: Desk) -> None:
    """Its filter, order and kind are kept with it; the address of the file says nothing."""
    desk.leads("Amy", "Abe", "Ada")
    number = allowed(desk, filter='CONTAINS(name, "A")', sort="-name", format="xlsx")
    desk.leads("Eve")
    got = desk.call(desk.clerk)("POST", f"/api/exports/{number}/file?filter=true&format=csv", {})
    assert got.status_code == 400
    rows = list(load_workbook(io.BytesIO(taken(desk, number).get_data())).worksheets[0].values)
    assert [row[0] for row in rows] == ["Name", "Ann", "Amy", "Ada", "Abe"]


def test_a_yes_is_for_who_asked(desk: Desk) -> None:
    number = allowed(desk)
    got = desk.call(desk.head)("POST", f"/api/exports/{number}/file", {})
    assert got.status_code == 404
    desk.site.role("reader", "trail.read")
    reader = desk.site.person("reader", "B1", "reader", "clerk")
    got = desk.call(reader)("POST", f"/api/exports/{number}/file", {})
    assert got.status_code == 404
    assert names(taken(desk, number)) == ["Ann", "Bob", "Cid", "Dan"]


def test_a_yes_holds_for_a_day_and_a_question_for_a_week(desk: Desk, clock: TurnedClock) -> None:
    number = allowed(desk)
    unanswered = asked(desk)
    clock.turn(timedelta(hours=24))
    got = taken(desk, number)
    assert said(got) == (409, "E_EXPORT_NO_YES")
    states = {
        one["id"]: one["state"]
        for one in desk.call(desk.clerk)("GET", "/api/exports").json["items"]
    }
    assert states == {number: "lapsed", unanswered: "asked"}
    clock.turn(timedelta(days=6))
    got = desk.call(desk.head)("POST", f"/api/exports/{unanswered}/allow", {})
    assert said(got) == (409, "E_EXPORT_ANSWERED")
    assert desk.call(desk.head)("GET", "/api/exports").json["items"][-1]["state"] == "lapsed"


def test_a_no_is_told_and_is_the_end_of_it(desk: Desk) -> None:
    number = asked(desk)
    head = desk.call(desk.head)
    assert (
        head("POST", f"/api/exports/{number}/refuse", {"words": "Ask for fewer"}).status_code == 200
    )
    told = desk.call(desk.clerk)("GET", f"/api/exports/{number}").json
    assert (told["state"], told["words"], told["may"]) == ("refused", "Ask for fewer", [])
    assert said(head("POST", f"/api/exports/{number}/allow", {}))[1] == "E_EXPORT_ANSWERED"
    assert said(taken(desk, number))[1] == "E_EXPORT_NO_YES"
    assert [event.name for event in desk.events()] == ["export:asked", "export:refused"]
    got = head("POST", f"/api/exports/{allowed(desk)}/refuse", {})
    assert said(got) == (409, "E_EXPORT_ANSWERED")


def test_a_file_has_few_rows_more_than_there_were(desk: Desk) -> None:
    number = allowed(desk)
    desk.leads(*(f"New {one}" for one in range(20)))
    more = allowed(desk)
    desk.leads("One more")
    got = taken(desk, number)
    assert said(got) == (409, "E_EXPORT_GREW")
    assert desk.call(desk.clerk)("GET", f"/api/exports/{number}").json["state"] == "allowed"
    assert len(names(taken(desk, more))) == 25


def test_rights_are_judged_as_the_file_is_made(desk: Desk) -> None:
    """Who may see less by then takes less; who may see more asks again."""
    less, more, none = allowed(desk), allowed(desk), allowed(desk)
    rule = make.rule("branch", "read", "export", mobile="hidden", deal="hidden")
    desk.site.role("clerk", lead=[rule])
    header = taken(desk, less).get_data().decode("utf-8-sig").splitlines()[0]
    assert header == '"Name","Owner"'
    desk.site.role("clerk", lead=[make.rule("branch", "read", "export", deal="hidden")])
    got = taken(desk, more)
    assert said(got) == (409, "E_EXPORT_CHANGED")
    seen = make.rule("branch", "read", mobile="masked", deal="hidden")
    desk.site.role("clerk", lead=[seen])
    assert taken(desk, none).status_code == 403


def test_a_column_that_was_not_there_is_not_in_the_file(desk: Desk) -> None:
    number = allowed(desk)
    rule = make.rule("branch", "read", "export", mobile="masked")
    desk.site.role("clerk", lead=[rule])
    header = taken(desk, number).get_data().decode("utf-8-sig").splitlines()[0]
    assert header == '"Name","Mobile","Owner"'


def test_whoever_is_disabled_gets_no_answer(desk: Desk) -> None:
    number = asked(desk)
    desk.database.write(lambda s: disable(s, SYSTEM, desk.clerk.person_id or 0))
    head = desk.call(desk.head)
    assert head("GET", "/api/exports").json["items"] == []
    assert head("POST", f"/api/exports/{number}/allow", {}).status_code == 404


def test_where_nobody_else_may_say_yes_it_is_said(desk: Desk) -> None:
    """A house with one person: the setting, or `careloom export` at the server."""
    desk.database.write(lambda s: disable(s, SYSTEM, desk.head.person_id or 0))
    got = desk.call(desk.clerk)("POST", "/api/exports", ALL)
    assert said(got) == (409, "E_EXPORT_NOBODY")
    assert "careloom export" in got.json["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"form": "lead"}, 400),
        ({"form": "lead", "reason": ""}, 400),
        ({"form": "lead", "reason": "  \n "}, 422),
        ({"form": "lead", "reason": "a"}, 400),
        ({"form": "lead", "reason": "a" * 301}, 400),
        ({**ALL, "format": "exe"}, 400),
        ({**ALL, "filter": "nothing = 1"}, 422),
        ({**ALL, "filter": "name ="}, 422),
        ({**ALL, "sort": "nothing"}, 400),
        ({**ALL, "rows": 1}, 400),
        ({**ALL, "form": "nothing"}, 403),
    ],
)
def test_what_is_asked_wrongly_is_refused(desk: Desk, body: Any, status: int) -> None:
    got = desk.call(desk.clerk)("POST", "/api/exports", body)
    assert got.status_code == status, got.text
    assert desk.events() == []


def test_who_may_not_export_may_not_ask(desk: Desk) -> None:
    desk.site.role("viewer", lead=[make.rule("branch", "read")])
    viewer = desk.call(desk.site.person("viewer", "B1", "viewer"))
    assert viewer("POST", "/api/exports", ALL).status_code == 403
    assert desk.site.visitor().client.post("/api/exports", json=ALL).status_code == 401


def test_only_so_many_questions_wait_at_once(desk: Desk) -> None:
    for _ in range(10):
        asked(desk)
    got = desk.call(desk.clerk)("POST", "/api/exports", ALL)
    assert said(got) == (409, "E_EXPORT_MANY_ASKED")


def test_the_list_goes_on_page_by_page(desk: Desk) -> None:
    numbers = [asked(desk) for _ in range(3)]
    clerk = desk.call(desk.clerk)
    first = clerk("GET", "/api/exports?limit=2").json
    rest = clerk("GET", f"/api/exports?limit=2&cursor={first['next']}").json
    assert [one["id"] for one in (*first["items"], *rest["items"])] == numbers[::-1]
    assert rest["next"] is None
    assert clerk("GET", "/api/exports?cursor=1").status_code == 400


def test_the_same_request_again_asks_once(desk: Desk) -> None:
    clerk = desk.call(desk.clerk)
    first, again = (clerk("POST", "/api/exports", ALL, Idempotency_Key="k-1") for _ in range(2))
    assert first.json["id"] == again.json["id"]
    assert len(desk.events()) == 1
