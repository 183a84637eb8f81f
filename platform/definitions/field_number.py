"""Numbers: exact decimals with a declared scale, never floats."""

import re
from decimal import ROUND_HALF_UP, Decimal

from ..store.columns import LARGEST
from .faults import Fault
from .field_text import narrow

WRITTEN = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
GROUPED = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")


def read_number(value: object, scale: int) -> int | Decimal:
    """An int for scale 0, else a Decimal with exactly `scale` places.

    From JSON: a number without a fraction, or a text such as "-12.50". Floats are refused unless
    whole: their digits are not what the sender wrote.
    """
    if isinstance(value, bool):
        raise Fault("E_NOT_NUMBER")
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, int):
        exact = Decimal(value)
    elif isinstance(value, Decimal) and value.is_finite():
        exact = value
    elif isinstance(value, str) and WRITTEN.fullmatch(value):
        exact = Decimal(value)
    else:
        raise Fault("E_NOT_NUMBER")
    return _at_scale(exact, scale)


def _at_scale(exact: Decimal, scale: int) -> int | Decimal:
    if abs(exact) * 10**scale > LARGEST:
        raise Fault("E_NUMBER_SIZE")
    settled = exact.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    if settled != exact:
        raise Fault("E_SCALE", scale=scale)
    settled += 0  # no negative zero
    return int(settled) if scale == 0 else settled


def settle(value: int | Decimal, scale: int) -> int | Decimal:
    """A computed number in its field's scale, halves rounded away from zero."""
    exact = Decimal(value)
    if abs(exact) * 10**scale > LARGEST:
        raise Fault("E_NUMBER_SIZE")
    return _at_scale(exact.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP), scale)


def write_number(value: int | Decimal, scale: int) -> int | str:
    """An int for scale 0, else a text with exactly `scale` places."""
    return int(value) if scale == 0 else f"{Decimal(value):.{scale}f}"


def check_range(value: int | Decimal, least: object, most: object) -> None:
    """`least` and `most` are the field's own limits: numbers, texts or None."""
    if least is not None and value < Decimal(str(least)):
        raise Fault("E_TOO_SMALL", least=str(least))
    if most is not None and value > Decimal(str(most)):
        raise Fault("E_TOO_LARGE", most=str(most))


def bring_number(cell: object, scale: int, percent: bool = False) -> int | str:
    """The JSON of a cell: grouping commas, ¥ and 元 are dropped; 12.5% is a fraction of one."""
    if isinstance(cell, float):
        cell = format(cell, ".15g")  # what the spreadsheet shows, without its binary tail
    text = re.sub(r"\s", "", narrow(str(cell)))
    text = re.sub(r"^(-?)[¥￥]", r"\1", text).removesuffix("元").lstrip("+")
    share = percent and text.endswith("%")
    text = text.removesuffix("%") if share else text
    if GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if not WRITTEN.fullmatch(text):
        raise Fault("E_NOT_NUMBER")
    exact = Decimal(text).scaleb(-2) if share else Decimal(text)
    return write_number(_at_scale(exact, scale), scale)


def show_plain(value: int | Decimal, scale: int) -> str:
    """Without idle zeros: 12.5, not 12.50."""
    text = f"{Decimal(value):.{scale}f}"
    return text.rstrip("0").rstrip(".") if scale else text


def show_money(value: int | Decimal, scale: int) -> str:
    return f"{Decimal(value):,.{scale}f}"


def show_percent(value: int | Decimal, scale: int) -> str:
    return show_plain(Decimal(value).scaleb(2), max(scale - 2, 0)) + "%"
