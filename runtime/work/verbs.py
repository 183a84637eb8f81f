"""`careloom work`: a worker of its own, or one that leaves when nothing is due."""

import signal
import threading

import click
from flask import current_app
from flask.cli import with_appcontext
from redis import RedisError

from ...platform.store import jobs
from ...platform.store.database import Database
from ...platform.verbs.answers import refusals_in_words, told
from ...platform.web.settings import Settings
from .dispatch import drain
from .queues import serve_queue
from .worker import Worker, seal_all


@click.command("work")
@click.option("--burst", is_flag=True, help="Work until nothing is due, then leave.")
@with_appcontext
@refusals_in_words
def work(burst: bool) -> None:
    """Work through what is due until stopped."""
    database: Database = current_app.extensions["careloom.database"]
    settings: Settings = current_app.extensions["careloom.settings"]
    if burst:
        count = drain(database) + jobs.run(database)
        seal_all(database)
        click.echo(told("cli.worked", count=count))
        return
    if settings.redis_url:
        try:
            serve_queue(database, settings.redis_url)
            return
        except RedisError:
            click.echo(told("cli.no_redis"), err=True)
    stay(database)


def stay(database: Database) -> None:
    """A worker without Redis, until the process is told to leave."""
    leave = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: leave.set())
    worker = Worker(database)
    worker.start()
    click.echo(told("cli.working"))
    leave.wait()
    worker.stop()
