"""Codes of authenticator apps (RFC 6238): six digits out of HMAC-SHA-1 over the half minute.

SHA-1 because the apps people have know nothing else; what breaks it as a digest (collisions) does
not touch it here.
"""

import base64
import hmac
import secrets
import unicodedata
from datetime import datetime
from urllib.parse import quote, urlencode

PERIOD = 30  # seconds; a step
DIGITS = 6
DRIFT = 1  # steps by which a telephone's clock may be off, either way


def new_secret() -> str:
    """160 random bits as the apps take them: 32 letters of base 32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def step_of(moment: datetime) -> int:
    """The number of the half minute a moment lies in."""
    return int(moment.timestamp()) // PERIOD


def code_at(secret: str, step: int) -> str:
    """The code of a step."""
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def plain(typed: str) -> str:
    """A code as it is compared: any width, without the gaps that apps show and people type."""
    text = unicodedata.normalize("NFKC", typed[:100])
    return "".join(letter for letter in text.lower() if letter not in " -\u2010\u2011\u2013\t")


def is_code(typed: str) -> bool:
    """Whether what was typed has the shape of a code."""
    text = plain(typed)
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def step_that_fits(secret: str, typed: str, now: datetime) -> int | None:
    """The step whose code was typed, of those a telephone may be at; None when there is none."""
    given, at, found = plain(typed).encode("utf-8", "replace"), step_of(now), None
    for step in range(at - DRIFT, at + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), given):
            found = step
    return found


def address(secret: str, login: str, issuer: str) -> str:
    """What an app reads off the picture: `otpauth://totp/…`."""
    asked = {"secret": secret, "issuer": issuer, "digits": DIGITS, "period": PERIOD}
    return f"otpauth://totp/{quote(f'{issuer}:{login}')}?{urlencode(asked, quote_via=quote)}"
