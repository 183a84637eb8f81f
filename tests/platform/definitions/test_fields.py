"""Every field type: what is taken, what is refused and why."""

import math
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_fields import AGE, FEW, NOTE, PAIR, SCORE, SHANGHAI, WEIGHT, field, made, name

from careloom.platform.definitions.faults import Fault
from careloom.platform.definitions.fields import FIELD_TYPES, Field, settle

TAKEN = [
    ("text", " 王芳 ", "王芳"),
    ("text", "\u3000王芳\ufeff", "王芳"),
    ("text", "e\u0301", "é"),
    ("text", "😀牙", "😀牙"),
    ("text", "x" * 500, "x" * 500),
    ("text", "", None),
    ("text", "   ", None),
    ("text", "\u200b", None),
    ("text", None, None),
    ("longtext", "一\r\n二\r三", "一\n二\n三"),
    ("longtext", "a\tb", "a\tb"),
    (NOTE, "ab", "ab"),
    (NOTE, "😀牙牙牙牙", "😀牙牙牙牙"),
    (AGE, 0, 0),
    (AGE, 110, 110),
    (AGE, 34.0, 34),
    (AGE, "34", 34),
    (AGE, Decimal("34"), 34),
    (WEIGHT, "12.5", Decimal("12.50")),
    (WEIGHT, "-0", Decimal("0.00")),
    (WEIGHT, "999.50", Decimal("999.50")),
    (WEIGHT, 7, Decimal("7.00")),
    (WEIGHT, "1.5000", Decimal("1.50")),
    (SCORE, "0.000001", Decimal("0.000001")),
    ("money", "1234.5", Decimal("1234.50")),
    ("money", "-0.01", Decimal("-0.01")),
    ("money", "9999999999999999.99", Decimal("9999999999999999.99")),
    ("percent", "0.125", Decimal("0.1250")),
    ("choice", "meituan", "meituan"),
    ("choice", "A", "A"),
    ("choices", ["walk_in", "meituan"], ["walk_in", "meituan"]),
    ("choices", [], None),
    ("choices", "meituan", ["meituan"]),
    (FEW, ["A", "meituan"], ["A", "meituan"]),
    ("file", ["0" * 32, "f" * 32], ["0" * 32, "f" * 32]),
    ("file", ["0" * 32, "0" * 32], ["0" * 32]),
    ("image", [], None),
    ("image", ["0" * 32], ["0" * 32]),
    ("yesno", True, True),
    ("yesno", False, False),
    ("date", "2026-03-05", date(2026, 3, 5)),
    ("date", "2024-02-29", date(2024, 2, 29)),
    ("date", "1900-01-01", date(1900, 1, 1)),
    ("date", "2200-12-31", date(2200, 12, 31)),
    ("date", date(2026, 3, 5), date(2026, 3, 5)),
    ("time", "14:30", time(14, 30)),
    ("time", "00:00", time(0)),
    ("time", "23:59:59", time(23, 59, 59)),
    ("datetime", "2026-03-05T06:30:00Z", datetime(2026, 3, 5, 6, 30, tzinfo=UTC)),
    ("datetime", "2026-03-05T14:30", datetime(2026, 3, 5, 6, 30, tzinfo=UTC)),
    ("datetime", "2026-03-05 14:30:05", datetime(2026, 3, 5, 6, 30, 5, tzinfo=UTC)),
    ("datetime", "2026-03-05T14:30+08:00", datetime(2026, 3, 5, 6, 30, tzinfo=UTC)),
    ("datetime", "2026-03-05T14:30:00.25+0800", datetime(2026, 3, 5, 6, 30, 0, 250000, tzinfo=UTC)),
    ("datetime", "1988-07-01T12:00", datetime(1988, 7, 1, 3, 0, tzinfo=UTC)),  # summer time
    ("person", "123", 123),
    ("unit", "9223372036854775807", 2**63 - 1),
    ("link", 42, 42),
    ("phone", "19900000001", "19900000001"),
    ("phone", "+86 199-0000-0001", "19900000001"),
    ("phone", "0086 199 0000 0001", "19900000001"),
    ("phone", "8619900000001", "19900000001"),
    ("phone", "019900000001", "19900000001"),
    ("phone", "１９９０００００００１", "19900000001"),
    ("phone", "(199)0000—0001", "19900000001"),
    ("id_card", "11010519491231002X", "11010519491231002X"),
    ("id_card", "11010519491231002x", "11010519491231002X"),
    ("id_card", "440524 18800101 0014", "440524188001010014"),
    ("email", "Wang.Fang+x@Example.COM", "Wang.Fang+x@example.com"),
    ("email", "ａ@b.cn", "a@b.cn"),
    ("url", "https://example.com/a?b=1#c", "https://example.com/a?b=1#c"),
    ("url", "http://例子.测试/路径", "http://例子.测试/路径"),
    ("serial", "C2026000007", "C2026000007"),
]
REFUSED = [
    ("text", 5, "E_SHAPE"),
    ("text", ["a"], "E_SHAPE"),
    ("text", {"a": 1}, "E_SHAPE"),
    ("text", True, "E_SHAPE"),
    ("text", "a\x00b", "E_TEXT"),
    ("text", "a\nb", "E_TEXT"),
    ("text", "a\x1bb", "E_TEXT"),
    ("text", "a\x7fb", "E_TEXT"),
    ("text", "a\x85b", "E_TEXT"),
    ("text", "a\ud800b", "E_TEXT"),
    ("text", "x" * 501, "E_TOO_LONG"),
    ("longtext", "a\x0bb", "E_TEXT"),
    ("longtext", "x" * 20_001, "E_TOO_LONG"),
    (NOTE, "a", "E_TOO_SHORT"),
    (NOTE, "abcdef", "E_TOO_LONG"),
    (AGE, -1, "E_TOO_SMALL"),
    (AGE, 111, "E_TOO_LARGE"),
    (AGE, 3.5, "E_NOT_NUMBER"),
    (AGE, "3.5", "E_SCALE"),
    (AGE, True, "E_NOT_NUMBER"),
    (AGE, "abc", "E_NOT_NUMBER"),
    (AGE, "３", "E_NOT_NUMBER"),
    (AGE, 10**18, "E_NUMBER_SIZE"),
    (WEIGHT, 12.5, "E_NOT_NUMBER"),
    (WEIGHT, "12.345", "E_SCALE"),
    (WEIGHT, "1e3", "E_NOT_NUMBER"),
    (WEIGHT, "NaN", "E_NOT_NUMBER"),
    (WEIGHT, "Infinity", "E_NOT_NUMBER"),
    (WEIGHT, "1,000", "E_NOT_NUMBER"),
    (WEIGHT, "999.51", "E_TOO_LARGE"),
    (WEIGHT, math.nan, "E_NOT_NUMBER"),
    (WEIGHT, math.inf, "E_NOT_NUMBER"),
    (WEIGHT, Decimal("Infinity"), "E_NOT_NUMBER"),
    (WEIGHT, [1], "E_NOT_NUMBER"),
    ("money", "0.001", "E_SCALE"),
    ("money", "10000000000000000", "E_NUMBER_SIZE"),
    ("money", "9" * 31, "E_NOT_NUMBER"),
    ("choice", "美团", "E_OPTION"),
    ("choice", "meituan ", None),
    ("choice", "Meituan", "E_OPTION"),
    ("choice", 3, "E_SHAPE"),
    ("choice", ["meituan"], "E_SHAPE"),
    ("choices", ["meituan", "meituan"], "E_TWICE"),
    ("choices", ["meituan", "tiktok"], "E_OPTION"),
    ("choices", {"meituan": True}, "E_SHAPE"),
    ("choices", [3], "E_SHAPE"),
    (FEW, ["A", "meituan", "walk_in"], "E_MOST_CHOICES"),
    ("file", "0" * 32, "E_FILE_IDS"),
    ("file", ["/etc/passwd"], "E_FILE_IDS"),
    ("file", [{"filepath": "/etc/passwd"}], "E_FILE_IDS"),
    ("image", ["0" * 32 + "\n"], "E_FILE_IDS"),
    ("image", [f"{n:032x}" for n in range(21)], "E_FILES_MOST"),
    (PAIR, ["0" * 32], "E_FILES_LEAST"),
    ("yesno", 1, "E_YESNO"),
    ("yesno", "true", "E_YESNO"),
    ("date", "2026-02-29", "E_DATE"),
    ("date", "2100-02-29", "E_DATE"),
    ("datetime", "2016-12-31T23:59:60Z", "E_DATETIME"),  # a second that no clock of ours has
    ("date", "2026/03/05", "E_DATE"),
    ("date", "2026-3-5", "E_DATE"),
    ("date", "1899-12-31", "E_DATE"),
    ("date", "2201-01-01", "E_DATE"),
    ("date", "0000-00-00", "E_DATE"),
    ("date", "2026-03-05T00:00:00Z", "E_DATE"),
    ("date", "２０２６-03-05", "E_DATE"),
    ("date", 20260305, "E_DATE"),
    ("date", datetime(2026, 3, 5, tzinfo=UTC), "E_DATE"),
    ("time", "24:00", "E_TIME"),
    ("time", "1:30", "E_TIME"),
    ("time", "14:60", "E_TIME"),
    ("time", "14:30Z", "E_TIME"),
    ("time", time(14, 30, tzinfo=UTC), "E_TIME"),
    ("datetime", "2026-03-05", "E_DATETIME"),
    ("datetime", "2026-03-05T25:00", "E_DATETIME"),
    ("datetime", "2026-02-30T10:00", "E_DATETIME"),
    ("datetime", "2026-03-05T10:00+25:00", "E_DATETIME"),
    ("datetime", "1899-12-31T23:00", "E_DATETIME"),
    ("datetime", "2201-01-01T00:00", "E_DATETIME"),
    ("datetime", 1772692200, "E_DATETIME"),
    ("datetime", "昨天下午", "E_DATETIME"),
    ("person", "abc", "E_REFERENCE"),
    ("person", "0", "E_REFERENCE"),
    ("person", "-1", "E_REFERENCE"),
    ("person", "9223372036854775808", "E_REFERENCE"),
    ("person", "１２", "E_REFERENCE"),
    ("link", True, "E_REFERENCE"),
    ("link", 1.5, "E_REFERENCE"),
    ("unit", {"id": "1"}, "E_REFERENCE"),
    ("phone", "1990000000", "E_PHONE"),
    ("phone", "199000000011", "E_PHONE"),
    ("phone", "12900000001", "E_PHONE"),
    ("phone", "0571-87654321", "E_PHONE"),
    ("phone", "一九九零", "E_PHONE"),
    ("phone", "1990000000a", "E_PHONE"),
    ("phone", "1.99E+10", "E_PHONE_ROUNDED"),
    ("phone", "2E+10", "E_PHONE_ROUNDED"),
    ("phone", 19900000001, "E_SHAPE"),
    ("phone", "199000\x0000001", "E_TEXT"),
    ("id_card", "110105194912310021", "E_ID_CARD"),
    ("id_card", "11010519491331002X", "E_ID_CARD"),
    ("id_card", "110105491231002", "E_ID_CARD"),
    ("id_card", "1101051949123100XX", "E_ID_CARD"),
    ("id_card", "011105194912310023", "E_ID_CARD"),
    ("email", "a@b", "E_EMAIL"),
    ("email", "a..b@c.cn", "E_EMAIL"),
    ("email", ".a@c.cn", "E_EMAIL"),
    ("email", "a@-c.cn", "E_EMAIL"),
    ("email", "a b@c.cn", "E_EMAIL"),
    ("email", "a@c.cn\n", None),
    ("url", "javascript:alert(1)", "E_URL"),
    ("url", "data:text/html,x", "E_URL"),
    ("url", "//example.com", "E_URL"),
    ("url", "https://", "E_URL"),
    ("url", "https://a b.cn", "E_URL"),
    ("url", "https://user@bank.cn", "E_URL"),
    ("url", "http://[::1", "E_URL"),
    ("url", 'https://a.cn/"onload=', "E_URL"),
    ("serial", "x" * 41, "E_TOO_LONG"),
]


