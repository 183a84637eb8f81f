"""Questions made to harm or to learn too much: sorts, filters, searches, pages, ids of others.

T01–T05 and T07 at the doors, T15–T18, T22, T23, T25. What a reader may not see, the matrix asks.
"""

import re
import time
from typing import Any

import make
import pytest
from sqlalchemy import event

from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.store.errors import Invalid

from .clinic import LEAD, Clinic
from .unchanged import nothing_changes

SOON = 5.0  # seconds, on a busy machine


FORMULAS = [
    "''.__class__.__mro__[1].__subclasses__()",
    '"".__class__',
    "name.__class__ = 1",
    "customer.__class__.name = 1",
    "__import__('os').system('id')",
    '__import__("os").system("id")',
    "ｅｖａｌ(1)",
    "eval/**/(1)",
    "exec(name)",
    "lambda: 1",
    "(" * 10_000 + "1" + ")" * 10_000,
    "NOT " * 2_000 + "true",
    "1" + "+1" * 400_000,
    "2**(9**9) > 1",
    "POWER(9, POWER(9, 9)) > 1 AND " * 900 + "true",
    'REPEAT("a", 1000000000) = "a"',
    '"' + "x" * 1_000_000 + '" = name',
    "name = 'a' OR 1=1; DROP TABLE form_lead --",
    'name = "a" UNION SELECT password_hash FROM person',
    "(SELECT password_hash FROM person) = name",
    "password_hash = name",
    "_owner = 1",
    "person.password_hash = name",
    "owner.password_hash = name",
    "unit.code = name",
    "customer.customer.name = name",
    "nothing(name)",
    "name LIKE '%'",
    "name ~ '(a+)+$'",
    "pg_sleep(10) = 1",
    "load_extension(name) = 1",
    "name = \x00",
    "name =",
    "= name",
    "名字 = 1",
    "name = 1 AND",
    "{{ 7*7 }}",
    "${7*7} = 49",
    "spent > 0",
]


def test_t01_t02_t03_t20_a_formula_that_means_harm_is_refused_soon(
    clinic: Clinic, record_property: Any
) -> None:
    with nothing_changes(clinic.database):
        for text in FORMULAS:
            began = time.monotonic()
            answer = clinic.list(filter=text)
            where = text[:60].encode("unicode_escape")
            assert answer.status_code in (400, 413, 414, 422), (where, answer.text[:300])
            assert answer.json["code"].startswith("E_"), where
            assert time.monotonic() - began < SOON, where
            assert "Traceback" not in answer.text and "sqlalchemy" not in answer.text.lower()
    record_property("payloads", len(FORMULAS))


@pytest.mark.parametrize("word", ["x-value", "x-default", "x-visible", "x-required", "x-enabled"])
def test_t01_t02_no_form_is_published_with_such_a_formula(
    clinic: Clinic, word: str, record_property: Any
) -> None:
    texts = [text for text in FORMULAS if 0 < len(text) < 4_000]
    with nothing_changes(clinic.database):
        for text in texts:
            document = make.form("bad", {"a": make.field(), "b": make.field(**{word: text})})
            with pytest.raises(Invalid) as refusal:
                clinic.database.write(
                    lambda s, d=document: publish_document(s, SYSTEM, "form", d)  # type: ignore[misc]
                )
            paths = {problem.path for problem in refusal.value.problems}
            assert paths == {f"/properties/b/{word}"}, (text, refusal.value.problems)
    record_property("payloads", len(texts))


def test_t07_fields_that_wait_for_one_another_are_refused(clinic: Clinic) -> None:
    fields = {f"f{n}": make.field(x_value=f"f{(n + 1) % 3}") for n in range(3)}
    many = {f"f{n}": make.field(x_value=f"f{n + 1}") for n in range(250)} | {"f250": make.field()}
    with nothing_changes(clinic.database):
        for document, code in ((fields, "E_CYCLE"), (many, "E_COMPUTED")):
            with pytest.raises(Invalid) as refusal:
                make.publish(clinic.database, "form", make.form("bad", document))
            assert code in {problem.code for problem in refusal.value.problems}


