"""What a name is found by."""

import pytest

from careloom.platform.store.found_by import found_by


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("周女士", "周女"),
        ("周女士", "zhounv"),
        ("周女士", "zns"),
        ("曾小姐", "zengxiao"),
        ("曾小姐", "zxj"),
        ("曾小姐", "cengxiao"),
        ("John Smith", "n smi"),
        ("Ｖ王", "王"),
        ("李Amy", "liamy"),
    ],
)
def test_a_name_is_found_by_its_letters_pinyin_and_initials(name: str, typed: str) -> None:
    assert typed in (found_by(name) or "")


def test_what_is_read_as_it_is_written_stands_there_once() -> None:
    assert found_by("TP-20260303-0001") == "tp-20260303-0001"


def test_names_are_in_order_by_their_pinyin_and_then_by_their_letters() -> None:
    names = ["阿", "Amy", "宝", "曾", "方安", "范刚", "李Amy", "李二", "周", "州", "单", "TP-1"]
    assert sorted(names, key=lambda name: found_by(name) or "") == [
        *("阿", "Amy", "宝", "范刚", "方安", "李Amy", "李二", "单", "TP-1", "曾"),
        *sorted(("周", "州")),
    ]


def test_a_blank_name_is_found_by_nothing() -> None:
    assert found_by(None) is None and found_by("  ") is None


def test_many_readings_do_not_make_a_long_text() -> None:
    assert len(found_by("重" * 200) or "") < 200 + 16 * 40 * 6
