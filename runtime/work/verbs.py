"""`careloom work`: a worker of its own, or one that leaves when nothing is due."""

import signal
from queue import SimpleQueue

import click
from flask import current_app
from flask.cli import with_appcontext

from ...platform.outbound.client import Client
from ...platform.records.standing import require_standing
from ...platform.store import jobs
from ...platform.store.database import Database
from ...platform.verbs.answers import refusals_in_words, told
from ...platform.web.logs import write_lines
from ...platform.web.settings import Settings
from .calling import send_due
from .dispatch import drain
from .worker import Worker, seal_all


@click.command("work")
@click.option("--burst", is_flag=True, help="Work until nothing is due, then leave.")
@with_appcontext
@refusals_in_words
def work(burst: bool) -> None:
    """Work through what is due until stopped."""
    database: Database = current_app.extensions["careloom.database"]
    settings: Settings = current_app.extensions["careloom.settings"]
    require_standing(database)
    if burst:
        client = Client(settings.outbound)
        count = jobs.run(database)
        while done := drain(database) + send_due(database, client):
            count += done
        seal_all(database)
        click.echo(told("cli.worked", count=count))
        return
    write_lines()
    stay(database, settings.redis_url, Client(settings.outbound))


def stay(database: Database, redis_url: str = "", client: Client | None = None) -> None:
    """Work until the process is told to leave, then finish the batch at hand."""
    told_to_leave: SimpleQueue[int] = SimpleQueue()  # the one thing a signal may safely fill
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _: told_to_leave.put(number))
    worker = Worker(database, redis_url, client)
    worker.start()
    click.echo(told("cli.working"))
    told_to_leave.get()
    worker.stop()