QUOTES = [
    "name;drop table form_lead", "(case when 1=1 then name end)", "-(select 1)", "name desc",
    "name,password_hash", "_owner", "-_owner", "name'", 'name"', "name--", "name/**/", "name\x00",
    "1", "--name", "+name", "NAME", "lead.name", "customer.name", "name asc nulls first",
    "(select password_hash from person limit 1)", "pg_sleep(5)", "ʼ", "name ʼ--", "../name",
    "__class__", "constructor", "id_no", "tags", "", ",", "-", "name,,", "name,name'", "x" * 4000,
]  # fmt: skip


def test_t15_only_fields_sort(clinic: Clinic, record_property: Any) -> None:
    sent: list[str] = []

    def look(*args: Any) -> None:
        sent.append(args[2])

    engine = engine_of(clinic)
    with nothing_changes(clinic.database):
        event.listen(engine, "before_cursor_execute", look)
        for text in QUOTES:
            answer = clinic.list(sort=text)
            nothing = not text.strip(",") or text == "name,,"
            assert answer.status_code == (200 if nothing else 400), (text, answer.text)
        for text in QUOTES:
            answer = clinic.list(fields=text)
            assert answer.status_code in (200, 400), (text, answer.text)
            assert "values" not in answer.text or "password" not in answer.text
        event.remove(engine, "before_cursor_execute", look)
    assert sent
    for statement in sent:
        assert not re.search(r"\b(drop|pg_sleep)\b|select password_hash", statement.lower())
    record_property("payloads", 2 * len(QUOTES))


def engine_of(clinic: Clinic) -> Any:
    with clinic.database.read() as session:
        return session.get_bind().engine


LITERALS = [
    "' OR '1'='1", '" OR "1"="1', "'; DROP TABLE form_lead; --", "1' AND SLEEP(5)--", "\\", "\\'",
    "%", "_", "%%", "\\%", "ʼ OR 1=1", "`", "$1", ":name", "?", "{x}", "%s", "%(name)s",
    "*/", "/*", "0x27", "char(39)", "N''", "E'\\''", "$$", "$a$", "||", "a' || 'b", "Mine' --",
    "' UNION SELECT login FROM person --", "'; SELECT pg_sleep(9); --", "＇ OR 1=1", "🦷", "a\nb",
]  # fmt: skip


def test_t16_t17_text_is_only_ever_a_value(clinic: Clinic, record_property: Any) -> None:
    """As a search, as a text in a filter, as a value typed into the table's filters."""
    with nothing_changes(clinic.database):
        for text in LITERALS:
            written = '"' + text.replace('"', '""') + '"'
            for query in ({"q": text}, {"filter": f"name = {written}"}):
                answer = clinic.list(**query)
                assert answer.status_code in (200, 422), (text, answer.text)
                if answer.status_code == 200:
                    assert answer.json["total"] == 0, (text, query)
            held = clinic.list(filter=f"CONTAINS(name, {written})")
            assert held.status_code in (200, 422) and held.json.get("total", 0) == 0, text
    record_property("payloads", 3 * len(LITERALS))


def test_t17_long_questions_end_soon(clinic: Clinic, record_property: Any) -> None:
    many = ", ".join(f'"{n}"' for n in range(10_000))
    asked = [
        {"q": "x" * 1_000_000},
        {"q": "%" * 5_000},
        {"filter": f"name IN ({many})"},
        {"filter": " OR ".join(f'name = "{n}"' for n in range(2_000))},
        {"fields": ",".join(["name"] * 20_000)},
        {"sort": ",".join(["name"] * 5_000)},
        {"cursor": "A" * 1_000_000},
    ]
    for query in asked:
        began = time.monotonic()
        answer = clinic.list(**query)
        assert answer.status_code in (200, 400, 413, 414, 422), (list(query), answer.text[:200])
        assert time.monotonic() - began < SOON, list(query)
    record_property("payloads", len(asked))


KEYS = [
    "a'->>'b", '$.a"', "constructor'", "__proto__", "_id", "_owner", "Name", "1a", "a b", "a-b",
    "a.b", "нет", "x" * 41, "", "a\x00", "a;drop", "ａ",
]  # fmt: skip


