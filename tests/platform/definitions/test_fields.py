"""Every field type: what is taken, what is refused and why, what a spreadsheet's cell becomes."""

import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careloom.platform.definitions.faults import Fault
from careloom.platform.definitions.fields import FIELD_TYPES, Field, settle
from careloom.platform.definitions.form import read_field
from careloom.platform.definitions.options import Options

SHANGHAI = ZoneInfo("Asia/Shanghai")
PEPPER = "😀牙"
CHANNELS = [
    {"key": "meituan", "title": {"zh-CN": "美团", "en": "Meituan"}},
    {"key": "baidu_seo", "title": {"zh-CN": "百度SEO", "en": "Baidu SEO"}},
    {"key": "walk_in", "title": {"zh-CN": "自然到店", "en": "Walk-in"}},
    {"key": "A", "title": {"zh-CN": "A 高意向(项目,时间、预算)", "en": "Hot"}},
]
FIXED = {"source": "fixed", "items": CHANNELS}


def field(widget: str, **schema: Any) -> Field:
    """A field of the widget, with lawful defaults."""
    kind = FIELD_TYPES[widget]
    schema = {"type": kind.json, "x-widget": widget, "x-title": "t", **schema}
    if kind.has_options:
        schema = {"x-options": FIXED, **schema}
    return read_field("f", schema)


AGE = field("number", type="integer", minimum=0, maximum=110)
WEIGHT = field("number", **{"x-scale": 2, "minimum": -1, "maximum": "999.5"})
SCORE = field("number", **{"x-scale": 6})
NOTE = field("text", minLength=2, maxLength=5)
FEW = field("choices", minItems=1, maxItems=2)

