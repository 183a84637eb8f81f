"""careloom jobs: what the store has left to do, and doing it now."""

import click
from flask.cli import with_appcontext

from ..store import jobs as deeds
from .answers import database, refusals_in_words, told


@click.group()
def jobs() -> None:
    """The store's own work: indexes to build, values to compute or to encrypt anew."""


@jobs.command("list")
@with_appcontext
def list_jobs() -> None:
    """Every job: what, of which form, how many records are done, and what went wrong."""
    with database().read() as session:
        found = deeds.waiting(session)
    for row in found:
        what = told(f"job.{row.kind}", form=row.form, about=row.about)
        error = f"  {row.error}" if row.error else ""
        click.echo(f"{what}  {told('cli.jobs.done', count=row.done)}{error}")
    if not found:
        click.echo(told("cli.jobs.none"))


@jobs.command("run")
@with_appcontext
@refusals_in_words
def run_jobs() -> None:
    """Work until nothing is due; what is still waiting then is listed with status 1."""
    deeds.run(database())
    with database().read() as session:
        left = deeds.waiting(session)
    for row in left:
        words = row.error or told("cli.jobs.elsewhere")
        click.echo(f"{told(f'job.{row.kind}', form=row.form, about=row.about)}  {words}", err=True)
    if left:
        raise SystemExit(1)
    click.echo(told("cli.jobs.none"))
