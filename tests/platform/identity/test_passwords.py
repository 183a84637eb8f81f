"""Passwords: which are accepted, and that comparing takes as long for nobody."""

import time

import pytest
from sqlalchemy.orm import Session

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.masks import mask
from careloom.platform.identity.own_words import own_words
from careloom.platform.identity.passwords import (
    _common,
    faults,
    hashed,
    outdated,
    require_sound,
    verified,
)
from careloom.platform.identity.units import add_unit
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid

pytestmark = pytest.mark.usefixtures("slow_hashing")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "E_PASSWORD_LENGTH"),
        ("short1234", "E_PASSWORD_LENGTH"),
        ("x" * 4096, "E_PASSWORD_LENGTH"),
        ("abcdefgh\x00ij", "E_PASSWORD_LETTERS"),
        ("abcdefgh\ud800ij", "E_PASSWORD_LETTERS"),
        ("lina.wang.1", "E_PASSWORD_LOGIN"),
        ("LINA.WANG.1", "E_PASSWORD_LOGIN"),
        ("lina.wang.1!2024", "E_PASSWORD_LOGIN"),
        ("1.gnaw.anil", "E_PASSWORD_LOGIN"),
        ("1234567890", "E_PASSWORD_COMMON"),
        ("9876543210", "E_PASSWORD_COMMON"),
        ("password123", "E_PASSWORD_COMMON"),
        ("Password!!!!", "E_PASSWORD_COMMON"),
        ("qwertyuiop", "E_PASSWORD_COMMON"),
        ("1qaz2wsx3edc", "E_PASSWORD_COMMON"),
        ("woaini5201314", "E_PASSWORD_COMMON"),
        ("abababababab", "E_PASSWORD_COMMON"),
        ("careloom2024", "E_PASSWORD_COMMON"),
        ("basketball", "E_PASSWORD_COMMON"),
        ("Sunshine2026!", "E_PASSWORD_COMMON"),
        ("mustang#1964", "E_PASSWORD_COMMON"),
        ("ｐａｓｓｗｏｒｄ１２３", "E_PASSWORD_COMMON"),
    ],
)
def test_a_weak_password_is_refused(password: str, code: str) -> None:
    assert code in faults(password, "lina.wang.1", "Lina Wang")
    with pytest.raises(Invalid) as refusal:
        require_sound(password, "lina.wang.1", "Lina Wang")
    assert refusal.value.problems[0].path == "/password"


def named(session: Session) -> None:
    root = add_unit(
        session, SYSTEM, "GROUP-9", {"zh-CN": "阳光口腔集团", "en": "Sunny Dental"}, "group"
    )
    add_unit(
        session, SYSTEM, "hz-xihu", {"zh-CN": "西湖门诊部", "en": "West Lake"}, "branch", root.id
    )


@pytest.mark.parametrize(
    ("password", "refused"),
    [
        ("SunnyDental2026", True),
        ("sunny@12345678", True),
        ("阳光口腔2026！！！", True),
        ("西湖门诊部#123456", True),
        ("2026hz-xihu888", True),
        ("west-lake-sunny-1", True),
        ("Careloom@@2026", True),
        ("mydentist123", True),
        ("dental8.example.com", False),
        ("阳光下的西湖很美丽啊啊", False),
        ("west wind in the lake", False),
        ("su7362518493", False),
        ("correct horse battery", False),
        ("739164820517", False),
    ],
)
def test_the_clinics_own_words_are_no_password(
    sqlite: Database, password: str, refused: bool
) -> None:
    sqlite.write(named)
    with sqlite.read() as session:
        words = own_words(session, "https://care.mydentist.cn:8443/")
    assert ("E_PASSWORD_HOUSE" in faults(password, "lina", "Lina", words)) is refused
    assert "E_PASSWORD_HOUSE" not in faults(password, "lina", "Lina")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "马年大吉祥如意恭喜发财",
        "🦷🪥🦷🪥🙂🙃😀😃😄😁",
        "kX7-pQ2-vM9",
        "r" * 3 + "y4Kd0wPz",
    ],
)
def test_a_good_password_is_taken_in_any_script(password: str) -> None:
    require_sound(password, "lina", "Lina Wang")


def test_a_password_is_known_by_its_hash_only() -> None:
    known = hashed("correct horse battery")
    assert known.startswith("$argon2id$v=19$m=19456,t=2,p=1$") and "horse" not in known
    assert verified("correct horse battery", known)
    assert not verified("correct horse batterx", known)
    assert hashed("correct horse battery") != known
    assert not outdated(known)


def test_a_password_does_not_hang_on_the_width_of_the_letters() -> None:
    assert verified("ｋｘ７ｐｑ２ｖｍ９０", hashed("kx7pq2vm90"))


@pytest.mark.parametrize("known", ["", "not a hash", "$argon2id$v=19$broken"])
def test_a_broken_hash_lets_nobody_in(known: str) -> None:
    assert not verified("correct horse battery", known)


def test_a_hash_made_with_other_settings_is_outdated() -> None:
    assert outdated("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$V5fHrKVXgtMkDrvjNDRxmQ")


def test_nobody_takes_as_long_as_somebody() -> None:
    known = hashed("correct horse battery")
    verified("warm up", None)

    def seconds(password_hash: str | None) -> float:
        began = time.thread_time()  # what it costs, however busy the machine is
        verified("some wrong password", password_hash)
        return time.thread_time() - began

    taken = [(seconds(known), seconds(None)) for _ in range(15)]
    theirs, nobodys = min(t[0] for t in taken), min(t[1] for t in taken)  # the least disturbed
    assert abs(theirs - nobodys) < 0.4 * theirs


def test_ten_thousand_passwords_are_known_to_be_common() -> None:
    assert len(_common()) > 10_000 and not any("#" in word[:1] for word in _common())


def test_a_huge_password_is_not_slower() -> None:
    known = hashed("correct horse battery")

    def seconds(password: str) -> float:
        began = time.thread_time()
        assert not verified(password, known)
        return time.thread_time() - began

    seconds("warm up")
    assert seconds("x" * 10_000_000) < 10 * min(seconds("some wrong password") for _ in range(5))


@pytest.mark.parametrize(
    ("value", "type", "shown"),
    [
        ("19900010001", "phone", "199****0001"),
        ("110", "phone", "***"),
        ("11010519900307123X", "id_card", "1****************X"),
        ("lina@example.cn", "email", "l***@example.cn"),
        ("王丽娜", "text", "王*"),
        ("", "text", None),
        (None, "phone", None),
        (1800, "money", None),
        ("meituan", "choice", None),
    ],
)
def test_a_masked_value_shows_enough_to_recognise_it(
    value: object, type: str, shown: str | None
) -> None:
    assert mask(value, type) == shown
