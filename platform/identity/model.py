"""The tables of identity.

Roles are definitions; the one in force is copied here when it is published (`roles.save_role`),
so that a permission needs this room's tables only.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..store.model import Base, DocumentJson, Id, Json, Moment


class Unit(Base):
    """A knot of the organisation tree: group, region, main hospital, branch, department.

    path: the ids from the root down to this one, `/1/4/9/`; a subtree is a prefix of it.
    intake_id: the unit below that takes what arrives here without a branch of its own.
    """

    __tablename__ = "unit"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[Any] = mapped_column(Json)
    type: Mapped[str] = mapped_column(String(40))
    parent_id: Mapped[int | None] = mapped_column(Id, ForeignKey("unit.id"), index=True)
    path: Mapped[str] = mapped_column(String(400), index=True)
    time_zone: Mapped[str] = mapped_column(String(60))
    intake_id: Mapped[int | None] = mapped_column(Id, ForeignKey("unit.id"))


class Person(Base):
    """Somebody who works here. Never deleted: the trail speaks of them for years.

    login: lower case ASCII, so that no two look alike. password_hash: argon2id, or none.
    """

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    unit_id: Mapped[int] = mapped_column(Id, ForeignKey("unit.id"), index=True)
    language: Mapped[str] = mapped_column(String(10))
    disabled_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)


class Role(Base):
    """The role document in force, as last published."""

    __tablename__ = "role"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    title: Mapped[Any] = mapped_column(Json)
    document: Mapped[Any] = mapped_column(DocumentJson)
    version: Mapped[int]


class GrantRow(Base):
    """A person holds a role at a unit, from a moment until another (or until it is taken)."""

    __tablename__ = "grant"
    __table_args__ = (
        UniqueConstraint("person_id", "role_key", "unit_id"),
        Index(None, "role_key", "unit_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("person.id"))
    role_key: Mapped[str] = mapped_column(String(40))
    unit_id: Mapped[int] = mapped_column(Id, ForeignKey("unit.id"), index=True)
    since: Mapped[datetime] = mapped_column(Moment)
    until: Mapped[datetime | None] = mapped_column(Moment)


class SignIn(Base):
    """One browser that is signed in. The cookie's token is known here by its SHA-256 only.

    browser, system: what kind it said it was, of the kinds we know (`web.kinds`); none otherwise.
    """

    __tablename__ = "sign_in"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    csrf: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("person.id"), index=True)
    browser: Mapped[str | None] = mapped_column(String(20))
    system: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class HalfSignIn(Base):
    """A browser whose password was right, and whose code is still to come; it may do nothing else.

    token_hash: SHA-256 of what its cookie holds.
    """

    __tablename__ = "half_sign_in"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("person.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class Attempt(Base):
    """Failed sign-ins of one login or one address, counted from the first of them.

    key: SHA-256 of the kind and the login or address (people type passwords into the wrong field).
    address: of a login's row, where the last of them came from. person_id: whose the login is, if
    anybody's. passed: those whose password was right and whose code was still to come. logins: of
    the row about logins that nobody has, how many there were.
    """

    __tablename__ = "sign_in_attempt"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    since: Mapped[datetime] = mapped_column(Moment, index=True)
    tries: Mapped[int]
    address: Mapped[str | None] = mapped_column(String(64))
    person_id: Mapped[int | None] = mapped_column(Id)
    passed: Mapped[int | None]
    logins: Mapped[int | None]


class Invitation(Base):
    """A one-time link by which a person sets a password; one of each person at most.

    token_hash: SHA-256 of what stands in the link.
    """

    __tablename__ = "invitation"

    person_id: Mapped[int] = mapped_column(
        Id, ForeignKey("person.id"), primary_key=True, autoincrement=False
    )
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(Moment)


class AccessToken(Base):
    """What a program holds to act for a person.

    prefix: the part that is no secret, for finding and for showing; hash: SHA-256 of the whole.
    """

    __tablename__ = "access_token"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    prefix: Mapped[str] = mapped_column(String(16), unique=True)
    hash: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("person.id"), index=True)
    title: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)


class SecondFactor(Base):
    """What a person proves themselves with beside the password; without a row, by nothing.

    secret: that of their authenticator app, encrypted. step: the last half minute whose code
    counted; none up to it counts again. wrong: codes in a row that were not right.
    """

    __tablename__ = "second_factor"

    person_id: Mapped[int] = mapped_column(
        Id, ForeignKey("person.id"), primary_key=True, autoincrement=False
    )
    secret: Mapped[str] = mapped_column(String(200))
    since: Mapped[datetime] = mapped_column(Moment)
    step: Mapped[int] = mapped_column(Id)
    wrong: Mapped[int]


class RecoveryCode(Base):
    """A code that stands in for the app's, once: gone when it has. hash: argon2id."""

    __tablename__ = "recovery_code"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("person.id"), index=True)
    hash: Mapped[str] = mapped_column(String(200))
