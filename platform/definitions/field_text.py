"""Texts as people type them: cleaned, and the kinds with a form of their own."""

import re
import unicodedata
from datetime import date
from urllib.parse import urlsplit

from .faults import Fault

SURROGATE = re.compile("[\ud800-\udfff]")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
CONTROL_IN_LONG_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and line feed
UNSEEN = "\ufeff\u200b"  # byte order mark and zero-width space, pasted from spreadsheets
MOBILE = re.compile(r"1[3-9][0-9]{9}")
SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE][+]?[0-9]{1,2}")
EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+"
)
ID_CARD = re.compile(r"[1-9][0-9]{16}[0-9X]")
ID_CARD_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999


def clean(text: str, lines: bool = False) -> str:
    """NFC without outer blanks. E_TEXT for lone surrogates and control characters.

    With `lines`, tabs and line feeds stay and other line ends become line feeds.
    """
    if SURROGATE.search(text):
        raise Fault("E_TEXT")
    if lines:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", text.strip().strip(UNSEEN).strip())
    if (CONTROL_IN_LONG_TEXT if lines else CONTROL).search(text):
        raise Fault("E_TEXT")
    return text


def narrow(text: str) -> str:
    """Full-width letters, digits and signs made half-width."""
    return unicodedata.normalize("NFKC", clean(text)).strip()


def phone(text: str) -> str:
    """An 11-digit mobile number of mainland China; +86, blanks and dashes are dropped."""
    text = narrow(text)
    if SCIENTIFIC.fullmatch(text):  # a spreadsheet has rounded the digits away
        raise Fault("E_PHONE_ROUNDED", value=text)
    digits = re.sub(r"[\s()\-\u2010-\u2015\u2212]", "", text)
    digits = re.sub(r"^(\+86|0086|86(?=1[0-9]{10}$)|0(?=1[0-9]{10}$))", "", digits)
    if not MOBILE.fullmatch(digits):
        raise Fault("E_PHONE")
    return digits


def id_card(text: str) -> str:
    """A resident identity number: 18 characters, a real birth date, the right check character."""
    number = re.sub(r"\s", "", narrow(text)).upper()
    if not ID_CARD.fullmatch(number):
        raise Fault("E_ID_CARD")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise Fault("E_ID_CARD") from None
    total = sum(int(digit) * weight for digit, weight in zip(number, ID_CARD_WEIGHTS, strict=False))
    if "10X98765432"[total % 11] != number[17] or not 1850 <= born.year <= 2200:
        raise Fault("E_ID_CARD")
    return number


def email(text: str) -> str:
    text = narrow(text)
    if len(text) > 254 or ".." in text or not EMAIL.fullmatch(text):
        raise Fault("E_EMAIL")
    name, _, domain = text.rpartition("@")
    if name[0] == "." or name[-1] == "." or re.search(r"(^|\.)-|-(\.|$)", domain):
        raise Fault("E_EMAIL")
    return f"{name}@{domain.lower()}"


def url(text: str) -> str:
    """A web address; only http and https, so that a link on a page can run nothing."""
    text = clean(text)
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname)
        sound = sound and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or re.search(r"[\s\"<>\\^`{|}]", text) or "@" in parts.netloc:
        raise Fault("E_URL")
    return text
