"""Whatever is wrong with a value or a definition is said in both languages."""

import re
from pathlib import Path

import pytest

import careloom.platform.definitions
from careloom.platform.web.words import LANGUAGES, catalogue, knows

ROOM = Path(careloom.platform.definitions.__file__ or "").parent
CODES = sorted(
    {
        code
        for path in ROOM.glob("*.py")
        for code in re.findall(r'"(E_[A-Z0-9_]+)"', path.read_text("utf-8"))
    }
)


def test_there_are_codes_to_say() -> None:
    assert len(CODES) > 50


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_words_with_the_same_gaps_in_both_languages(code: str) -> None:
    gaps = []
    for language in LANGUAGES:
        assert knows(language, f"problem.{code}"), language
        gaps.append(set(re.findall(r"\{(\w+)\}", catalogue(language)[f"problem.{code}"])))
    assert gaps[0] == gaps[1]