def test_t18_no_key_is_more_than_a_key(clinic: Clinic, record_property: Any) -> None:
    """A field's, a form's, a role's, a list item's and a report dimension's."""
    with nothing_changes(clinic.database):
        for key in KEYS:
            documents = [
                ("form", make.form("bad", {key: make.field()})),
                ("form", make.form(key, {"a": make.field()})),
                ("role", make.role(key, {})),
                ("role", make.role("bad", {"lead": [make.rule("all", "read", **{key: "read"})]})),
                (
                    "list",
                    {
                        "format": 1,
                        "key": "bad",
                        "title": "Bad",
                        "items": [{"key": key, "title": "x"}],
                    },
                ),
            ]
            named_freely = key in ("Name", "1a", "a-b", "a.b")  # an option's code may be these
            for kind, document in documents:
                if kind == "list" and named_freely:
                    continue
                if refused(clinic, kind, document) is None:
                    raise AssertionError((key, kind, document))
            draft = make.form("bad", {key: make.field()})
            answer = clinic.ask(
                "PUT", "/api/definitions/form/bad/draft", "admin", json={"document": draft}
            )
            assert answer.status_code < 500, key
            clinic.ask("DELETE", "/api/definitions/form/bad/draft", "admin")
    record_property("payloads", 5 * len(KEYS))


def refused(clinic: Clinic, kind: str, document: make.Json) -> Invalid | None:
    try:
        make.publish(clinic.database, kind, document)
    except Invalid as refusal:
        return refusal
    return None


LIMITS = [
    "0",
    "-1",
    "201",
    "1e3",
    "1e9",
    "99999999999",
    "NaN",
    "",
    "１０",
    " 5",
    "5;",
    "0x5",
    "true",
]
CURSORS = [
    "x", "bm90IGpzb24", "WzFd", "e30", "é", "W1wiYVwiXQ.0", "WzFd.00000000000000000000000000000000",
    "A" * 5000, ".", "..", "WzldLg==.x", "null", "[9223372036854775808]",
]  # fmt: skip


def test_t22_pages_have_bounds_and_marks_are_ours(clinic: Clinic, record_property: Any) -> None:
    for text in LIMITS:
        assert clinic.list(limit=text).status_code == 400, text
    for text in CURSORS:
        assert clinic.list(cursor=text).status_code == 400, text
    assert clinic.list(offset="-1").status_code == 400
    visitor = clinic.site.visitor()
    assert visitor.sign_in("here").status_code == 303
    forged = ["WyJhIiwgMV0", "WzEsIDFd", "W3siZCI6ICIyMDI2LTAxLTAxIn0sIDFd", "W251bGwsIDFd"]
    forged += ["W3RydWUsIDFd", "WzkyMjMzNzIwMzY4NTQ3NzU4MDgsIDFd", "WyJhXHUwMDAwIiwgMV0"]
    for sort in ("age", "deal", "day", "at", "name", "agreed", "owner", "customer", "grade"):
        for text in [*CURSORS, *forged]:
            answer = visitor.get("/records/lead", query_string={"sort": sort, "cursor": text})
            assert answer.status_code < 500, (sort, text)
    record_property("payloads", len(LIMITS) + len(CURSORS) + 9 * len(CURSORS + forged))


@pytest.mark.parametrize("field", ["agreed", "age", "deal", "at", "clock", "owner", "grade"])
def test_t22_every_kind_of_field_is_walked_page_by_page(clinic: Clinic, field: str) -> None:
    values: dict[str, list[Any]] = {
        "agreed": [True, False],
        "age": [3, 40],
        "deal": ["10.00", "9.50"],
        "at": ["2026-01-02T03:04:05Z", "2026-01-01T00:00:00Z"],
        "clock": ["09:00", "08:59"],
        "owner": [str(clinic.here.person_id)],
        "grade": ["b", "a"],
    }
    for value in [*values[field], *values[field]]:
        sent = {"values": {"name": f"by {field}", field: value}}
        assert clinic.ask("POST", "/api/records/lead", json=sent).status_code == 201
    for sort in (field, f"-{field}"):
        query, seen = {"sort": sort, "limit": "1", "filter": f'name = "by {field}"'}, []
        while True:
            answer = clinic.list(**query)
            assert answer.status_code == 200, answer.text
            seen += [(item["id"], item["values"][field]) for item in answer.json["items"]]
            if answer.json["next"] is None:
                break
            query["cursor"] = answer.json["next"]
        assert len(set(seen)) == 2 * len(values[field]) == len(seen)


