"""What was sent is read strictly, and what was done is done once."""

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from visitors import Site, Visitor

from careloom.platform.identity.model import AccessToken
from careloom.platform.store.errors import Malformed
from careloom.platform.web import idempotency
from careloom.platform.web.body import DEEPEST, strict_json
from careloom.platform.web.model import AnswerRow
from careloom.platform.web.routes import declaration_of

BAD = {
    "not json": (b"{a:1}", "E_JSON"),
    "nothing": (b"", "E_JSON"),
    "two": (b"{} {}", "E_JSON"),
    "a mark before it": (b"\xef\xbb\xbf{}", "E_JSON"),
    "utf-16": ('{"a":1}'.encode("utf-16"), "E_JSON_LETTERS"),
    "latin-1": (b'{"a":"\xe9"}', "E_JSON_LETTERS"),
    "a name twice": (b'{"a":1,"a":2}', "E_JSON_TWICE"),
    "a name twice inside": (b'{"a":[{"b":1,"b":1}]}', "E_JSON_TWICE"),
    "NaN": (b'{"a":NaN}', "E_JSON_NUMBER"),
    "Infinity": (b'{"a":-Infinity}', "E_JSON_NUMBER"),
    "1e400": (b'{"a":1e400}', "E_JSON_NUMBER"),
    "a long number": (b'{"a":' + b"9" * 5000 + b"}", "E_JSON_NUMBER"),
    "a long decimal": (b'{"a":0.' + b"9" * 5000 + b"}", "E_JSON_NUMBER"),
    "a lone surrogate": (b'{"a":"\\ud800"}', "E_JSON_LETTERS"),
    "NUL": (b'{"a":"x\\u0000y"}', "E_JSON_LETTERS"),
    "an escape": (b'{"a":"\\u001b[31m"}', "E_JSON_LETTERS"),
    "NUL in a name": (b'{"a\\u0000":1}', "E_JSON_LETTERS"),
    "deep": (b'{"a":' * (DEEPEST + 2) + b"1" + b"}" * (DEEPEST + 2), "E_JSON_DEEP"),
    "very deep": (b"[" * 100_000, "E_JSON_DEEP"),
    "a list": (b"[]", "E_JSON_OBJECT"),
    "a text": (b'"a"', "E_JSON_OBJECT"),
    "null": (b"null", "E_JSON_OBJECT"),
}


@pytest.fixture
def lina(site: Site) -> dict[str, str]:
    return site.token(site.person("lina", "G", "everything"))


def post(site: Site, path: str, headers: dict[str, str], **more: object):  # type: ignore[no-untyped-def]
    return site.visitor().client.post(path, headers=headers, **more)  # type: ignore[arg-type]


def test_what_json_allows_and_we_do_not_is_refused(site: Site, lina: dict[str, str]) -> None:
    for name, (data, code) in BAD.items():
        answer = post(site, "/api/trial/echo", lina, data=data, content_type="application/json")
        assert (answer.status_code, answer.json["code"]) == (400, code), name


@pytest.mark.parametrize("text", ["王丽娜", "𠮷🦷", "tab\tand\nline", "é", "e\u0301", "\u200bzero"])
def test_any_text_that_can_be_kept_comes_back_as_it_was(
    site: Site, lina: dict[str, str], text: str
) -> None:
    answer = post(site, "/api/trial/echo", lina, json={"a": text})
    assert answer.json == {"a": text}


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/html", ""],
)
def test_json_comes_as_json(site: Site, lina: dict[str, str], kind: str) -> None:
    answer = post(site, "/api/trial/echo", lina, data=b'{"a":1}', content_type=kind)
    assert answer.status_code in (400, 415)


def test_a_field_the_route_does_not_know_is_refused_by_name(
    site: Site, lina: dict[str, str]
) -> None:
    answer = post(site, "/api/trial/echo", lina, json={"a": 1, "is_admin": True})
    assert answer.status_code == 400
    assert answer.json["problems"][0]["path"] == "/is_admin"
    assert answer.json["problems"][0]["code"] == "E_UNKNOWN_FIELD"


