"""Serving: `careloom run`, and what can be set: `careloom settings`."""

import click
from flask import current_app
from flask.cli import with_appcontext

from ..records.standing import require_standing
from ..web.serve import serve
from ..web.settings import SETTINGS, Settings
from .answers import database, refusals_in_words


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), help="PORT (8000) when not given.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--no-work", is_flag=True, help="Serve only; `careloom work` does the rest.")
@with_appcontext
@refusals_in_words
def run(host: str, port: int | None, workers: int, no_work: bool) -> None:
    """Serve Careloom, with the worker inside unless told otherwise."""
    settings: Settings = current_app.extensions["careloom.settings"]
    require_standing(database())
    database().close()  # each serving process opens its own
    serve(settings, host, port or settings.port, workers, not no_work)


@click.command("settings")
def show_settings() -> None:
    """Every setting there is: its variable, its default, and what it means."""
    for setting in SETTINGS:
        click.echo(f"{setting.name} [{setting.default}]\n    {setting.says}")
