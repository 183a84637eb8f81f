"""careloom setup: create the database or bring it up to date; with --demo, also the demo clinic."""

import click
from flask.cli import with_appcontext

from ..identity.roles import role_document
from ..packs.library import at_hand
from ..records.standing import begin_keys
from ..store.upgrade import upgrade
from .answers import database, label, refusals_in_words, told
from .demo import SignIn, load_demo


@click.command("setup")
@click.option("--demo", is_flag=True, help="Also load the demo clinic.")
@with_appcontext
@refusals_in_words
def setup(demo: bool) -> None:
    """Create or upgrade the database; run again, it changes nothing. Says which packs that come
    with Careloom are newer than those installed."""
    store = database()
    upgrade(store.url)
    begin_keys(store)
    if demo:
        _print(load_demo(store))
    click.echo(told("cli.ready"))
    with store.read() as session:
        for pack, here in at_hand(session):
            if here is not None:
                title = label(pack.manifest.get("title", pack.key))
                click.echo(told("cli.pack_newer", title=title, pack=pack.key))


def _print(people: list[SignIn]) -> None:
    if any(person.password for person in people):
        click.echo(told("cli.who_may_sign_in"))
    with database().read() as session:
        for person in people:
            titles = [
                label(document["title"])
                for role in person.roles
                if (document := role_document(session, role))
            ]
            password = person.password or told("cli.password_given")
            click.echo(
                f"  {person.login:<12}{password:<18}{person.name}"
                f"  {' / '.join(titles)}  {label(person.unit)}"
            )
