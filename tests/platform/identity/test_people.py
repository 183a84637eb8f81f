"""People, their roles, sign-ins, attempts and access tokens."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import make
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from careloom.platform.events.model import Event
from careloom.platform.identity import (
    access_tokens,
    attempts,
    grants,
    invitations,
    people,
    sessions,
)
from careloom.platform.identity.actor import SYSTEM, Actor, actor_of
from careloom.platform.identity.model import AccessToken, Attempt, Person, SignIn
from careloom.platform.identity.reach import login_of
from careloom.platform.identity.roles import save_role
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Conflict, NotAllowed, NotFound, NotSignedIn

IDLE = timedelta(hours=12)
RIGHTS = ["people.read", "people.write", "packs.read"]


@pytest.fixture(autouse=True)
def at(database: Database) -> dict[str, int]:
    at = make.organisation(database)
    for document in (
        make.role("keeper", {}, RIGHTS),
        make.role("plain", {"lead": [make.rule("own", "read")]}),
        make.role("mighty", {}, ["definitions.write"]),
        make.role("reader", {}, ["reports.read:leads"]),
    ):
        database.write(lambda session, d=document: save_role(session, d, 1))
    return at


@pytest.fixture
def keeper(database: Database, at: dict[str, int]) -> Actor:
    """Administers the people of branch 1."""
    return make.person(database, "keeper", "B1", "keeper")


def number_of(actor: Actor) -> int:
    assert actor.person_id is not None
    return actor.person_id


@pytest.mark.parametrize("login", ["Lina", " lina ", "ＬＩＮＡ", "lina"])
def test_a_login_is_one_however_it_is_typed(database: Database, login: str) -> None:
    made = make.person(database, "lina", "B1")
    with database.read() as session:
        assert people.credentials(session, login).person_id == made.person_id


@pytest.mark.parametrize("name", ["王丽娜", "𠮷田", "Ana-María", "O'Neil", "Zoë"])
def test_a_name_is_kept_as_it_is_written(database: Database, at: dict[str, int], name: str) -> None:
    made = database.write(lambda s: people.add_person(s, SYSTEM, "lina", name, at["B1"]))
    with database.read() as session:
        assert session.get_one(Person, made.id).name == name


def test_a_login_is_used_once(database: Database) -> None:
    make.person(database, "lina", "B1")
    with pytest.raises(Conflict):
        make.person(database, "LINA", "B2")


def test_people_are_added_only_where_the_right_is_held(
    database: Database, at: dict[str, int], keeper: Actor
) -> None:
    database.write(lambda s: people.add_person(s, keeper, "new.one", "New", at["B1"]))
    for elsewhere in ("B2", "R", "G"):
        with pytest.raises(NotAllowed):
            database.write(lambda s, u=elsewhere: people.add_person(s, keeper, "other", "X", at[u]))


def test_a_person_out_of_reach_is_not_even_found(database: Database, keeper: Actor) -> None:
    far = number_of(make.person(database, "far", "B2"))
    acts = [
        lambda s: people.disable(s, keeper, far),
        lambda s: people.enable(s, keeper, far),
        lambda s: people.change_person(s, keeper, far, name="X"),
        lambda s: people.set_password(s, keeper, far, "hash"),
        lambda s: access_tokens.issue(s, keeper, far, "x"),
        lambda s: grants.give(s, keeper, far, "plain", keeper.unit_id or 0),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            database.write(act)
    with database.read() as session:
        assert [p.login for p in people.list_people(session, keeper)] == ["keeper"]


def test_a_person_is_not_moved_out_of_reach(
    database: Database, at: dict[str, int], keeper: Actor
) -> None:
    near = number_of(make.person(database, "near", "B1"))
    with pytest.raises(NotAllowed):
        database.write(lambda s: people.change_person(s, keeper, near, unit_id=at["B2"]))


def test_everybody_may_choose_their_own_language_and_nothing_more(database: Database) -> None:
    me = make.person(database, "me", "B1", "plain")
    database.write(lambda s: people.change_person(s, me, number_of(me), language="en"))
    with database.read() as session:
        assert actor_of(session, number_of(me)).language == "en"
    with pytest.raises(NotFound):
        database.write(lambda s: people.change_person(s, me, number_of(me), name="Boss"))


def test_rights_never_grow_by_giving(database: Database, at: dict[str, int], keeper: Actor) -> None:
    near = number_of(make.person(database, "near", "B1"))
    for role in ("plain", "reader"):
        database.write(lambda s, r=role: grants.give(s, keeper, near, r, at["B1"]).id)
    refused = [
        ("E_MORE_THAN_OWN", near, "mighty", "B1"),
        ("E_NOT_ALLOWED", near, "plain", "G"),
        ("E_OWN_GRANT", number_of(keeper), "plain", "B1"),
    ]
    for code, whom, role, unit in refused:
        with pytest.raises(NotAllowed) as refusal:
            database.write(lambda s, w=whom, r=role, u=unit: grants.give(s, keeper, w, r, at[u]))
        assert refusal.value.code == code
    with pytest.raises(NotFound):
        database.write(lambda s: grants.give(s, keeper, near, "no_such_role", at["B1"]))


def test_a_disabled_person_acts_no_more(database: Database, keeper: Actor) -> None:
    near = number_of(make.person(database, "near", "B1", "plain"))
    begun = database.write(lambda s: sessions.begin(s, near, IDLE))
    token = database.write(lambda s: access_tokens.issue(s, SYSTEM, near, "x")[1])
    with database.read() as session:
        assert sessions.current(session, begun.token).actor.login == "near"
        assert access_tokens.check(session, token).login == "near"
    database.write(lambda s: people.disable(s, keeper, near))
    with database.read() as session:
        for ask in (
            lambda: sessions.current(session, begun.token),
            lambda: access_tokens.check(session, token),
            lambda: actor_of(session, near),
        ):
            with pytest.raises(NotSignedIn):
                ask()
        assert people.credentials(session, "near") == people.Credentials(None, None)
    with pytest.raises(NotSignedIn):
        database.write(lambda s: sessions.begin(s, near, IDLE))
    database.write(lambda s: people.enable(s, keeper, near))
    with database.read() as session:
        assert actor_of(session, near).login == "near"
        with pytest.raises(NotSignedIn):
            access_tokens.check(session, token)


def test_nobody_disables_themselves(database: Database, keeper: Actor) -> None:
    with pytest.raises(Conflict):
        database.write(lambda s: people.disable(s, keeper, number_of(keeper)))


def test_a_new_password_ends_the_other_sign_ins_and_all_tokens(database: Database) -> None:
    me = make.person(database, "me", "B1")
    here = database.write(lambda s: sessions.begin(s, number_of(me), IDLE))
    there = database.write(lambda s: sessions.begin(s, number_of(me), IDLE))
    token = database.write(lambda s: access_tokens.issue(s, me, number_of(me), "x")[1])
    database.write(lambda s: people.set_password(s, me, number_of(me), "hash", here.sign_in_id))
    with database.read() as session:
        assert sessions.current(session, here.token)
        with pytest.raises(NotSignedIn):
            sessions.current(session, there.token)
        with pytest.raises(NotSignedIn):
            access_tokens.check(session, token)


def test_of_many_who_follow_one_link_at_once_one_sets_the_password(database: Database) -> None:
    lin = number_of(make.person(database, "lin", "B1"))
    link = database.write(lambda s: invitations.invite(s, SYSTEM, lin))

    def follow(number: int) -> str | None:
        try:
            database.write(lambda s: people.accept_invitation(s, link.token, f"hash {number}").id)
        except NotFound:
            return None
        return f"hash {number}"

    with ThreadPoolExecutor(8) as pool:
        done = [found for found in pool.map(follow, range(16)) if found]
    assert len(done) == 1
    with database.read() as session:
        assert people.credentials(session, "lin").password_hash == done[0]


def test_a_sign_in_is_known_by_its_hash_only(database: Database) -> None:
    me = number_of(make.person(database, "me", "B1"))
    begun = database.write(lambda s: sessions.begin(s, me, IDLE))
    with database.read() as session:
        row = session.scalars(select(SignIn)).one()
        assert begun.token not in (row.token_hash, row.csrf)
        assert len(row.token_hash) == 64
        with pytest.raises(NotSignedIn):
            sessions.current(session, row.token_hash)


def test_a_sign_in_ends_when_it_is_not_used(database: Database, clock: TurnedClock) -> None:
    me = number_of(make.person(database, "me", "B1"))
    begun = database.write(lambda s: sessions.begin(s, me, IDLE))
    clock.turn(timedelta(hours=11))
    with database.read() as session:
        assert sessions.current(session, begun.token).due
    database.write(lambda s: sessions.seen(s, begun.sign_in_id, IDLE))
    clock.turn(timedelta(hours=11))
    with database.read() as session:
        assert sessions.current(session, begun.token)
    clock.turn(timedelta(hours=1))
    with database.read() as session, pytest.raises(NotSignedIn):
        sessions.current(session, begun.token)


def test_a_sign_in_ends_after_thirty_days_however_much_it_is_used(
    database: Database, clock: TurnedClock
) -> None:
    me = number_of(make.person(database, "me", "B1"))
    begun = database.write(lambda s: sessions.begin(s, me, IDLE))
    for _ in range(60):
        clock.turn(timedelta(hours=11, minutes=59))
        database.write(lambda s: sessions.seen(s, begun.sign_in_id, IDLE))
    clock.turn(timedelta(hours=1))
    with database.read() as session, pytest.raises(NotSignedIn):
        sessions.current(session, begun.token)


def test_a_token_with_one_letter_changed_is_refused(database: Database) -> None:
    me = make.person(database, "me", "B1")
    row, token = database.write(lambda s: access_tokens.issue(s, me, number_of(me), "x"))
    other = token[:-1] + ("A" if token[-1] != "A" else "B")
    with database.read() as session:
        assert access_tokens.check(session, token).login == "me"
        with pytest.raises(NotSignedIn):
            access_tokens.check(session, other)
        known = session.get_one(AccessToken, row.id)
        assert token not in (known.hash, known.prefix) and known.prefix in token


def test_a_token_holds_until_it_expires_or_is_revoked(
    database: Database, clock: TurnedClock
) -> None:
    me = make.person(database, "me", "B1")
    until = clock.now() + timedelta(days=1)
    short = database.write(lambda s: access_tokens.issue(s, me, number_of(me), "x", until)[1])
    row, long = database.write(lambda s: access_tokens.issue(s, me, number_of(me), "y"))
    clock.turn(timedelta(days=1))
    with database.read() as session:
        with pytest.raises(NotSignedIn):
            access_tokens.check(session, short)
        assert access_tokens.check(session, long)
    database.write(lambda s: access_tokens.revoke(s, me, row.id))
    with database.read() as session, pytest.raises(NotSignedIn):
        access_tokens.check(session, long)


def test_tokens_that_have_expired_leave_room_for_others(
    database: Database, clock: TurnedClock
) -> None:
    me = make.person(database, "me", "B1")
    number, until = number_of(me), clock.now() + timedelta(days=1)

    def all_there_may_be(session: Session) -> None:
        for _ in range(access_tokens.MOST):
            access_tokens.issue(session, me, number, "x", until)

    database.write(all_there_may_be)
    with pytest.raises(Conflict):
        database.write(lambda s: access_tokens.issue(s, me, number, "y"))
    clock.turn(timedelta(days=1))
    assert database.write(lambda s: access_tokens.issue(s, me, number, "y")[1])


def test_nobody_revokes_or_learns_of_anothers_token(database: Database) -> None:
    me, other = make.person(database, "me", "B1"), make.person(database, "other", "B1")
    row, token = database.write(lambda s: access_tokens.issue(s, me, number_of(me), "x"))
    with pytest.raises(NotFound):
        database.write(lambda s: access_tokens.revoke(s, other, row.id))
    with database.read() as session:
        assert access_tokens.check(session, token)
        with pytest.raises(NotFound):
            access_tokens.tokens_of(session, other, number_of(me))


def test_ten_tries_are_looked_at_and_no_more(database: Database, clock: TurnedClock) -> None:
    waits = [
        database.write(lambda s: attempts.count(s, "lina", "10.0.0.1")).wait for _ in range(12)
    ]
    assert [wait > 0 for wait in waits] == [False] * 10 + [True] * 2
    assert database.write(lambda s: attempts.count(s, "other", "10.0.0.1")).wait == 0
    clock.turn(attempts.WINDOW)
    assert database.write(lambda s: attempts.count(s, "lina", "10.0.0.1")).wait == 0


def test_of_many_tries_at_once_no_more_than_ten_are_looked_at(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        waits = list(
            pool.map(
                lambda _: database.write(lambda s: attempts.count(s, "lina", "10.0.0.1")).wait,
                range(50),
            )
        )
    assert waits.count(0) == 10


def test_an_address_is_limited_over_all_logins(database: Database) -> None:
    waits = [
        database.write(lambda s, n=n: attempts.count(s, f"login{n}", "10.0.0.1")).wait
        for n in range(attempts.PER_ADDRESS + 2)
    ]
    assert waits.count(0) == attempts.PER_ADDRESS
    assert database.write(lambda s: attempts.count(s, "login1", "10.0.0.2")).wait == 0


def test_the_right_password_clears_the_login_and_gives_the_address_its_try_back(
    database: Database,
) -> None:
    for _ in range(9):
        database.write(lambda s: attempts.count(s, "lina", "10.0.0.1", 7))
    database.write(lambda s: attempts.forgive(s, "lina", "10.0.0.1"))
    with database.read() as session:
        assert session.scalars(select(Attempt.tries)).all() == [8]


def test_what_was_typed_as_a_login_is_not_kept(database: Database) -> None:
    database.write(lambda s: attempts.count(s, login_of("My-Secret-Password"), "10.0.0.1"))
    with database.read() as session:
        kept = session.scalars(select(Attempt.key)).all()
    assert all(len(key) == 64 and "secret" not in key for key in kept)


def test_what_happens_to_people_stands_in_the_trail(
    database: Database, at: dict[str, int], keeper: Actor
) -> None:
    near = number_of(make.person(database, "near", "B1"))
    database.write(lambda s: grants.give(s, keeper, near, "plain", at["B1"]).id)
    database.write(lambda s: access_tokens.issue(s, keeper, near, "x")[1])
    database.write(lambda s: people.disable(s, keeper, near))
    with database.read() as session:
        names = session.scalars(
            select(Event.name).where(Event.actor_id == keeper.person_id).order_by(Event.id)
        ).all()
        assert names == ["role:given", "token:issued", "person:disabled"]
        assert session.scalar(select(func.count()).where(Event.subject_id == near)) == 4
