"""The one table of functions an author may call: names, Chinese names, arguments, result.

A function is either plain, with one or more signatures such as

    number, number=0 -> same: round

(argument types, a default after `=`, result type, operation), or has a rule of its own in
`forms.py` or `lists.py`, because it evaluates lazily or row by row. What an operation does
stands in `operations.py`. Words for people stand in the catalogues under `function.<NAME>`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any


class _Missing:
    """Marks an argument that has no default."""


MISSING = _Missing()

# Words an author may give for a unit of time, and the one that is stored.
DAY_UNITS = {
    "day": "day", "days": "day", "d": "day", "日": "day", "天": "day",
    "week": "week", "weeks": "week", "w": "week", "周": "week",
    "month": "month", "months": "month", "m": "month", "月": "month",
    "year": "year", "years": "year", "y": "year", "年": "year",
}  # fmt: skip
CLOCK_UNITS = {
    "minute": "minute", "minutes": "minute", "min": "minute", "分钟": "minute", "分": "minute",
    "hour": "hour", "hours": "hour", "h": "hour", "小时": "hour", "时": "hour",
}  # fmt: skip
SPAN_UNITS = {
    **CLOCK_UNITS,
    **{word: unit for word, unit in DAY_UNITS.items() if unit in ("day", "week")},
}
CHOICES: dict[str, dict[str, str]] = {
    "day_unit": DAY_UNITS,
    "moment_unit": {**CLOCK_UNITS, **DAY_UNITS},
    "span_unit": SPAN_UNITS,
}


@dataclass(frozen=True, slots=True)
class Param:
    """One argument: a type's name, a list of words (`CHOICES`) or a format; its default."""

    type: str
    default: Any = MISSING


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a plain function. Result "same" is the type of the first argument."""

    params: tuple[Param, ...]
    result: str
    op: str

    @property
    def least(self) -> int:
        """How many arguments must be given."""
        return sum(param.default is MISSING for param in self.params)


@dataclass(frozen=True, slots=True)
class Function:
    """An entry of the table; `rule` names the checker's own rule of a function that has one."""

    name: str
    group: str
    aliases: tuple[str, ...]
    rule: str | None = None
    signatures: tuple[Signature, ...] = ()


def _param(text: str) -> Param:
    name, _, default = text.strip().partition("=")
    if not default:
        return Param(name)
    return Param(name, default if default == "today" else Decimal(default))


def _signature(text: str) -> Signature:
    params, rest = text.split("->")
    result, op = rest.split(":")
    given = tuple(_param(part) for part in params.split(",")) if params.strip() else ()
    return Signature(given, result.strip(), op.strip())


def _plain(group: str, name: str, aliases: str, *signatures: str) -> Function:
    written = tuple(_signature(text) for text in signatures)
    return Function(name, group, tuple(aliases.split()), None, written)


def _own(group: str, name: str, aliases: str, rule: str) -> Function:
    return Function(name, group, tuple(aliases.split()), rule)


