"""careloom keys: those that encrypted fields are written with."""

import click
from flask.cli import with_appcontext

from ..identity.actor import SYSTEM
from ..records import new_key
from ..store.encrypted import keyring
from .answers import database, refusals_in_words, told


@click.group()
def keys() -> None:
    """The keys of encrypted fields, in the data folder."""


@keys.command("list")
@with_appcontext
def list_keys() -> None:
    """Every key by its number: which is the newest, and which are still needed."""
    ring = keyring(database().home)
    newest = ring.newest()
    for number in ring.numbers():
        with database().read() as session:
            used = new_key.in_use(session, number)
        state = "newest" if number == newest else "used" if used else "unused"
        click.echo(f"{number}  {told('cli.keys.' + state)}")


@keys.command("rotate")
@with_appcontext
@refusals_in_words
def rotate() -> None:
    """Make a new key. What older ones wrote is written anew by jobs (`careloom jobs list`)."""
    number = keyring(database().home).rotate()
    forms = database().write(lambda session: new_key.ask_for(session, SYSTEM, number))
    click.echo(told("cli.keys.rotated", number=number, forms=len(forms)))


@keys.command("drop")
@click.argument("number", type=int)
@with_appcontext
@refusals_in_words
def drop(number: int) -> None:
    """Remove an old key that nothing needs any more. Backups made before need it still."""
    ring = database().write(lambda session: new_key.drop(session, SYSTEM, number))
    ring.drop(number)
    click.echo(told("cli.keys.dropped", number=number))
