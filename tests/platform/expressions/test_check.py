"""What the checker makes of a text: canonical form, type, fields read, errors with their place."""

import pytest
from formulas.world import scope

from careloom.platform.expressions import (
    ANY,
    BOOL,
    DATE,
    MONEY,
    NUMBER,
    TEXT,
    ExpressionError,
    Scope,
    check,
    list_of,
    parse,
    row,
)
from careloom.platform.expressions.errors import CODES, WARNINGS
from careloom.platform.expressions.functions import FUNCTIONS, function_named
from careloom.platform.expressions.messages import LANGUAGES, sentence, words


def refused(text: str, within: Scope | None = None) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        check(text, within or scope())
    return caught.value


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("如果（{年龄}＞＝18，“成年”，＂未成年＂）", 'IF(i>=18,"成年","未成年")'),
        ("sum( items.price ) * 0.9", "SUM( items.price ) * 0.9"),
        ("{会员等级}and p" if False else "NOT {会员等级}=“a”and p", 'NOT t="a"and p'),
        ("p 且 非 q", "p AND NOT q"),
        ("求和({明细}，{单价}＊qty)", "SUM(items,price*qty)"),
        ('t\u3000== “说"好"”', 't = "说""好"""'),
        ("i\n  ＋ 1", "i\n  + 1"),
        ("AVERAGE(1, 2) != 3", "AVG(1, 2) <> 3"),
    ],
)
def test_a_text_is_stored_in_english_with_keys(written: str, stored: str) -> None:
    once = check(written, scope()).text
    assert once == stored
    assert check(once, scope()).text == stored


def test_every_chinese_name_means_its_function() -> None:
    for function in FUNCTIONS.values():
        for alias in (function.name, function.name.lower(), *function.aliases):
            assert function_named(alias) is function


def test_the_fields_read_are_named_with_their_paths() -> None:
    typed = check("IF(customer.clinic.beds>i, SUM(items, price*parent.m), LEN(t))", scope())
    assert typed.names == {"customer", "i", "items", "m", "t"}
    assert ("customer", "clinic", "beds") in typed.reads
    assert ("items", "price") in typed.reads
    assert typed.functions == {"IF", "SUM", "LEN"}


def test_money_stays_money_where_it_is_still_money() -> None:
    for text in ("m+i", "m*2", "ROUND(m)", "SUM(items.price)", "IF(p, m, 1)", "m/2", "-m"):
        assert check(text, scope()).type.name == "money", text
    assert check("m/m", scope()).type == NUMBER


def test_a_place_takes_the_type_it_expects() -> None:
    assert check("i>1", scope(), BOOL).type == BOOL
    assert check("NULL", scope(), BOOL).type.name == "blank"
    assert check("m", scope(), NUMBER).type == MONEY
    assert check("tags", scope(), list_of(TEXT)).type.name == "list"
    assert check("i", scope(), ANY).type.name == "number"
    for text, wanted in (("i", BOOL), ("t", DATE), ("at", DATE), ("customer", row("unit"))):
        with pytest.raises(ExpressionError, match="E_EXPECT"):
            check(text, scope(), wanted)


def test_an_error_says_where_and_offers_the_nearest_name() -> None:
    error = refused("LEN(t)+ages", Scope(names={"age": NUMBER, "t": TEXT}))
    assert (error.start, error.end, error.line, error.column) == (7, 11, 1, 8)
    assert error.sentence("zh-CN") == "第 1 行第 8 列：找不到字段“ages”，是否指“age”？"
    assert error.sentence("en") == (
        "Line 1, column 8: there is no field “ages”; did you mean “age”?"
    )


def test_places_count_what_the_author_sees() -> None:
    error = refused("如果（p，\n  😀牙）")
    assert (error.code, error.line, error.column) == ("E_CHARACTER", 2, 3)
    error = refused("“全角，标点” & zz9")
    assert (error.start, error.column) == (10, 11)


def test_types_are_named_in_the_language_of_the_reader() -> None:
    error = refused("LEN(i)")
    assert error.sentence("zh-CN") == "第 1 行第 5 列：这里要文本，却是数字。"
    assert error.sentence("en") == "Line 1, column 5: text is needed here, but this is a number."
    assert refused("MIN(p)").sentence("zh-CN").startswith("第 1 行第 5 列：这里要数字或文本或")
    assert "多个文本" in refused("tags=t").sentence("zh-CN")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_function_and_type_has_words(language: str) -> None:
    known = words(language)
    wanted = {f"problem.{code}" for code in CODES} | {f"warning.{code}" for code in WARNINGS}
    wanted |= {f"function.{name}" for name in FUNCTIONS}
    wanted |= {f"function_group.{function.group}" for function in FUNCTIONS.values()}
    assert wanted <= known.keys()
    assert not [key for key in known if key.startswith("function.") and key not in wanted]
    assert "{" not in sentence("E_DIV0", {}, language)


def test_parsing_alone_knows_no_names() -> None:
    assert parse("nowhere + 1").place.end == 11
