"""`careloom demo`: months of leads for the clinic that `careloom setup --demo` set up."""

import click
from flask import current_app
from flask.cli import with_appcontext

from ...platform.store.database import Database
from ...platform.verbs.answers import refusals_in_words, told
from .present import write_present
from .write import days_of, write_past


@click.command("demo")
@click.option("--months", default=3, show_default=True, type=click.IntRange(1, 24))
@with_appcontext
@refusals_in_words
def demo(months: int) -> None:
    """Load made-up leads of the last months; run again, it adds only the days since."""
    database: Database = current_app.extensions["careloom.database"]
    until = database.clock.now()
    days = days_of(months, until.date())
    with click.progressbar(length=days, label=told("cli.demo_leads")) as bar:
        past = write_past(database, days, until, lambda done, _all: bar.update(done - bar.pos))
    today = write_present(database, until)
    click.echo(told("cli.demo_loaded", past=past, today=today))
