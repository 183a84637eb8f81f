"""careloom packs: list, plan, add."""

from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from ..identity.actor import SYSTEM
from ..packs.apply import apply_pack
from ..packs.model import InstalledPack
from ..packs.plan import Plan, plan
from ..packs.read import read_pack
from .answers import database, label, refusals_in_words, told

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def packs() -> None:
    """Blueprint packs: what is installed, what one would change, add one."""


@packs.command("list")
@with_appcontext
def list_packs() -> None:
    """The packs installed here."""
    with database().read() as session:
        for row in session.scalars(select(InstalledPack).order_by(InstalledPack.key)):
            click.echo(f"{row.key}  {row.version}  {label(row.manifest.get('title', row.key))}")


@packs.command("plan")
@click.argument("folder", type=FOLDER)
@with_appcontext
@refusals_in_words
def plan_pack(folder: Path) -> None:
    """What adding a pack would do; nothing is done."""
    with database().read() as session:
        found = plan(session, read_pack(folder))
    _show(found)
    if found.problems:
        raise SystemExit(1)


@packs.command("add")
@click.argument("folder", type=FOLDER)
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
@refusals_in_words
def add_pack(folder: Path, yes: bool) -> None:
    """Install a pack, or upgrade it."""
    pack = read_pack(folder)
    with database().read() as session:
        found = plan(session, pack)
    _show(found)
    if not found.problems and not yes:
        click.confirm(told("cli.go_on"), abort=True)
    database().write(lambda session: apply_pack(session, SYSTEM, pack))
    click.echo(told("cli.pack_added", pack=pack.key, version=pack.version))


def _show(found: Plan) -> None:
    title = label(found.pack.manifest.get("title", found.pack.key))
    click.echo(f"{found.pack.key}  {found.before or '—'} → {found.pack.version}  {title}")
    for step in found.steps:
        action = told(f"pack.{step.action}")
        click.echo(f"  {action}  {told('kind.' + step.kind)} {step.key}")
    for problem in found.problems:
        sentence = told("problem." + problem.code, **problem.params)
        click.echo(f"  ! {problem.path}  {sentence}", err=True)
