"""Logins, names and tokens that are no such thing."""

import make
import pytest

from careloom.platform.identity import access_tokens, people
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid, NotSignedIn


@pytest.mark.parametrize(
    "login",
    [
        "",
        "x",
        "system",
        "li na",
        "līna",
        "аdmin",
        "lina\u200b",
        "lina\u202e",
        "-lina",
        "x" * 65,
        "a\x00b",
    ],
)
def test_a_login_that_could_be_taken_for_another_is_refused(sqlite: Database, login: str) -> None:
    make.organisation(sqlite)
    with pytest.raises(Invalid) as refusal:
        make.person(sqlite, login, "B1")
    assert "E_LOGIN" in [problem.code for problem in refusal.value.problems]


@pytest.mark.parametrize("name", ["", "   ", "a\x00b", "a\ud800", "x" * 101, "a\u202eb"])
def test_a_name_nobody_can_read_is_refused(sqlite: Database, name: str) -> None:
    at = make.organisation(sqlite)
    with pytest.raises(Invalid):
        sqlite.write(lambda s: people.add_person(s, SYSTEM, "lina", name, at["B1"]))


@pytest.mark.parametrize("token", ["", "null", "clm_", "clm_0123456789ab_" + "A" * 43, "x" * 5000])
def test_a_token_nobody_issued_is_refused(sqlite: Database, token: str) -> None:
    with sqlite.read() as session, pytest.raises(NotSignedIn) as refusal:
        access_tokens.check(session, token)
    assert refusal.value.code == "E_TOKEN"
