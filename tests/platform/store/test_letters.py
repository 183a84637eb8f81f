"""Bytes as letters for addresses and commands."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careloom.platform.store.letters import spelled, unspelled


@given(st.binary(max_size=70))
def test_bytes_come_back_from_letters_that_any_address_takes(content: bytes) -> None:
    letters = spelled(content)
    assert re.fullmatch(r"[A-Za-z0-9_-]*", letters)
    assert unspelled(letters) == content


@pytest.mark.parametrize("letters", ["A", "AA==", "AB", "====", "a b", "a+/b", "é", "钥", "\ud800"])
def test_other_letters_are_refused(letters: str) -> None:
    with pytest.raises(ValueError):
        unspelled(letters)


@given(st.text("ABCDwxyz0189-_", max_size=12))
def test_no_two_letters_are_for_the_same_bytes(letters: str) -> None:
    try:
        assert spelled(unspelled(letters)) == letters
    except ValueError:
        return
