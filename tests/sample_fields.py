"""Fields of every type for the tests of definitions, with lawful defaults."""

from typing import Any
from zoneinfo import ZoneInfo

from careloom.platform.definitions.fields import FIELD_TYPES, Field
from careloom.platform.definitions.form import read_field

SHANGHAI = ZoneInfo("Asia/Shanghai")
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
    if kind.storage == "rows":
        plain = {"type": "string", "x-widget": "text", "x-title": "a"}
        schema = {"items": {"properties": {"a": plain}, "x-layout": ["a"]}, **schema}
    return read_field("f", schema)


AGE = field("number", type="integer", minimum=0, maximum=110)
WEIGHT = field("number", **{"x-scale": 2, "minimum": -1, "maximum": "999.5"})
SCORE = field("number", **{"x-scale": 6})
NOTE = field("text", minLength=2, maxLength=5)
FEW = field("choices", minItems=1, maxItems=2)
PAIR = field("image", minItems=2, maxItems=2)


def made(kind: str | Field) -> Field:
    """A row of a test's table names a field type or brings a field."""
    return field(kind) if isinstance(kind, str) else kind


def name(row: object) -> str | None:
    """How a row of a test's table is called."""
    return row.type.name if isinstance(row, Field) else None
