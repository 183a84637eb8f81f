"""A value that is refused is refused on every way in, with the same code: T24; and T30, T75.

Ways: the deed, the change, POST and PATCH of the API, the import, the page.
"""

from collections.abc import Callable
from typing import Any

import pytest

from careloom.platform.records.bring import read_rows
from careloom.platform.records.lists import get
from careloom.platform.records.sheet import Sheet
from careloom.platform.records.submit import change, submit
from careloom.platform.store.errors import Refusal

from .clinic import Clinic
from .unchanged import nothing_changes

LONG = "9" * 40
#: field, values as JSON, the code; every one of them may stand in a file's cell as well
BAD: list[tuple[str, list[Any], str]] = [
    ("name", ["", " ", "\u3000", None], "E_REQUIRED"),
    ("name", ["x" * 21, "牙" * 21, "𠮷" * 21], "E_TOO_LONG"),
    ("name", ["a\nb", "a\tb"], "E_TEXT"),
    ("mobile", ["123", "19912345678x", "29912345678", "199123456789", "1" * 200], "E_PHONE"),
    ("mobile", ["1.99E+10"], "E_PHONE_ROUNDED"),
    ("age", ["-1", -1], "E_TOO_SMALL"),
    ("age", ["111", 111], "E_TOO_LARGE"),
    ("age", ["1.5", "0.1"], "E_SCALE"),
    ("age", ["NaN", "Infinity", "-inf", "1e2", LONG, "0x10", "1_0", "=1+1", True], "E_NOT_NUMBER"),
    ("age", ["9" * 19, 10**18], "E_NUMBER_SIZE"),
    ("deal", ["-0.01", "-1"], "E_TOO_SMALL"),
    ("deal", ["1.001", "0.005"], "E_SCALE"),
    ("deal", ["100000.01"], "E_RULE"),
    ("deal", ["1e-9", "1,00", "--1", "1.2.3", "½", "٣"], "E_NOT_NUMBER"),
    ("share", ["1.00001"], "E_SCALE"),
    ("day", ["2026-02-30", "1899-12-31", "2201-01-01", "tomorrow", "0000-00-00"], "E_DATE"),
    ("at", ["2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z", "never"], "E_DATETIME"),
    ("at", ["2026-01-01T00:00:00+99:99", "1899-01-01T00:00:00Z"], "E_DATETIME"),
    ("clock", ["24:00", "99:99", "noon", "12:60"], "E_TIME"),
    ("agreed", ["maybe", 2, "2"], "E_YESNO"),
    ("grade", ["zz", "a'--", 'a" OR "1"="1'], "E_OPTION"),
    ("tags", [["zz"], "zz", ["a", "zz"]], "E_OPTION"),
    ("mail", ["a@b", "a@@b.cn", "a b@c.cn", ".a@b.cn", "a@-b.cn"], "E_EMAIL"),
    ("mail", ["a@b.cn\r\nBcc: x@y.cn"], "E_TEXT"),
    ("web", ["javascript:alert(1)", "ftp://x.cn", "https://a@b.cn", "//x.cn"], "E_URL"),
    ("web", ["https://", "data:text/html,x", "https://x.cn/<b>"], "E_URL"),
    (
        "id_no",
        ["110101199003074478", "1" * 18, "11010119900307447", "11010119901307447X"],
        "E_ID_CARD",
    ),
    ("code", ["abc", "ABCD", "AB", "ABC1"], "E_PATTERN"),
    ("note", ["n" * 101], "E_TOO_LONG"),
    ("customer", ["12345", "1"], "E_LINK"),
    ("customer", ["x", "9" * 19, "1 OR 1=1", "-1", "0x1"], "E_REFERENCE"),
    ("card", ["C-2", " C-2 "], "E_UNIQUE"),
]
#: texts that no database keeps: the API's door refuses them before it looks at fields
UNKEPT = ["a\x00b", "\x1b[31m", "a\x7fb"]
#: wrong kinds of JSON, which a cell cannot hold
MISSHAPEN: list[tuple[str, list[Any], str]] = [
    ("name", [5, ["a"], {"a": 1}, True], "E_SHAPE"),
    ("mobile", [19912345678, ["19912345678"]], "E_SHAPE"),
    ("age", [1.5, [1], {}], "E_NOT_NUMBER"),
    ("deal", [1.1, [1], {"$gt": 0}], "E_NOT_NUMBER"),
    ("day", [20260101, {"y": 2026}], "E_DATE"),
    ("grade", [["a"], 1, {"$ne": ""}], "E_SHAPE"),
    ("tags", [[1], {"a": 1}, "a,b"], ""),
    ("tags", [["a", "a"]], "E_TWICE"),
    ("owner", ["999"], "E_LINK"),
    ("owner", ["x", [1], LONG, "-1", 1.5], "E_REFERENCE"),
    ("customer", [{"id": 1}, [1]], "E_REFERENCE"),
]


def told(refusal: Refusal) -> dict[str, str]:
    return {problem.path.removeprefix("/"): problem.code for problem in refusal.problems}


def refused(deed: Callable[[], Any]) -> dict[str, str]:
    with pytest.raises(Refusal) as refusal:
        deed()
    return told(refusal.value)


def by_deed(clinic: Clinic, field: str, value: Any) -> dict[str, str]:
    given = {"name": "Ok", field: value}
    return refused(lambda: clinic.database.write(lambda s: submit(s, clinic.here, "lead", given)))


def by_change(clinic: Clinic, field: str, value: Any) -> dict[str, str]:
    given = {field: value}
    return refused(
        lambda: clinic.database.write(lambda s: change(s, clinic.here, "lead", clinic.mine, given))
    )