@pytest.mark.parametrize(("kind", "value", "hoped"), TAKEN, ids=name)
def test_a_good_value_is_taken(kind: str | Field, value: object, hoped: object) -> None:
    taken = made(kind).take(value, zone=SHANGHAI)
    assert taken == hoped and type(taken) is type(hoped)


@pytest.mark.parametrize(("kind", "value", "code"), REFUSED, ids=name)
def test_a_bad_value_is_refused_with_its_code(
    kind: str | Field, value: object, code: str | None
) -> None:
    if code is None:  # trimmed, it is good
        assert made(kind).take(value) == str(value).strip()
        return
    with pytest.raises(Fault) as refused:
        made(kind).take(value, zone=SHANGHAI)
    assert refused.value.code == code


def test_the_tables_hold_enough_values() -> None:
    assert len(TAKEN) + len(REFUSED) >= 150
    assert {made(row[0]).type.name for row in TAKEN} == set(FIELD_TYPES) - {"subform"}


def test_a_masked_phone_keeps_its_ends() -> None:
    assert field("phone").mask("19900000001") == "199****0001"
    assert "0519491231" not in field("id_card").mask("11010519491231002X")
    assert field("money").mask(Decimal("5.00")) == ""


def test_a_computed_number_is_rounded_half_up_to_its_field() -> None:
    assert settle(WEIGHT, Decimal("1.005"), UTC) == Decimal("1.01")
    assert settle(WEIGHT, Decimal("-1.005"), UTC) == Decimal("-1.01")
    assert settle(AGE, Decimal("2.5"), UTC) == 3
    assert settle(field("date"), datetime(2026, 3, 4, 16, 30, tzinfo=UTC), SHANGHAI) == date(
        2026, 3, 5
    )
    with pytest.raises(Fault) as refused:
        settle(WEIGHT, Decimal(10) ** 20, UTC)
    assert refused.value.code == "E_NUMBER_SIZE"


@given(text=st.text(max_size=500))
def test_any_text_is_kept_clean_or_refused(text: str) -> None:
    try:
        taken = field("text").take(text)
    except Fault as refused:
        assert refused.code in ("E_TEXT", "E_TOO_LONG")
    else:
        assert taken is None or (taken == taken.strip() and field("text").take(taken) == taken)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(kind=st.sampled_from(sorted(FIELD_TYPES)), value=json_values)
def test_no_json_does_worse_than_a_fault(kind: str, value: object) -> None:
    widget = field(kind)
    try:
        taken = widget.take(value, zone=SHANGHAI)
    except Fault as refused:
        assert refused.code.startswith("E_")
    else:
        assert widget.take(widget.give(taken), zone=SHANGHAI) == taken