@pytest.mark.parametrize(
    "extra",
    [{"is_admin": True}, {"rights": ["x"]}, {"id": "1"}, {"roles": ["r"]}, {"disabled_at": None}],
)
def test_nobody_is_added_with_more_than_the_form_asks(
    site: Site, lina: dict[str, str], extra: dict[str, object]
) -> None:
    sent = {"login": "new.one", "name": "New", "unit": str(site.at["B1"])}
    assert post(site, "/api/people", lina, json={**sent, **extra}).status_code == 400
    assert post(site, "/api/people", lina, json=sent).status_code == 201


def test_a_huge_body_is_refused_before_it_is_read(site: Site, lina: dict[str, str]) -> None:
    data = b'{"a":"' + b"x" * 3_000_000 + b'"}'
    answer = post(site, "/api/trial/echo", lina, data=data, content_type="application/json")
    assert answer.status_code == 413


def test_many_form_parts_are_refused(site: Site) -> None:
    visitor = site.visitor()
    fields = {f"f{n}": "x" for n in range(5000)}
    answer = visitor.client.post("/sign-in", data=fields, content_type="multipart/form-data")
    assert answer.status_code in (400, 413)


@pytest.mark.parametrize(
    "query",
    [
        "limit=1&limit=2",
        "limit=0",
        "limit=1000000000",
        "limit=-1",
        "limit=١",
        "limit=",
        "cursor=x",
        "cursor=bGluYQ.0000",
        "unknown=1",
        "q=%00",
        "q=a%00b",
    ],
)
def test_a_query_that_is_not_right_is_refused(site: Site, lina: dict[str, str], query: str) -> None:
    assert site.visitor().get(f"/api/people?{query}", headers=lina).status_code == 400


@pytest.mark.parametrize("path", ["/api/records/a%00b", "/api/people/%00", "/sign-in?next=%00"])
def test_an_address_with_nul_is_refused(site: Site, lina: dict[str, str], path: str) -> None:
    assert site.visitor().get(path, headers=lina).status_code in (400, 404)


def test_a_list_is_walked_page_by_page_and_each_mark_is_its_readers_own(
    site: Site, lina: dict[str, str]
) -> None:
    for n in range(5):
        site.person(f"person{n}")
    seen, address = [], "/api/people?limit=2"
    while address:
        page = site.visitor().get(address, headers=lina).json
        seen += [person["login"] for person in page["items"]]
        address = page["next"] and f"/api/people?limit=2&cursor={page['next']}"
    assert seen == ["lina", "person0", "person1", "person2", "person3", "person4"]
    mark = site.visitor().get("/api/people?limit=2", headers=lina).json["next"]
    other = site.token(site.person("other", "G", "everything"))
    assert site.visitor().get(f"/api/people?cursor={mark}", headers=other).status_code == 400


def test_strict_json_says_where() -> None:
    with pytest.raises(Malformed) as refusal:
        strict_json(b'{"a": {"b~/c": ["ok", "x\\u0000"]}}')
    assert refusal.value.problems[0].path == "/a/b~0~1c/1"


# --- once ------------------------------------------------------------------------------------


def keyed(visitor: Visitor, token: dict[str, str], path: str, key: str, body: object = None):  # type: ignore[no-untyped-def]
    headers = {**token, "Idempotency-Key": key}
    return visitor.client.post(path, json={} if body is None else body, headers=headers)


@pytest.mark.parametrize("path", ["/api/trial/count", "/api/trial/plain-count"])
def test_the_same_request_again_gets_the_first_answer(either_site: Site, path: str) -> None:
    site = either_site
    token = site.token(site.person("lina"))
    first = keyed(site.visitor(), token, path, "one")
    again = keyed(site.visitor(), token, path, "one")
    other = keyed(site.visitor(), token, path, "two")
    assert first.status_code == again.status_code
    assert first.json == again.json == {"n": 1}
    assert again.headers["Idempotent-Replayed"] == "true"
    assert other.json == {"n": 2}


