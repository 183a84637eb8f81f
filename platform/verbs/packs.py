"""careloom packs: list, plan, add, diff, export, roll back, and their signatures (`signing`)."""

from collections.abc import Sequence
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from ..identity.actor import SYSTEM
from ..packs.bring_in import bring_in, look
from ..packs.installed import changed_here, export
from ..packs.library import found
from ..packs.model import InstalledPack
from ..packs.plan import Name, Plan
from ..packs.rollback import roll_back
from ..packs.story import Told
from ..web.differences import told as change_told
from ..web.words import phrase
from .answers import database, label, language, refusals_in_words, told
from .signing import SIGNING
from .stories import tell

MOST_CHANGES = 20


@click.group()
def packs() -> None:
    """Blueprint packs: what is installed, what one would change, add one, take it back."""


for verb in SIGNING:
    packs.add_command(verb)


@packs.command("list")
@with_appcontext
def list_packs() -> None:
    """The packs installed here."""
    with database().read() as session:
        for row in session.scalars(select(InstalledPack).order_by(InstalledPack.key)):
            click.echo(f"{row.key}  {row.version}  {label(row.manifest.get('title', row.key))}")


@packs.command("plan")
@click.argument("pack")
@with_appcontext
@refusals_in_words
def plan_pack(pack: str) -> None:
    """What adding PACK (a folder, a zip, or the key of one that comes with Careloom) would do, and
    whether its stories are true; nothing is done."""
    plan, stories = look(database(), found(pack)[0])
    _show(plan, stories)
    if plan.problems or not all(each.passed for each in stories):
        raise SystemExit(1)


def _names(_context: click.Context, _option: click.Parameter, given: Sequence[str]) -> list[Name]:
    """`form/lead_intake` as a kind and a key."""
    pairs = [each.partition("/") for each in given]
    if not all(kind and key for kind, _, key in pairs):
        raise click.BadParameter("KIND/KEY")
    return [(kind, key) for kind, _, key in pairs]


@packs.command("add")
@click.argument("pack")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--take", multiple=True, callback=_names, help="KIND/KEY: take the pack's.")
@click.option("--despite-stories", "despite", is_flag=True, help="Also when stories fail.")
@click.option(
    "--despite-signature",
    "unsigned",
    is_flag=True,
    help="Also when nobody signed it who is trusted here.",
)
@with_appcontext
@refusals_in_words
def add_pack(pack: str, yes: bool, take: list[Name], despite: bool, unsigned: bool) -> None:
    """Install PACK, or upgrade it; what was changed here is kept."""
    read, _ = found(pack)
    if not yes:
        plan, stories = look(database(), read, take)
        _show(plan, stories)
        if not plan.problems:
            if not plan.signed.good and not unsigned:
                asks = told(f"page.plan.despite.{plan.signed.state}", by=plan.signed.by)
                unsigned = click.confirm(asks, abort=True)
            click.confirm(told("cli.go_on"), abort=True)
    done = bring_in(database(), SYSTEM, read, take, despite, unsigned)
    if yes:
        _show(done, [])
    click.echo(told("cli.pack_added", pack=read.key, version=read.version))


@packs.command("diff")
@click.argument("key")
@with_appcontext
@refusals_in_words
def diff_pack(key: str) -> None:
    """What was changed here in an installed pack since it was shipped, in words."""
    with database().read() as session:
        for (kind, name), changes in changed_here(session, SYSTEM, key):
            click.echo(f"{told('kind.' + kind)} {name}")
            for change in changes:
                click.echo(f"    {change_told(language(), change)}")


@packs.command("export")
@click.argument("key")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@with_appcontext
@refusals_in_words
def export_pack(key: str, output: Path) -> None:
    """An installed pack as a zip, with what was changed here."""
    with database().read() as session:
        content = export(session, SYSTEM, key)
    output.write_bytes(content)
    click.echo(told("cli.pack_exported", pack=key, file=output))


@packs.command("rollback")
@click.argument("key")
@with_appcontext
@refusals_in_words
def rollback_pack(key: str) -> None:
    """The state before the pack's last apply, as new versions; nothing is deleted."""
    taken = database().write(lambda session: roll_back(session, SYSTEM, key))
    for word, names in (("back", taken.back), ("kept", taken.kept), ("stay", taken.stay)):
        for kind, name in names:
            click.echo(f"  {told('pack.rolled_' + word)}  {told('kind.' + kind)} {name}")
    click.echo(told("cli.pack_rolled_back", pack=key, version=taken.version))


def _show(plan: Plan, stories: Sequence[Told]) -> None:
    title = label(plan.pack.manifest.get("title", plan.pack.key))
    click.echo(f"{plan.pack.key}  {plan.before or '—'} → {plan.pack.version}  {title}")
    click.echo(f"  {told('page.plan.signed.' + plan.signed.state, by=plan.signed.by)}")
    for step in plan.steps:
        click.echo(f"  {told(f'pack.{step.action}')}  {told('kind.' + step.kind)} {step.key}")
        for change in step.changes[:MOST_CHANGES]:
            click.echo(f"      {change_told(language(), change)}")
        if len(step.changes) > MOST_CHANGES:
            click.echo(f"      {told('pack.more', count=len(step.changes) - MOST_CHANGES)}")
        for power in step.powers:
            click.echo(f"      + {phrase(language(), power)}")
        for warning in step.warnings:
            sentence = told("problem." + warning.code, **warning.params)
            click.echo(f"      ! {warning.path} {sentence}")
    for problem in plan.problems:
        sentence = told("problem." + problem.code, **problem.params)
        click.echo(f"  ! {problem.path}  {sentence}", err=True)
    for each in stories:
        tell(each, steps=not each.passed)
    if stories:
        good = sum(each.passed for each in stories)
        click.echo(told("story.passed", good=good, all=len(stories)))
