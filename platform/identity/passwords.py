"""Passwords: what is accepted, and argon2id. Slow on purpose, so never inside a `write`."""

import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from ..store.errors import Invalid, Problem
from .own_words import is_made_of

SHORTEST, LONGEST = 10, 128

# OWASP's smaller setting: 19 MiB, so that many sign-ins at once do not eat a small machine.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
_at_once = BoundedSemaphore(4)
#: what is typed in clinics and on keyboards; what leaked most often elsewhere
_LISTS = ("common_passwords.txt", "frequent_passwords.txt")


def plain(password: str) -> str:
    """The password as compared: NFKC, so that it does not hang on the keyboard's width."""
    return unicodedata.normalize("NFKC", password)


def faults(
    password: str, login: str, name: str = "", words: frozenset[str] = frozenset()
) -> Iterable[str]:
    """The codes of what is wrong with a new password. words: the clinic's own (`own_words`)."""
    text = plain(password)
    if not SHORTEST <= len(text) <= LONGEST:
        yield "E_PASSWORD_LENGTH"
    elif any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        yield "E_PASSWORD_LETTERS"
    elif _is_of(text.casefold(), login.casefold()) or text.casefold() == name.casefold():
        yield "E_PASSWORD_LOGIN"
    elif is_made_of(text.casefold(), words):
        yield "E_PASSWORD_HOUSE"
    elif _is_common(text):
        yield "E_PASSWORD_COMMON"


def require_sound(
    password: str, login: str, name: str = "", words: frozenset[str] = frozenset()
) -> None:
    """Raises Invalid at `/password` for a password that is not accepted."""
    found = [
        Problem("/password", code, {"shortest": SHORTEST, "longest": LONGEST})
        for code in faults(password, login, name, words)
    ]
    if found:
        raise Invalid(problems=found)


def hashed(password: str) -> str:
    """Its argon2id hash, with a salt of its own."""
    with _at_once:
        return _hasher.hash(plain(password))


def verified(password: str, known: str | None) -> bool:
    """Whether the password is the hashed one; without a hash just as slow, and False."""
    if len(password) > LONGEST * 4:
        password = ""  # nosec B105 # as good as none
    with _at_once:
        try:
            return _hasher.verify(known or _nobodys(), plain(password)) and known is not None
        except (VerificationError, InvalidHashError):
            return False


def outdated(known: str) -> bool:
    """Whether the hash was made with other settings than today's, and is to be made anew."""
    return _hasher.check_needs_rehash(known)


@cache
def _nobodys() -> str:
    """A hash to compare with when there is nobody, so that the answer takes as long."""
    return _hasher.hash("nobody has this password")


@cache
def _common() -> frozenset[str]:
    lines = [
        line
        for name in _LISTS
        for line in Path(__file__).with_name(name).read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    return frozenset(" ".join(lines).split())


def _is_of(text: str, login: str) -> bool:
    """The login, forwards or backwards, with nothing but digits and marks besides."""
    return bool(login) and any(
        word in text and not text.replace(word, "").strip("0123456789!@#$%^&*._- ")
        for word in (login, login[::-1])
    )


def _is_common(text: str) -> bool:
    """In the lists, with or without digits and marks behind; a run; or one thing repeated."""
    low = text.casefold()
    bare = low.rstrip("0123456789!@#$%^&*._- ")
    if low in _common() or bare in _common() or (not bare and _is_run(low)):
        return True
    return len(set(low)) < 4 or any(
        len(low) % size == 0 and low[:size] * (len(low) // size) == low for size in (1, 2, 3, 4, 5)
    )


def _is_run(digits: str) -> bool:
    """Digits that only count up or down, or stand still: 1234567890."""
    steps = {(ord(b) - ord(a)) % 10 for a, b in zip(digits, digits[1:], strict=False)}
    return len(steps) <= 1