def by_post(clinic: Clinic, field: str, value: Any) -> dict[str, str]:
    sent = {"values": {"name": "Ok", field: value}}
    return answered(clinic.ask("POST", "/api/records/lead", json=sent))


def by_patch(clinic: Clinic, field: str, value: Any) -> dict[str, str]:
    path = f"/api/records/lead/{clinic.mine}"
    sent = {"values": {field: value}}
    return answered(clinic.ask("PATCH", path, json=sent, headers={"If-Match": '"1"'}))


def answered(answer: Any) -> dict[str, str]:
    assert answer.status_code in (400, 422), answer.text
    return {p["path"].rpartition("/")[2]: p["code"] for p in answer.json["problems"]}


def by_file(clinic: Clinic, field: str, value: Any) -> dict[str, str]:
    headers = list(dict.fromkeys(["name", field]))
    cells = [value if header == field else "Ok" for header in headers]
    with clinic.database.read() as session:
        read = read_rows(session, clinic.here, "lead", Sheet(headers, [(2, cells)]))
    assert (read.rows, read.bad, read.good) == (1, 1, [])
    return {problem.column: problem.code for problem in read.problems}


JSON_WAYS = {"deed": by_deed, "change": by_change, "POST": by_post, "PATCH": by_patch}
WAYS = {**JSON_WAYS, "import": by_file}


@pytest.mark.parametrize("way", WAYS)
def test_t24_a_bad_value_is_refused_on_every_way_in_alike(
    clinic: Clinic, way: str, record_property: Any
) -> None:
    count = 0
    with nothing_changes(clinic.database):
        for field, values, code in BAD:
            for value in values:
                assert WAYS[way](clinic, field, value) == {field: code}, (field, value)
                count += 1
    record_property("payloads", count)


@pytest.mark.parametrize("way", JSON_WAYS)
def test_t24_json_of_the_wrong_kind_is_refused_alike(
    clinic: Clinic, way: str, record_property: Any
) -> None:
    count = 0
    with nothing_changes(clinic.database):
        for field, values, code in MISSHAPEN:
            for value in values:
                found = JSON_WAYS[way](clinic, field, value)
                assert set(found) == {field} and code in (found[field], ""), (field, value, found)
                count += 1
    record_property("payloads", count)


@pytest.mark.parametrize("way", WAYS)
def test_t75_what_no_database_keeps_is_refused(
    clinic: Clinic, way: str, record_property: Any
) -> None:
    code = "E_JSON_LETTERS" if way in ("POST", "PATCH") else "E_TEXT"
    texts = [*UNKEPT, "\ud800", "x\udfff"]
    with nothing_changes(clinic.database):
        for field in ("name", "note"):
            for text in texts:
                assert WAYS[way](clinic, field, text) == {field: code}, (field, text)
    record_property("payloads", 2 * len(texts))


STRANGE = [
    "e\u0301",
    "é",
    "𠮷田",
    "\u202eabc",
    "a\u200bb",
    "王\ufe0f",
    "{{7*7}}",
    "=1+1",
    "<b>",
    "ﬁ",
]


def test_t75_a_name_is_kept_as_it_is_written_but_in_one_normal_form(clinic: Clinic) -> None:
    """NFC, so that what looks alike is alike; nothing is run, nothing is lost."""
    for text in STRANGE:
        made = clinic.ask("POST", "/api/records/lead", json={"values": {"name": text}})
        assert made.status_code == 201, (text, made.text)
        kept = made.json["values"]["name"]
        assert kept == ("é" if text == "e\u0301" else text)
        again = clinic.ask("GET", f"/api/records/lead/{made.json['id']}")
        assert again.json["values"]["name"] == kept
    found = clinic.list(filter='name = "é"').json
    assert found["total"] == 2


SYSTEM_FIELDS = [
    "_id", "_owner", "_unit", "_state", "_revision", "_created_by", "id", "revision", "created_by",
    "tenant_id", "is_admin", "role_ids", "password_hash", "__proto__", "constructor", "__class__",
    "name'", 'name"', "name--", "NAME", "nаme", "name ", "$.name", "a'->>'b", "", "x" * 300,
]  # fmt: skip


@pytest.mark.parametrize("way", JSON_WAYS)
def test_t18_t30_a_field_that_the_form_has_not_is_refused_by_name(
    clinic: Clinic, way: str, record_property: Any
) -> None:
    with nothing_changes(clinic.database):
        for name in SYSTEM_FIELDS:
            found = JSON_WAYS[way](clinic, name, "1")
            assert set(found.values()) == {"E_UNKNOWN_FIELD"}, (name, found)
    record_property("payloads", len(SYSTEM_FIELDS))


def test_t18_t30_a_column_that_the_form_has_not_is_refused(clinic: Clinic) -> None:
    for name in SYSTEM_FIELDS:
        if name.strip().lower() in ("name", ""):
            continue  # found as the label it is; a column without a header is left out
        with pytest.raises(Refusal) as refusal, clinic.database.read() as session:
            read_rows(session, clinic.here, "lead", Sheet(["name", name], [(2, ["Ok", "1"])]))
        assert refusal.value.code == "E_HEADER", name


def test_t30_what_goes_with_a_record_cannot_be_given_with_it(clinic: Clinic) -> None:
    beside = ["owner", "id", "revision", "state", "created_by", "tenant_id", "version"]
    with nothing_changes(clinic.database):
        for name in beside:
            sent = {"values": {"name": "Ok"}, name: "1"}
            answer = clinic.ask("POST", "/api/records/lead", json=sent)
            assert answer.status_code == 400, name
            assert answer.json["problems"][0]["code"] == "E_UNKNOWN_FIELD"
    with clinic.database.read() as session:
        assert get(session, clinic.here, "lead", clinic.mine).revision == 1