def test_the_same_key_for_something_else_is_a_conflict(site: Site) -> None:
    token = site.token(site.person("lina"))
    keyed(site.visitor(), token, "/api/trial/count", "one", {"a": 1})
    for path, body in (("/api/trial/count", {"a": 2}), ("/api/trial/plain-count", {"a": 1})):
        answer = keyed(site.visitor(), token, path, "one", body)
        assert (answer.status_code, answer.json["code"]) == (409, "E_IDEMPOTENCY_OTHER")


def test_a_key_is_its_senders_own(site: Site) -> None:
    lina, ming = (site.token(site.person(login)) for login in ("lina", "ming"))
    assert keyed(site.visitor(), lina, "/api/trial/count", "one").json == {"n": 1}
    assert keyed(site.visitor(), ming, "/api/trial/count", "one").json == {"n": 2}


def test_a_key_is_forgotten_after_a_day(site: Site) -> None:
    lina = site.person("lina")
    token = site.token(lina)
    keyed(site.visitor(), token, "/api/trial/count", "one")
    site.database.clock.turn(timedelta(hours=25))  # type: ignore[attr-defined]
    assert keyed(site.visitor(), token, "/api/trial/count", "one").json == {"n": 2}


def test_many_at_once_are_done_once(either_site: Site) -> None:
    site = either_site
    token = site.token(site.person("lina"))
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: keyed(site.visitor(), token, "/api/trial/count", "one"), range(50))
        )
    assert {answer.status_code for answer in answers} == {201}
    # whoever was slower may have come as far as its answer, but what it did is undone
    assert len({json.dumps(answer.json) for answer in answers}) == 1
    with site.database.read() as session:
        assert session.scalar(select(func.count()).select_from(AnswerRow)) == 1


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("path", ["/api/trial/count", "/api/trial/plain-count"])
def test_an_answer_that_was_lost_is_not_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Killed after the deed: its answer stands with it, or it is said that the deed is done."""

    def killed(*_: object) -> None:
        raise Killed

    lina = site.person("lina")
    token = site.token(lina)
    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "_keep", killed)
        try:
            keyed(site.visitor(), token, path, "one")
        except Killed:
            pass
    again = keyed(site.visitor(), token, path, "one")
    site.database.clock.turn(timedelta(minutes=2))  # type: ignore[attr-defined]
    later = keyed(site.visitor(), token, path, "one")
    said = [answer.json.get("code", answer.json) for answer in (again, later)]
    if path == "/api/trial/count":
        assert said == [{"n": 1}, {"n": 1}]
    else:
        assert said == ["E_IDEMPOTENCY_BUSY", "E_IDEMPOTENCY_DONE"]
    assert keyed(site.visitor(), token, path, "two").json == {"n": 2}


def test_a_refused_request_takes_no_key(site: Site, lina: dict[str, str]) -> None:
    sent = {"login": "new.one", "name": "New", "unit": "404"}
    assert keyed(site.visitor(), lina, "/api/people", "one", sent).status_code == 404
    sent["unit"] = str(site.at["B1"])
    assert keyed(site.visitor(), lina, "/api/people", "one", sent).status_code == 201


@pytest.mark.parametrize("key", ["x" * 201, "with space", "中文"])
def test_a_key_that_is_none_is_refused(site: Site, lina: dict[str, str], key: str) -> None:
    answer = keyed(site.visitor(), lina, "/api/trial/count", key)
    assert answer.status_code == 400


def test_a_token_is_shown_once_and_never_kept(site: Site, lina: dict[str, str]) -> None:
    first = keyed(site.visitor(), lina, "/api/tokens", "one", {"title": "robot"})
    again = keyed(site.visitor(), lina, "/api/tokens", "one", {"title": "robot"})
    assert "token" in first.json and "token" not in again.json
    assert first.json["id"] == again.json["id"]
    with site.database.read() as session:
        kept = session.scalars(select(AnswerRow.body)).all()
        hashes = session.scalars(select(AccessToken.hash)).all()
    assert all(first.json["token"] not in text for text in [*kept, *hashes])


def test_a_page_keeps_no_answer_under_a_key(site: Site) -> None:
    """What a page shows once, a new token, is nowhere kept, and a key given to it does nothing."""
    site.person("lina")
    lina = site.visitor()
    lina.sign_in("lina")
    csrf, headers = lina.csrf("/me/tokens"), {"Idempotency-Key": "one"}
    sent = {"csrf": csrf, "title": "tool", "days": "30"}
    pages = [lina.client.post("/me/tokens", data=sent, headers=headers) for _ in range(2)]
    shown = [re.findall(r"clm_[\w-]{20,}", page.text) for page in pages]
    assert [page.status_code for page in pages] == [201, 201] and shown[0] and shown[1]
    assert shown[0] != shown[1], "each is a request of its own"
    with site.database.read() as session:
        assert session.scalar(select(func.count()).select_from(AnswerRow)) == 0


def test_nothing_secret_is_kept_with_a_key(site: Site) -> None:
    """Every API request that is sent or answered with a secret: it is not in the kept answers,
    and what was asked cannot be guessed from its hash."""
    boss, lin = site.person("boss", "G", "everything"), site.person("lin")
    token, visitor = site.token(boss), site.visitor()
    person, password = f"/api/people/{lin.person_id}", "a quite secret password"
    fresh = {"login": "new", "name": "New", "unit": str(site.at["B1"]), "password": password}
    asked: list[tuple[str, dict[str, str]]] = [
        ("/api/tokens", {"title": "tool"}),
        (f"{person}/invitation", {}),
        (f"{person}/password", {"password": password}),
        ("/api/people", fresh),
    ]
    answers = [keyed(visitor, token, path, path, body) for path, body in asked]
    secrets = [answers[0].json["token"], answers[1].json["url"].partition("token=")[2], password]
    with site.database.read() as session:
        kept = session.scalars(select(AnswerRow)).all()
    assert [answer.status_code for answer in answers] == [201, 201, 204, 201]
    assert len(kept) == len(asked) and all(row.status for row in kept)
    for row in kept:
        assert not any(secret in row.body + str(row.location) for secret in secrets)
    guessed = f"POST {person}/password?\n".encode() + json.dumps({"password": password}).encode()
    assert hashlib.sha256(guessed).hexdigest() not in {row.request for row in kept}


def test_every_answer_with_a_secret_says_what_is_kept_of_it(site: Site) -> None:
    """Routes whose answer is shown once are those the test above asks; a new one is added there."""
    declared = {
        rule.rule
        for rule in site.app.url_map.iter_rules()
        if (told := declaration_of(site.app.view_functions[rule.endpoint]))
        and "POST" in (rule.methods or ())
        and "Shown this once" in str(told.spec)
    }
    assert declared == {"/api/tokens", "/api/people/<id:person_id>/invitation"}


def test_a_refused_request_takes_no_key_when_its_sign_in_is_marked_as_used(site: Site) -> None:
    site.person("boss", "G", "everything")
    boss = site.visitor()
    boss.sign_in("boss")
    token = {"X-CSRF-Token": boss.csrf("/me")}
    site.database.clock.turn(timedelta(minutes=30))  # type: ignore[attr-defined]
    assert keyed(boss, token, "/api/definitions/form/none/check", "one").status_code == 404
    with site.database.read() as session:
        assert session.scalar(select(func.count()).select_from(AnswerRow)) == 0


def test_what_answers_nothing_answers_nothing_again(either_site: Site) -> None:
    """Disabling and the like: done once, with its answer in the same transaction."""
    site = either_site
    token = site.token(site.person("boss", "G", "everything"))
    lin = site.person("lin")
    for act in ("disable", "enable", "unlock", "sign-out"):
        path = f"/api/people/{lin.person_id}/{act}"
        first, again = (keyed(site.visitor(), token, path, act) for _ in range(2))
        assert (first.status_code, again.status_code, again.text) == (204, 204, "")
        assert again.headers["Idempotent-Replayed"] == "true"