def test_t23_what_is_taken_elsewhere_is_told_no_otherwise_than_what_is_taken_here(
    clinic: Clinic,
) -> None:
    """The same words for a card of one's own branch and of another's: neither id nor name."""
    with nothing_changes(clinic.database):
        said = [
            clinic.ask("POST", "/api/records/lead", json={"values": {"name": "N", "card": card}})
            for card in ("C-1", "C-2")
        ]
    assert [answer.status_code for answer in said] == [422, 422]
    first, second = ({**answer.json, "detail": ""} for answer in said)
    assert first == second
    for secret in ("C-2", "Theirs", str(clinic.theirs), "19900000002", "B2"):
        assert secret not in said[1].text


def test_t25_what_belongs_to_another_branch_is_not_there(
    clinic: Clinic, record_property: Any
) -> None:
    theirs, b2 = clinic.theirs, str(clinic.site.at["B2"])
    path = f"/api/records/lead/{theirs}"
    match = {"If-Match": '"1"'}
    asked: list[tuple[str, str, dict[str, Any], set[int]]] = [
        ("GET", path, {}, {404}),
        ("GET", f"{path}/history", {}, {404}),
        ("PATCH", path, {"json": {"values": {"name": "x"}}, "headers": match}, {404}),
        ("DELETE", path, {"headers": match}, {404}),
        ("GET", f"/records/lead/{theirs}", {}, {401, 302, 404}),
        ("POST", "/api/records/lead", {"json": {"values": {"name": "x", "unit": b2}}}, {403}),
        ("POST", "/api/records/lead", {"json": {"values": {"name": "x"}, "unit": b2}}, {403}),
        (
            "PATCH",
            f"/api/records/lead/{clinic.mine}",
            {"json": {"values": {"unit": b2}}, "headers": match},
            {403},
        ),
        (
            "POST",
            "/api/records/lead",
            {"json": {"values": {"name": "x", "customer": str(clinic.their_customer)}}},
            {422},
        ),
        (
            "PATCH",
            f"/api/records/lead/{clinic.mine}",
            {"json": {"values": {"customer": str(clinic.their_customer)}}, "headers": match},
            {422},
        ),
        ("GET", f"/api/records/customer/{clinic.their_customer}", {}, {404}),
        ("GET", "/api/people", {}, {403}),
        ("GET", f"/api/people/{clinic.here.person_id}", {}, {403}),
        ("GET", "/api/definitions/form/lead", {}, {403}),
        ("GET", "/api/trail", {}, {403, 404}),
    ]
    with nothing_changes(clinic.database):
        for method, where, more, statuses in asked:
            answer = clinic.ask(method, where, **more)
            assert answer.status_code in statuses, (method, where, answer.text)
            assert "19900000002" not in answer.text and "Theirs" not in answer.text
    with nothing_changes(clinic.database):
        for at in ("0", "1", "9" * 18, str(2**63 - 1), str(2**63), "9" * 30, "-1", "1.5", "%00"):
            for where in (f"/api/records/lead/{at}", f"/records/lead/{at}", f"/tasks/{at}"):
                answer = clinic.ask("GET", where)
                assert answer.status_code in (400, 404, 405), (where, answer.status_code)
    record_property("payloads", len(asked) + 27)


def test_the_form_in_force_is_still_the_one_that_was_published(clinic: Clinic) -> None:
    answer = clinic.ask("GET", "/api/definitions/form/lead", "admin")
    assert answer.json["document"]["properties"].keys() == LEAD["properties"].keys()
