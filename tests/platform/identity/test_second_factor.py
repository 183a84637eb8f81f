"""The second factor: codes of an app, recovery codes, who must have one, who may take it away."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import make
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.events.model import Event
from careloom.platform.identity import people, second_factor, sessions, totp
from careloom.platform.identity.actor import SYSTEM, Actor, actor_of
from careloom.platform.identity.model import Person, RecoveryCode, SecondFactor
from careloom.platform.identity.roles import save_role
from careloom.platform.records import new_key, standing
from careloom.platform.store import jobs
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.encrypted import keyring
from careloom.platform.store.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn

IDLE = timedelta(hours=1)
STEP = timedelta(seconds=totp.PERIOD)
SECRET = totp.new_secret()
#: RFC 6238, appendix B: seconds since 1970, the last six digits of the code by SHA-1
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.fixture(autouse=True)
def at(request: pytest.FixtureRequest) -> dict[str, int]:
    which = "database" if "database" in request.fixturenames else "sqlite"
    database: Database = request.getfixturevalue(which)

    def roles(session: Session) -> None:
        save_role(session, make.role("plain", {}), 1)
        save_role(session, make.role("keeper", {}, ["people.*"]), 1)
        save_role(session, make.role("mighty", {}, ["definitions.publish"]), 1)
        save_role(session, make.role("looker", {}, ["trail.read"]), 1)
        save_role(session, make.role("guarded", {}) | {"second_factor": True}, 1)

    at = make.organisation(database)
    database.write(roles)
    return at


def number(actor: Actor) -> int:
    assert actor.person_id is not None
    return actor.person_id


def code(database: Database, off: int = 0) -> str:
    return totp.code_at(SECRET, totp.step_of(database.clock.now()) + off)


def set_up(database: Database, actor: Actor, codes: tuple[str, ...] = ()) -> None:
    """By the code of the step before, so that the one of now is still to be used."""
    hashes = second_factor.hashed(codes)
    database.write(lambda s: second_factor.set_up(s, actor, SECRET, code(database, -1), hashes))


def counts(database: Database, actor: Actor, typed: str) -> bool:
    try:
        database.write(lambda s: second_factor.use(s, number(actor), typed))
    except Invalid as refusal:
        assert [each.path for each in refusal.problems] == ["/code"]
        return False
    return True


def recover(database: Database, actor: Actor, typed: str) -> bool:
    with database.read() as session:
        found = second_factor.recovery_of(session, number(actor), typed)
    if found is None:
        return False
    try:
        database.write(lambda s: second_factor.use(s, number(actor), typed, found))
    except Invalid:
        return False
    return True


@pytest.mark.parametrize("seconds, wanted", VECTORS)
def test_codes_are_those_of_the_standard(seconds: int, wanted: str) -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    moment = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_at(secret, totp.step_of(moment)) == wanted
    assert totp.step_that_fits(secret, wanted, moment) == totp.step_of(moment)


def test_a_code_is_one_however_it_is_typed() -> None:
    now = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
    right = totp.code_at(SECRET, totp.step_of(now))
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in right)
    for typed in (
        right,
        f" {right} ",
        f"{right[:3]} {right[3:]}",
        f"{right[:3]}-{right[3:]}",
        wide,
    ):
        assert totp.is_code(typed), typed
        assert totp.step_that_fits(SECRET, typed, now) is not None, typed


@pytest.mark.parametrize(
    "typed", ["", "0", "null", "12345", "1234567", "１２３", "é\ud800", "a" * 999]
)
def test_what_is_no_code_fits_nothing(typed: str) -> None:
    assert totp.step_that_fits(SECRET, typed, datetime(2026, 3, 3, tzinfo=UTC)) is None


def test_an_app_reads_who_and_where_off_the_picture() -> None:
    assert totp.address("ABC", "li.na@b", "Care loom") == (
        "otpauth://totp/Care%20loom%3Ali.na%40b?secret=ABC&issuer=Care%20loom&digits=6&period=30"
    )


def test_a_telephones_clock_may_be_half_a_minute_off_and_no_more(sqlite: Database) -> None:
    me = make.person(sqlite, "me", "B1")
    sqlite.clock.turn(-5 * STEP)  # type: ignore[attr-defined]
    set_up(sqlite, me)
    sqlite.clock.turn(5 * STEP)  # type: ignore[attr-defined]
    found = [off for off in (-3, -2, -1, 0, 1, 2, 3) if counts(sqlite, me, code(sqlite, off))]
    assert found == [-1, 0, 1]


def test_a_code_counts_once_and_none_before_it(sqlite: Database, clock: TurnedClock) -> None:
    me = make.person(sqlite, "me", "B1")
    set_up(sqlite, me)
    before, now = code(sqlite, -1), code(sqlite)
    assert not counts(sqlite, me, before), "it was used for setting up"
    assert counts(sqlite, me, now)
    assert not counts(sqlite, me, now)
    assert not counts(sqlite, me, before)
    clock.turn(STEP)
    assert not counts(sqlite, me, now), "nor within the time that a slow clock is allowed"
    assert counts(sqlite, me, code(sqlite))


def test_of_many_who_show_one_code_at_once_one_gets_in(database: Database) -> None:
    me = make.person(database, "me", "B1")
    set_up(database, me)
    typed = code(database)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: counts(database, me, typed), range(16)))
    assert found.count(True) == 1


def test_setting_up_takes_a_right_code_and_ends_every_sign_in(sqlite: Database) -> None:
    me = make.person(sqlite, "me", "B1")
    begun = sqlite.write(lambda s: sessions.begin(s, number(me), IDLE))
    half = sqlite.write(lambda s: sessions.begin_half(s, number(me)))
    wrong = code(sqlite, 5)
    with pytest.raises(Invalid):
        sqlite.write(lambda s: second_factor.set_up(s, me, SECRET, wrong, []))
    with sqlite.read() as session:
        assert sessions.current(session, begun.token).actor.second_factor is False
    set_up(sqlite, me)
    with sqlite.read() as session:
        assert actor_of(session, number(me)).second_factor is True
        with pytest.raises(NotSignedIn):
            sessions.current(session, begun.token)
        with pytest.raises(NotSignedIn):
            sessions.half(session, half.token)
    with pytest.raises(Conflict) as refusal:
        set_up(sqlite, me)
    assert refusal.value.code == "E_FACTOR_THERE"


def test_a_secret_that_is_shown_holds_for_its_person_for_a_quarter_of_an_hour(
    sqlite: Database, clock: TurnedClock
) -> None:
    me, other = make.person(sqlite, "me", "B1"), make.person(sqlite, "other", "B1")
    with sqlite.read() as session:
        secret, sealed = second_factor.begin(session, me)
        assert secret not in sealed and second_factor.opened(session, me, sealed) == secret

    def refused(actor: Actor, text: str) -> bool:
        with sqlite.read() as session, pytest.raises(Conflict) as refusal:
            second_factor.opened(session, actor, text)
        return refusal.value.code == "E_FACTOR_OVER"

    assert refused(other, sealed)
    altered = sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BB")
    for text in ("", "1:", "x:y", altered, secret):
        assert refused(me, text), text
    clock.turn(second_factor.TIME_TO_SET_UP)
    assert refused(me, sealed)


def test_a_recovery_code_counts_once_in_any_writing_and_no_other(sqlite: Database) -> None:
    me, other = make.person(sqlite, "me", "B1"), make.person(sqlite, "other", "B1")
    codes = second_factor.new_codes()
    assert len(set(codes)) == second_factor.CODES
    set_up(sqlite, me, tuple(codes[:3]))
    set_up(sqlite, other, tuple(codes[3:6]))
    assert recover(sqlite, me, codes[0].upper().replace("-", " "))
    assert not recover(sqlite, me, codes[0])
    assert not recover(sqlite, me, codes[3]), "it is another's"
    assert not recover(sqlite, me, "")
    assert recover(sqlite, me, codes[1])
    with sqlite.read() as session:
        found = second_factor.standing(session, number(me))
        assert found is not None and found.codes == 1
        left = session.scalars(
            select(Event.data).where(Event.name == "person:code_spent").order_by(Event.id)
        ).all()
    assert left == [{"left": 2}, {"left": 1}]
    sqlite.write(lambda s: second_factor.make_codes(s, me, second_factor.hashed(codes[6:])))
    assert not recover(sqlite, me, codes[2]) and recover(sqlite, me, codes[6])


def test_of_many_who_show_one_recovery_code_at_once_one_gets_in(database: Database) -> None:
    me = make.person(database, "me", "B1")
    (typed,) = second_factor.new_codes()[:1]
    set_up(database, me, (typed,))
    with database.read() as session:
        found = second_factor.recovery_of(session, number(me), typed)

    def spend(_: int) -> bool:
        try:
            database.write(lambda s: second_factor.use(s, number(me), typed, found))
        except Invalid:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(spend, range(8))).count(True) == 1


def test_after_a_hundred_wrong_codes_in_a_row_only_a_recovery_code_helps(
    sqlite: Database,
) -> None:
    me = make.person(sqlite, "me", "B1")
    (spare,) = second_factor.new_codes()[:1]
    set_up(sqlite, me, (spare,))

    def guess(typed: str) -> bool:
        sqlite.write(lambda s: second_factor.count_try(s, number(me)))
        return counts(sqlite, me, typed)

    for _ in range(second_factor.MOST_WRONG - 1):
        sqlite.write(lambda s: second_factor.count_try(s, number(me)))
    assert guess(code(sqlite)), "the hundredth is looked at"
    for _ in range(second_factor.MOST_WRONG):
        sqlite.write(lambda s: second_factor.count_try(s, number(me)))
    sqlite.clock.turn(STEP)  # type: ignore[attr-defined]
    assert not guess(code(sqlite))
    assert recover(sqlite, me, spare)
    assert guess(code(sqlite))


def test_no_table_and_no_event_holds_a_secret_or_a_code(sqlite: Database) -> None:
    me = make.person(sqlite, "me", "B1")
    codes = second_factor.new_codes()
    set_up(sqlite, me, tuple(codes))
    assert recover(sqlite, me, codes[0])
    with sqlite.read() as session:
        row = session.scalars(select(SecondFactor)).one()
        assert keyring(sqlite.home).decrypt(second_factor.COLUMN, row.secret) == SECRET
        kept = [row.secret, *session.scalars(select(RecoveryCode.hash))]
        kept += [json.dumps(data) for data in session.scalars(select(Event.data))]
    assert sum("argon2id" in each for each in kept) == 9
    for text in kept:
        assert SECRET not in text
        assert not any(each in text or each.replace("-", "") in text for each in codes)


def test_a_new_key_writes_secrets_anew_and_the_old_one_may_go(sqlite: Database) -> None:
    me = make.person(sqlite, "me", "B1")
    set_up(sqlite, me)
    standing.require_standing(sqlite)
    ring = keyring(sqlite.home)
    newest = ring.rotate()
    with sqlite.read() as session:
        assert new_key.in_use(session, 1)
    sqlite.write(lambda s: new_key.ask_for(s, SYSTEM, newest))
    jobs.run(sqlite)
    with sqlite.read() as session:
        assert not new_key.in_use(session, 1) and new_key.in_use(session, newest)
    sqlite.write(lambda s: new_key.drop(s, SYSTEM, 1)).drop(1)
    assert counts(sqlite, me, code(sqlite))
    for path in (sqlite.home / "keys" / "fields").glob("[0-9]*.key"):
        path.write_bytes(bytes(32))
    keyring.cache_clear()
    with pytest.raises(Conflict) as refusal:
        standing.require_standing(sqlite)
    assert refusal.value.code == "E_KEYS_OTHER"


def test_it_is_turned_off_by_its_person_and_taken_away_by_who_may(sqlite: Database) -> None:
    keeper = make.person(sqlite, "keeper", "B1", "keeper")
    near, far = make.person(sqlite, "near", "B1"), make.person(sqlite, "far", "B2")
    boss = make.person(sqlite, "boss", "B1", "mighty")
    for each in (keeper, near, far, boss):
        set_up(sqlite, each)
    begun = sqlite.write(lambda s: sessions.begin(s, number(near), IDLE))

    def take(actor: Actor, whom: Actor) -> str:
        try:
            sqlite.write(lambda s: second_factor.take_away(s, actor, number(whom)))
        except (Conflict, NotAllowed, NotFound) as refusal:
            return refusal.code
        return ""

    assert take(near, keeper) == "E_NO_PERSON"
    assert take(keeper, far) == "E_NO_PERSON"
    assert take(keeper, boss) == "E_MORE_THAN_OWN"
    assert take(keeper, keeper) == "E_OWN_ACCOUNT"
    with sqlite.read() as session:
        assert session.scalars(select(SecondFactor)).all() and sessions.current(
            session, begun.token
        )
    assert take(keeper, near) == ""
    with sqlite.read() as session:
        assert second_factor.standing(session, number(near)) is None
        assert not actor_of(session, number(near)).second_factor
        with pytest.raises(NotSignedIn):
            sessions.current(session, begun.token)
    assert take(keeper, near) == "E_NO_FACTOR"
    sqlite.write(lambda s: second_factor.turn_off(s, keeper))
    with pytest.raises(NotFound):
        sqlite.write(lambda s: second_factor.use(s, number(keeper), code(sqlite)))
    assert take(SYSTEM, boss) == ""


@pytest.mark.parametrize(
    "role, who",
    [
        ("guarded", {"roles", "administrators", "everybody"}),
        ("mighty", {"administrators", "everybody"}),
        ("keeper", {"administrators", "everybody"}),
        ("looker", {"everybody"}),
        ("plain", {"everybody"}),
    ],
)
def test_who_must_have_one(sqlite: Database, role: str, who: set[str]) -> None:
    me = make.person(sqlite, "me", "B1", role)
    with sqlite.read() as session:
        found = {each for each in second_factor.WHO if second_factor.is_wanted(session, me, each)}
    assert found == who


@pytest.mark.parametrize("how", ["later", "password", "disabled", "factor"])
def test_half_a_sign_in_ends(sqlite: Database, clock: TurnedClock, how: str) -> None:
    me = make.person(sqlite, "me", "B1")
    set_up(sqlite, me)
    half = sqlite.write(lambda s: sessions.begin_half(s, number(me)))
    ends: dict[str, Callable[[Session], None]] = {
        "password": lambda s: people.set_password(s, me, number(me), "hash"),
        "disabled": lambda s: people.disable(s, SYSTEM, number(me)),
        "factor": lambda s: second_factor.take_away(s, SYSTEM, number(me)),
    }
    with sqlite.read() as session:
        assert sessions.half(session, half.token).login == "me"
        with pytest.raises(NotSignedIn):
            sessions.current(session, half.token)
    if how == "later":
        clock.turn(sessions.HALF)
    else:
        sqlite.write(ends[how])
    with sqlite.read() as session, pytest.raises(NotSignedIn):
        sessions.half(session, half.token)


def test_of_two_who_finish_one_half_at_once_one_does(database: Database) -> None:
    me = make.person(database, "me", "B1")
    half = database.write(lambda s: sessions.begin_half(s, number(me)))

    def end(_: int) -> bool:
        try:
            database.write(lambda s: sessions.end_half(s, half.token))
        except NotSignedIn:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(end, range(8))).count(True) == 1
    with database.read() as session:
        assert session.get(Person, number(me)) is not None