_ALL = (
    _own("logic", "IF", "如果", "if"),
    _own("logic", "IFS", "多条件", "ifs"),
    _own("logic", "SWITCH", "匹配", "switch"),
    _own("logic", "AND", "且 并且", "and"),
    _own("logic", "OR", "或 或者", "or"),
    _own("logic", "NOT", "非 不是", "not"),
    _own("logic", "IFBLANK", "空则 如果为空", "ifblank"),
    _own("logic", "ISBLANK", "为空 是否为空", "isblank"),
    _plain("number", "ROUND", "四舍五入", "number, number=0 -> same: round"),
    _plain("number", "ROUNDUP", "向上舍入", "number, number=0 -> same: round_up"),
    _plain("number", "ROUNDDOWN", "向下舍入", "number, number=0 -> same: round_down"),
    _plain("number", "ABS", "绝对值", "number -> same: abs"),
    _own("number", "MIN", "最小值", "min"),
    _own("number", "MAX", "最大值", "max"),
    _own("number", "SUM", "求和", "sum"),
    _own("number", "AVG", "平均值 AVERAGE", "avg"),
    _own("number", "COUNT", "计数", "count"),
    _plain("number", "MOD", "求余", "number, number -> number: mod"),
    _plain("number", "POWER", "乘幂", "number, number -> number: power"),
    _plain("number", "INT", "取整", "number -> number: int"),
    _plain("number", "VALUE", "转数字", "text -> number: value_of"),
    _plain("text", "LEN", "长度", "text -> number: len"),
    _plain("text", "LEFT", "左取", "text, number=1 -> text: left"),
    _plain("text", "RIGHT", "右取", "text, number=1 -> text: right"),
    _plain("text", "MID", "中取 截取", "text, number, number -> text: mid"),
    _plain("text", "UPPER", "大写", "text -> text: upper"),
    _plain("text", "LOWER", "小写", "text -> text: lower"),
    _plain("text", "TRIM", "去空格", "text -> text: trim"),
    _own("text", "CONCAT", "连接 拼接 CONCATENATE", "concat"),
    _own("text", "CONTAINS", "包含", "contains"),
    _plain("text", "STARTSWITH", "开头是", "text, text -> bool: starts_with"),
    _plain("text", "ENDSWITH", "结尾是", "text, text -> bool: ends_with"),
    _plain("text", "REPLACE", "替换", "text, text, text -> text: replace"),
    _own("text", "TEXT", "文本", "text"),
    _plain("text", "PHONE_MASK", "手机脱敏", "text -> text: phone_mask"),
    _plain("date", "TODAY", "今天", "-> date: today"),
    _plain("date", "NOW", "现在", "-> datetime: now"),
    _plain(
        "date", "DATE", "日期",
        "number, number, number -> date: date_of",
        "date -> date: same",
        "datetime -> date: day_of_moment",
        "text -> date: date_of_text",
    ),
    _plain("date", "YEAR", "年", "date -> number: year"),
    _plain("date", "MONTH", "月", "date -> number: month"),
    _plain("date", "DAY", "日", "date -> number: day"),
    _plain("date", "HOUR", "时", "datetime -> number: hour"),
    _plain("date", "MINUTE", "分", "datetime -> number: minute"),
    _plain("date", "WEEKDAY", "星期", "date, number=1 -> number: weekday"),
    _plain(
        "date", "DATEADD", "日期加",
        "date, number, day_unit -> date: date_add",
        "datetime, number, moment_unit -> datetime: moment_add",
    ),
    _plain(
        "date", "DATEDIF", "日期差",
        "date, date, day_unit -> number: date_diff",
        "datetime, datetime, moment_unit -> number: moment_diff",
    ),
    _plain("date", "EDATE", "月份加", "date, number -> date: edate"),
    _plain("date", "EOMONTH", "月末", "date, number=0 -> date: eomonth"),
    _plain("date", "WORKDAY", "工作日", "date, number -> date: workday"),
    _plain("date", "NETWORKDAYS", "工作日数", "date, date -> number: networkdays"),
    _plain("date", "AGE", "周岁 年龄", "date, date=today -> number: age"),
    _plain("date", "DURATION", "时长", "number, span_unit -> duration: duration"),
    _own("list", "IN", "属于", "in"),
    _own("list", "ANY", "任一", "any"),
    _own("list", "ALL", "全部", "all"),
    _own("list", "COUNTIF", "条件计数", "countif"),
    _own("list", "SUMIF", "条件求和", "sumif"),
    _own("list", "UNIQUE", "去重", "unique"),
    _own("list", "FIRST", "首个 第一个", "first"),
    _own("list", "LAST", "末个 最后一个", "last"),
    _plain("people", "ME", "我 当前用户", "-> person: me"),
    _plain("people", "MYORG", "我的机构 当前机构", "-> unit: myorg"),
    _plain("people", "HASROLE", "有角色", "text -> bool: has_role"),
    _own("look-up", "LOOKUP", "查找", "lookup"),
    _own("look-up", "RELATED", "关联记录", "related"),
)  # fmt: skip

FUNCTIONS: dict[str, Function] = {function.name: function for function in _ALL}
_BY_ANY_NAME: dict[str, Function] = {
    name: function for function in _ALL for name in (function.name, *function.aliases)
}

# Operators are functions too: the sign as parse names it.
OPERATORS: dict[str, tuple[Signature, ...]] = {
    "+": tuple(
        _signature(text)
        for text in (
            "number, number -> wider: add",
            "date, number -> date: add_days",
            "number, date -> date: days_add",
            "datetime, duration -> datetime: add_span",
            "duration, datetime -> datetime: span_add",
            "duration, duration -> duration: spans_add",
        )
    ),
    "-": tuple(
        _signature(text)
        for text in (
            "number, number -> wider: sub",
            "date, date -> number: days_between",
            "date, number -> date: sub_days",
            "datetime, datetime -> duration: span_between",
            "datetime, duration -> datetime: sub_span",
            "duration, duration -> duration: spans_sub",
        )
    ),
    "*": (_signature("number, number -> wider: mul"),),
    "/": (_signature("number, number -> ratio: div"),),
    "NEG": (_signature("number -> same: neg"), _signature("duration -> same: span_neg")),
    "POS": (_signature("number -> same: same"), _signature("duration -> same: same")),
}


def function_named(name: str) -> Function | None:
    """The function of this name in any letter case, or of this Chinese name."""
    return _BY_ANY_NAME.get(name) or _BY_ANY_NAME.get(name.upper())


def all_names() -> list[str]:
    """Every name and alias, for the nearest-name offer and the editor's completion."""
    return list(_BY_ANY_NAME)
