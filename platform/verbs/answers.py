"""How a verb answers: refusals in words, each problem with its place, and an exit status."""

import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..identity.actor import SYSTEM, Actor, actor_of
from ..identity.model import Person
from ..identity.reach import login_of
from ..store.away import no_room
from ..store.database import Database
from ..store.errors import NotFound, Refusal
from ..web.words import say, text

P = ParamSpec("P")
R = TypeVar("R")


def language() -> str:
    """The language of the terminal, as far as we speak it; Chinese when nobody says."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "en" if value.lower().startswith("en") else "zh-CN"
    return "zh-CN"


def told(key: str, /, **params: object) -> str:
    """The sentence for a key in the terminal's language."""
    return say(language(), key, **params)


def label(value: object) -> str:
    """A definition's label in the terminal's language."""
    return text(value, language())


def database() -> Database:
    """The database the settings name."""
    found = current_app.extensions["careloom.database"]
    assert isinstance(found, Database)
    return found


def refusals_in_words(verb: Callable[P, R]) -> Callable[P, R]:
    """Say a refusal with all its problems, or that the disk is full, and leave with status 1."""

    @wraps(verb)
    def told_verb(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return verb(*args, **kwargs)
        except Refusal as refusal:
            click.echo(told(f"problem.{refusal.code}", **refusal.params), err=True)
            for problem in refusal.problems:
                sentence = told(f"problem.{problem.code}", **problem.params)
                click.echo(f"  {problem.path or '/'}  {sentence}", err=True)
            raise SystemExit(1) from None
        except OSError as error:
            if not no_room(error):
                raise
            click.echo(told("problem.E_DISK_FULL"), err=True)
            raise SystemExit(1) from None

    return told_verb


def actor_named(session: Session, login: str | None) -> Actor:
    """Who a verb acts as: a person by login, else the system itself (whoever may run it here
    holds the data folder anyway). Raises NotFound."""
    if login is None:
        return SYSTEM
    found = session.scalar(select(Person.id).where(Person.login == login_of(login)))
    if found is None:
        raise NotFound("E_NO_PERSON", login=login)
    return actor_of(session, found)
