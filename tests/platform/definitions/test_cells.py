"""Cells of a spreadsheet: labels, dates and numbers as people write them, and back again."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_fields import AGE, CHANNELS, SCORE, SHANGHAI, WEIGHT, field, made, name

from careloom.platform.definitions.faults import Fault
from careloom.platform.definitions.fields import FIELD_TYPES, Field
from careloom.platform.definitions.options import Options

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
