"""careloom backup and careloom restore: everything into one file, and back into an empty home."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from ..events.log import append
from ..identity.actor import SYSTEM
from ..records.backup import back_up
from ..records.bring_back import bring_back
from ..web.uploads import bodies
from .answers import database, refusals_in_words, told

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITABLE = click.Path(dir_okay=False, path_type=Path)
SUBJECT = ("backup", 0)


@click.command("backup")
@click.argument("file", type=WRITABLE)
@click.option(
    "--without-keys", is_flag=True, help="Leave the keys of encrypted fields out; keep them apart."
)
@with_appcontext
@refusals_in_words
def backup(file: Path, without_keys: bool) -> None:
    """Write everything to FILE while serving: rows, attached files, keys, anchors."""
    made = back_up(database(), bodies(), file, with_keys=not without_keys)
    rows, files = sum(made.rows.values()), made.rows.get("file", 0)
    data = {"rows": rows, "files": files, "seq": made.seq}
    database().write(lambda s: append(s, "backup:made", SYSTEM, SUBJECT, None, data))
    click.echo(told("cli.backup.made", file=file.name, rows=rows, files=files))
    numbers = ", ".join(f"{number}.key" for number in made.keys)
    click.echo(told("cli.backup.with_keys" if made.with_keys else "cli.backup.keys", keys=numbers))


@click.command("restore")
@click.argument("file", type=READABLE)
@with_appcontext
@refusals_in_words
def restore(file: Path) -> None:
    """Restore FILE into an empty database and data folder, of either kind."""
    made = bring_back(database(), bodies(), file)
    data = {"made_at": made.made_at, "seq": made.seq}
    database().write(lambda s: append(s, "backup:restored", SYSTEM, SUBJECT, None, data))
    rows = sum(made.rows.values())
    click.echo(told("cli.backup.restored", rows=rows, at=made.made_at))
