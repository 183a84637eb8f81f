"""The order in which a form's formulas are worked out."""

import pytest

from careloom.platform.definitions.formulas import Cycle, in_order


def test_in_order_puts_what_is_read_first_and_refuses_circles() -> None:
    assert in_order({"a": ["b", "x"], "b": ["c"], "c": []}) == ("c", "b", "a")
    assert in_order({"a": [], "b": []}) == ("a", "b")
    deep = {f"n{i}": [f"n{i + 1}"] for i in range(5000)}
    assert in_order(deep)[0] == "n4999"
    with pytest.raises(Cycle) as circle:
        in_order({"a": ["b"], "b": ["c"], "c": ["b"]})
    assert circle.value.fields == ("b", "c", "b")
