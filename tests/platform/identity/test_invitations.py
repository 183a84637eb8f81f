"""One-time links: whoever holds one sets a password, once and in time; who may give one out."""

from datetime import timedelta

import make
import pytest

from careloom.platform.identity import (
    access_tokens,
    attempts,
    grants,
    invitations,
    people,
    sessions,
)
from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.identity.model import Invitation
from careloom.platform.identity.roles import save_role
from careloom.platform.store.clock import TurnedClock
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Conflict, NotAllowed, NotFound, NotSignedIn

IDLE = timedelta(hours=1)


@pytest.fixture(autouse=True)
def at(sqlite: Database) -> dict[str, int]:
    def roles(session: object) -> None:
        for key, rights in (("keeper", ["people.*"]), ("mighty", ["definitions.publish"])):
            save_role(session, make.role(key, {}, rights), 1)  # type: ignore[arg-type]

    at = make.organisation(sqlite)
    sqlite.write(roles)
    return at


@pytest.fixture
def keeper(sqlite: Database) -> Actor:
    return make.person(sqlite, "keeper", "B1", "keeper")


def number(actor: Actor) -> int:
    assert actor.person_id is not None
    return actor.person_id


def invite(database: Database, actor: Actor, whom: Actor) -> invitations.Invited:
    return database.write(lambda s: invitations.invite(s, actor, number(whom)))


def refused(database: Database, token: str) -> bool:
    try:
        with database.read() as session:
            invitations.invited(session, token)
    except NotFound as refusal:
        return refusal.code == "E_INVITATION"
    return False


def test_a_link_is_used_once_and_what_it_sets_ends_all_else(
    sqlite: Database, keeper: Actor
) -> None:
    lin = make.person(sqlite, "lin", "B1")
    begun = sqlite.write(lambda s: sessions.begin(s, number(lin), IDLE))
    token = sqlite.write(lambda s: access_tokens.issue(s, SYSTEM, number(lin), "x")[1])
    for _ in range(attempts.PER_LOGIN + 1):
        sqlite.write(lambda s: attempts.count(s, "lin", "10.0.0.1"))
    link = invite(sqlite, keeper, lin)
    with sqlite.read() as session:
        assert invitations.invited(session, link.token).login == "lin"
        assert invitations.waiting(session, number(lin)) == link.expires_at
    sqlite.write(lambda s: people.accept_invitation(s, link.token, "hash").id)
    assert refused(sqlite, link.token)
    with pytest.raises(NotFound):
        sqlite.write(lambda s: people.accept_invitation(s, link.token, "other").id)
    with sqlite.read() as session:
        assert people.credentials(session, "lin").password_hash == "hash"
        with pytest.raises(NotSignedIn):
            sessions.current(session, begun.token)
        with pytest.raises(NotSignedIn):
            access_tokens.check(session, token)
    assert sqlite.write(lambda s: attempts.count(s, "lin", "10.0.0.1")).wait == 0


def test_the_database_knows_no_link(sqlite: Database, keeper: Actor) -> None:
    link = invite(sqlite, keeper, make.person(sqlite, "lin", "B1"))
    with sqlite.read() as session:
        row = session.get_one(Invitation, link.person_id)
        assert link.token not in (row.token_hash, str(row.person_id)) and len(row.token_hash) == 64


def test_a_first_link_holds_for_days_and_one_that_replaces_a_password_for_minutes(
    sqlite: Database, keeper: Actor, clock: TurnedClock
) -> None:
    lin = make.person(sqlite, "lin", "B1")
    first = invite(sqlite, keeper, lin)
    clock.turn(timedelta(days=2, hours=23))
    assert not refused(sqlite, first.token)
    clock.turn(timedelta(hours=1))
    assert refused(sqlite, first.token)
    sqlite.write(lambda s: people.set_password(s, SYSTEM, number(lin), "hash"))
    again = invite(sqlite, keeper, lin)
    clock.turn(timedelta(minutes=29))
    assert not refused(sqlite, again.token)
    clock.turn(timedelta(minutes=1))
    assert refused(sqlite, again.token)


def test_a_newer_link_a_new_password_and_disabling_end_it(sqlite: Database, keeper: Actor) -> None:
    lin = make.person(sqlite, "lin", "B1")
    ends = [
        lambda s: invitations.invite(s, keeper, number(lin)) and None,
        lambda s: people.set_password(s, keeper, number(lin), "hash"),
        lambda s: people.disable(s, keeper, number(lin)),
    ]
    for end in ends:
        link = invite(sqlite, keeper, lin)
        sqlite.write(end)
        assert refused(sqlite, link.token)
    with pytest.raises(Conflict) as refusal:
        invite(sqlite, keeper, lin)
    assert refusal.value.code == "E_DISABLED"


@pytest.mark.parametrize("token", ["", "null", "0", "true", "[]", "{}", "%", "é\ud800", "a" * 4000])
def test_what_is_no_link_is_refused_like_one_that_has_ended(
    sqlite: Database, keeper: Actor, token: str
) -> None:
    invite(sqlite, keeper, make.person(sqlite, "lin", "B1"))
    assert refused(sqlite, token)
    with pytest.raises(NotFound):
        sqlite.write(lambda s: people.accept_invitation(s, token, "hash").id)


def test_nobody_takes_over_an_account_that_may_more_than_they(
    sqlite: Database, keeper: Actor, at: dict[str, int]
) -> None:
    boss = make.person(sqlite, "boss", "B1", "mighty")
    deeds = [
        lambda s: invitations.invite(s, keeper, number(boss)) and None,
        lambda s: people.set_password(s, keeper, number(boss), "hash"),
        lambda s: access_tokens.issue(s, keeper, number(boss), "x")[1],
    ]
    for deed in deeds:
        with pytest.raises(NotAllowed) as refusal:
            sqlite.write(deed)
        assert refusal.value.code == "E_MORE_THAN_OWN"


def test_a_link_is_given_only_where_the_right_is_held_and_not_to_oneself(
    sqlite: Database, keeper: Actor
) -> None:
    far = make.person(sqlite, "far", "B2")
    with pytest.raises(NotFound):
        invite(sqlite, keeper, far)
    with pytest.raises(NotFound):
        invite(sqlite, far, keeper)
    with pytest.raises(Conflict):
        invite(sqlite, keeper, keeper)


def test_a_lock_is_ended_by_who_administers_people(sqlite: Database, keeper: Actor) -> None:
    lin, far = make.person(sqlite, "lin", "B1"), make.person(sqlite, "far", "B2")
    for login in ("lin", "far"):
        for _ in range(attempts.PER_LOGIN + 1):
            sqlite.write(lambda s, its=login: attempts.count(s, its, "10.0.0.1"))
    sqlite.write(lambda s: people.let_try_again(s, keeper, number(lin)))
    assert sqlite.write(lambda s: attempts.count(s, "lin", "10.0.0.2")).wait == 0
    with pytest.raises(NotFound):
        sqlite.write(lambda s: people.let_try_again(s, keeper, number(far)))


def test_nobody_takes_a_role_from_themselves(
    sqlite: Database, keeper: Actor, at: dict[str, int]
) -> None:
    with pytest.raises(NotAllowed) as refusal:
        sqlite.write(lambda s: grants.take(s, keeper, number(keeper), "keeper", at["B1"]))
    assert refusal.value.code == "E_OWN_GRANT"
