"""People and access tokens: `careloom people …`, `careloom tokens …`."""

import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..identity import access_tokens, grants, passwords, second_factor
from ..identity import people as deeds
from ..identity.actor import SYSTEM
from ..identity.model import Person
from ..identity.own_words import own_words
from ..identity.reach import login_of, person_by_login
from ..identity.tree import unit_by_code
from ..store.session import moment
from .answers import database, refusals_in_words, told

people = AppGroup("people", help="The people who work here.")
tokens = AppGroup("tokens", help="What programs hold to act for a person.")


def _password_hash(login: str, name: str, from_stdin: bool) -> str:
    """A sound password, asked for twice or read from standard input, hashed."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt(
            told("cli.people.password"), hide_input=True, confirmation_prompt=True
        )
    with database().read() as session:
        words = own_words(session, current_app.extensions["careloom.settings"].public_url)
    passwords.require_sound(password, login, name, words)
    return passwords.hashed(password)


@people.command("add")
@click.argument("login")
@click.option("--role", "roles", multiple=True, required=True, help="A role's key; repeatable.")
@click.option("--unit", required=True, help="The code of the unit they work at.")
@click.option("--name", help="Their name; the login when not given.")
@click.option("--language", type=click.Choice(["zh-CN", "en"]), default="zh-CN")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@refusals_in_words
def add(
    login: str,
    roles: tuple[str, ...],
    unit: str,
    name: str | None,
    language: str,
    password_stdin: bool,
) -> None:
    """Add a person with roles at a unit."""
    hashed = _password_hash(login, name or login, password_stdin)

    def deed(session: Session) -> None:
        place = unit_by_code(session, unit)
        person = deeds.add_person(session, SYSTEM, login, name or login, place.id, hashed, language)
        for role in roles:
            grants.give(session, SYSTEM, person.id, role, place.id)

    database().write(deed)
    click.echo(told("cli.people.added", login=login_of(login)))


@people.command("list")
@refusals_in_words
def show() -> None:
    """Everybody: login, name, disabled or not."""
    with database().read() as session:
        for person in session.scalars(select(Person).order_by(Person.login)):
            state = told("cli.people.disabled") if person.disabled_at else ""
            click.echo(f"{person.login}\t{person.name}\t{state}".rstrip())


@people.command("disable")
@click.argument("login")
@refusals_in_words
def disable(login: str) -> None:
    """Let a person act no more, from their next request on."""
    database().write(
        lambda session: deeds.disable(session, SYSTEM, person_by_login(session, login).id)
    )


@people.command("enable")
@click.argument("login")
@refusals_in_words
def enable(login: str) -> None:
    """Let a disabled person sign in again."""
    database().write(
        lambda session: deeds.enable(session, SYSTEM, person_by_login(session, login).id)
    )


@people.command("password")
@click.argument("login")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@refusals_in_words
def password(login: str, password_stdin: bool) -> None:
    """Set a person's password; every sign-in and token of theirs ends."""
    with database().read() as session:
        person = person_by_login(session, login)
    hashed = _password_hash(person.login, person.name, password_stdin)
    database().write(lambda session: deeds.set_password(session, SYSTEM, person.id, hashed))


@people.command("take-factor")
@click.argument("login")
@refusals_in_words
def take_factor(login: str) -> None:
    """Take a person's second factor away: they lost telephone and recovery codes, and there is no
    administrator left to do it. They sign in by the password alone; every sign-in of theirs ends.
    """

    def deed(session: Session) -> None:
        second_factor.take_away(session, SYSTEM, person_by_login(session, login).id)

    database().write(deed)
    click.echo(told("cli.people.factor_taken", login=login_of(login)))


@people.command("give")
@click.argument("login")
@click.argument("role")
@click.argument("unit")
@refusals_in_words
def give(login: str, role: str, unit: str) -> None:
    """Give a person a role at a unit."""
    _grant(grants.give, login, role, unit)


@people.command("take")
@click.argument("login")
@click.argument("role")
@click.argument("unit")
@refusals_in_words
def take(login: str, role: str, unit: str) -> None:
    """Take a role at a unit from a person."""
    _grant(grants.take, login, role, unit)


def _grant(deed: Callable[..., Any], login: str, role: str, unit: str) -> None:
    def write(session: Session) -> None:
        person, place = person_by_login(session, login), unit_by_code(session, unit)
        deed(session, SYSTEM, person.id, role, place.id)

    database().write(write)


@tokens.command("issue")
@click.argument("login")
@click.option("--title", default="command line", help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it holds; else for ever.")
@refusals_in_words
def issue(login: str, title: str, days: int | None) -> None:
    """Issue an access token; it is printed this once, alone on its line."""

    def deed(session: Session) -> str:
        person = person_by_login(session, login)
        until = moment(session) + timedelta(days=days) if days else None
        return access_tokens.issue(session, SYSTEM, person.id, title, until)[1]

    click.echo(database().write(deed))


@tokens.command("list")
@click.argument("login")
@refusals_in_words
def list_tokens(login: str) -> None:
    """A person's tokens: public part, title, whether it holds."""
    with database().read() as session:
        person = person_by_login(session, login)
        for token in access_tokens.tokens_of(session, SYSTEM, person.id):
            state = told("cli.tokens.revoked") if token.revoked_at else ""
            click.echo(f"clm_{token.prefix}\t{token.title}\t{state}".rstrip())


@tokens.command("revoke")
@click.argument("prefix")
@refusals_in_words
def revoke(prefix: str) -> None:
    """Revoke a token, named by its public part (`clm_…`)."""

    def deed(session: Session) -> None:
        token = access_tokens.by_prefix(session, prefix)
        access_tokens.revoke(session, SYSTEM, token.id)

    database().write(deed)