TAKEN = [
    ("text", " 王芳 ", "王芳"),
    ("text", "\u3000王芳\ufeff", "王芳"),
    ("text", "e\u0301", "é"),
    ("text", PEPPER, PEPPER),
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
    ("yesno", 1, "E_YESNO"),
    ("yesno", "true", "E_YESNO"),
    ("date", "2026-02-29", "E_DATE"),
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

CELLS = [
    ("text", 123.0, "123"),
    ("text", 12.5, "12.5"),
    ("text", " ", None),
    (AGE, "３４", 34),
    (AGE, 34.0, 34),
    (AGE, "34.0", 34),
    ("money", "¥1,234.50", "1234.50"),
    ("money", "￥1,234,567", "1234567.00"),
    ("money", "-¥5", "-5.00"),
    ("money", "300元", "300.00"),
    ("money", 0.1 + 0.2, "0.30"),
    ("percent", "12.5%", "0.1250"),
    ("percent", "0.125", "0.1250"),
    ("percent", "５％", "0.0500"),
    ("choice", "美团", "meituan"),
    ("choice", "MEITUAN", "meituan"),
    ("choice", "百度 ＳＥＯ", "baidu_seo"),
    ("choice", "baidu seo", "baidu_seo"),
    ("choice", "walk_in", "walk_in"),
    ("choices", "美团；自然到店", ["meituan", "walk_in"]),
    ("choices", "美团;Walk-in", ["meituan", "walk_in"]),
    ("choices", "美团、自然到店，百度SEO", ["meituan", "walk_in", "baidu_seo"]),
    ("choices", "美团, walk-in", ["meituan", "walk_in"]),
    ("choices", "美团\n自然到店", ["meituan", "walk_in"]),
    ("choices", "美团；美团；", ["meituan"]),
    ("choices", "A 高意向(项目,时间、预算)", ["A"]),
    ("choices", "A 高意向（项目,时间、预算）；美团", ["A", "meituan"]),
    ("yesno", "是", True),
    ("yesno", "已同意", True),
    ("yesno", "TRUE", True),
    ("yesno", "ｙｅｓ", True),
    ("yesno", 1.0, True),
    ("yesno", True, True),
    ("yesno", "√", True),
    ("yesno", "否", False),
    ("yesno", "未同意", False),
    ("yesno", "No", False),
    ("yesno", "0", False),
    ("yesno", False, False),
    ("date", "2026年3月5日", "2026-03-05"),
    ("date", "2026/3/5", "2026-03-05"),
    ("date", "2026.03.05", "2026-03-05"),
    ("date", "２０２６－３－５", "2026-03-05"),
    ("date", "20260305", "2026-03-05"),
    ("date", "46086", "2026-03-05"),
    ("date", 46086, "2026-03-05"),
    ("date", datetime(2026, 3, 5), "2026-03-05"),
    ("date", date(2026, 3, 5), "2026-03-05"),
    ("date", "2026/3/5 0:00:00", "2026-03-05"),
    ("time", "14:30", "14:30"),
    ("time", "下午2:30", "14:30"),
    ("time", "2:30 PM", "14:30"),
    ("time", "上午12:05", "00:05"),
    ("time", "14时30分", "14:30"),
    ("time", "14点", "14:00"),
    ("time", 0.5, "12:00"),
    ("time", time(9, 5), "09:05"),
    ("datetime", "2026年3月5日 14:30", "2026-03-05T06:30:00Z"),
    ("datetime", "2026/3/5 14:30", "2026-03-05T06:30:00Z"),
    ("datetime", "2026-03-05 14:30:59", "2026-03-05T06:30:59Z"),
    ("datetime", "2026-03-05T14:30:00+08:00", "2026-03-05T06:30:00Z"),
    ("datetime", "2026-03-05T06:30:00Z", "2026-03-05T06:30:00Z"),
    ("datetime", "2026年3月5日下午2点30分", "2026-03-05T06:30:00Z"),
    ("datetime", "2026-3-5", "2026-03-04T16:00:00Z"),
    ("datetime", 46086.604166666664, "2026-03-05T06:30:00Z"),
    ("datetime", datetime(2026, 3, 5, 14, 30), "2026-03-05T06:30:00Z"),
    ("datetime", "２０２６/３/５ １４：３０", "2026-03-05T06:30:00Z"),
    ("phone", 19900000001.0, "19900000001"),
    ("phone", "199 0000 0001", "199 0000 0001"),
    ("person", "123", "123"),
]

BAD_CELLS = [
    (AGE, "三十四", "E_NOT_NUMBER"),
    (AGE, "34岁", "E_NOT_NUMBER"),
    ("money", "1,23", "E_NOT_NUMBER"),
    ("money", "12%", "E_NOT_NUMBER"),
    ("money", "1.005", "E_SCALE"),
    ("choice", "美困", "E_OPTION"),
    ("choice", "", None),
    ("choices", "美团；抖音", "E_OPTION"),
    ("yesno", "待确认", "E_YESNO"),
    ("date", "3/5/2026", "E_DATE"),
    ("date", "2026-13-01", "E_DATE"),
    ("date", "26-3-5", "E_DATE"),
    ("date", "2026/3/5 14:30", "E_DATE"),
    ("date", "2026/3/555", "E_DATE"),
    ("time", "25:00", "E_TIME"),
    ("time", "1430", "E_TIME"),
    ("time", "下午14:30", "E_TIME"),
    ("datetime", "昨天下午", "E_DATETIME"),
    ("datetime", "2026/13/01 09:00", "E_DATETIME"),
    ("datetime", "2026-03-05 25:10", "E_DATETIME"),
    ("datetime", "2026-02-29", "E_DATETIME"),
    ("datetime", "2026-03-05 14", "E_DATETIME"),
    ("person", "王芳", "E_REFERENCE"),
]


def made(kind: str | Field) -> Field:
    return field(kind) if isinstance(kind, str) else kind


def name(row: object) -> str | None:
    return row.type.name if isinstance(row, Field) else None


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


@pytest.mark.parametrize(("kind", "cell", "hoped"), CELLS, ids=name)
def test_a_cell_becomes_json_that_is_taken(kind: str | Field, cell: object, hoped: object) -> None:
    brought = made(kind).bring(cell, zone=SHANGHAI)
    assert brought == hoped and type(brought) is type(hoped)
    made(kind).take(brought, zone=SHANGHAI)


@pytest.mark.parametrize(("kind", "cell", "code"), BAD_CELLS, ids=name)
def test_a_bad_cell_is_refused_with_its_code(
    kind: str | Field, cell: object, code: str | None
) -> None:
    if code is None:
        assert made(kind).bring(cell) is None
        return
    with pytest.raises(Fault) as refused:
        made(kind).take(made(kind).bring(cell, zone=SHANGHAI), zone=SHANGHAI)
    assert refused.value.code == code


def test_the_tables_hold_enough_values() -> None:
    assert len(TAKEN) + len(REFUSED) + len(CELLS) + len(BAD_CELLS) >= 240
    tried = {made(row[0]).type.name for row in (*TAKEN, *CELLS)}
    assert tried == set(FIELD_TYPES)


def test_an_unknown_option_offers_the_nearest_label() -> None:
    with pytest.raises(Fault) as refused:
        field("choice").bring("美困")
    assert refused.value.params == {"value": "美困", "nearest": "美团"}
    with pytest.raises(Fault) as refused:
        field("choice").bring("Meituen")
    assert refused.value.params["nearest"] == "Meituan"


def test_a_label_that_two_options_share_chooses_neither() -> None:
    options = Options({"a": "牙", "b": {"zh-CN": "牙", "en": "tooth"}})
    assert options.find("牙") is None
    assert options.find("tooth") == "b"
    assert options.find("a") == "a"


def test_a_unit_is_found_by_code_or_title() -> None:
    units = Options(
        {"7": {"zh-CN": "一区第1分院", "en": "Branch 1"}, "8": "二分院"}, {"7": ("R1-B01",)}
    )
    unit = field("unit")
    assert unit.bring("R1-B01", units) == "7"
    assert unit.bring("r1-b01", units) == "7"
    assert unit.bring("一区第1分院", units) == "7"
    assert unit.bring("Branch 1", units) == "7"
    with pytest.raises(Fault) as refused:
        unit.bring("三分院", units)
    assert refused.value.code == "E_NO_SUCH"
    assert unit.show(8, choices=units) == "二分院"


def test_a_value_is_shown_in_the_readers_language() -> None:
    assert field("choice").show("walk_in", "zh-CN") == "自然到店"
    assert field("choice").show("walk_in", "en") == "Walk-in"
    assert field("choices").show(["walk_in", "meituan"], "zh-CN") == "自然到店；美团"
    assert field("yesno").show(True, "zh-CN") == "是"
    assert field("yesno").show(False, "en") == "No"
    assert field("money").show(Decimal("1234.50")) == "1,234.50"
    assert field("percent").show(Decimal("0.1250")) == "12.5%"
    assert WEIGHT.show(Decimal("12.50")) == "12.5"
    moment = datetime(2026, 3, 5, 6, 30, tzinfo=UTC)
    assert field("datetime").show(moment, zone=SHANGHAI) == "2026-03-05 14:30"
    assert field("text").show(None) == ""


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


def comes_back(widget: Field, value: Any, language: str) -> None:
    """JSON and back is the same; what people see is read back as the same."""
    assert widget.take(widget.give(value), zone=SHANGHAI) == value
    shown = widget.show(value, language, zone=SHANGHAI)
    assert widget.take(widget.bring(shown, zone=SHANGHAI), zone=SHANGHAI) == value


languages = st.sampled_from(["zh-CN", "en"])
seconds = st.datetimes(datetime(1901, 1, 1), datetime(2199, 12, 30)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


@given(value=st.integers(-(10**17), 10**17), language=languages)
def test_every_number_comes_back(value: int, language: str) -> None:
    comes_back(field("number", type="integer"), value, language)
    comes_back(field("money"), Decimal(value).scaleb(-2), language)
    comes_back(field("percent"), Decimal(value).scaleb(-4), language)
    comes_back(SCORE, Decimal(value).scaleb(-6), language)


@given(value=st.dates(date(1900, 1, 1), date(2200, 12, 31)), language=languages)
def test_every_date_comes_back(value: date, language: str) -> None:
    comes_back(field("date"), value, language)


@given(value=seconds, language=languages)
def test_every_moment_comes_back(value: datetime, language: str) -> None:
    assert field("datetime").take(field("datetime").give(value)) == value
    local = value.astimezone(SHANGHAI)
    if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():  # not told twice
        comes_back(field("datetime"), value, language)


@given(value=st.times().map(lambda clock: clock.replace(microsecond=0)), language=languages)
def test_every_time_comes_back(value: time, language: str) -> None:
    comes_back(field("time"), value, language)


@given(
    keys=st.lists(st.sampled_from([item["key"] for item in CHANNELS]), min_size=1, unique=True),
    language=languages,
)
def test_every_choice_comes_back(keys: list[str], language: str) -> None:
    comes_back(field("choice"), keys[0], language)
    comes_back(field("choices"), keys, language)


@given(value=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), language=languages)
def test_every_phone_comes_back(value: str, language: str) -> None:
    comes_back(field("phone"), value, language)


@given(value=st.booleans(), language=languages)
def test_yes_and_no_come_back(value: bool, language: str) -> None:
    comes_back(field("yesno"), value, language)


@given(text=st.text(max_size=500))
def test_any_text_is_kept_clean_or_refused(text: str) -> None:
    try:
        taken = field("text").take(text)
    except Fault as refused:
        assert refused.code in ("E_TEXT", "E_TOO_LONG")
    else:
        assert taken is None or (taken == taken.strip() and field("text").take(taken) == taken)


@given(
    kind=st.sampled_from(sorted(FIELD_TYPES)),
    cell=st.one_of(
        st.text(max_size=40),
        st.floats(),
        st.integers(),
        st.booleans(),
        st.datetimes(),
        st.dates(),
        st.times(),
        st.none(),
    ),
)
def test_no_cell_does_worse_than_a_fault(kind: str, cell: object) -> None:
    widget = field(kind)
    try:
        widget.take(widget.bring(cell, zone=SHANGHAI), zone=SHANGHAI)
    except Fault as refused:
        assert refused.code.startswith("E_")


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
