"""The organisation from the terminal: `careloom units …`, where nobody can sign in yet."""

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from ..identity.actor import SYSTEM
from ..identity.tree import tree, unit_by_code
from ..identity.units import add_unit, set_intake
from .answers import database, label, refusals_in_words, told

units = AppGroup("units", help="The organisation: group, regions, branches, departments.")


@units.command("add")
@click.argument("code")
@click.argument("name")
@click.option("--type", "kind", default="branch", show_default=True, help="group, region, branch …")
@click.option("--under", help="The code of the unit above; none: it is the root.")
@click.option("--time-zone", help="For example Asia/Shanghai; that of the unit above if not given.")
@click.option("--intake", is_flag=True, help="What arrives at the unit above is this one's.")
@refusals_in_words
def add(
    code: str, name: str, kind: str, under: str | None, time_zone: str | None, intake: bool
) -> None:
    """Add a unit with a CODE to know it by and a NAME people read."""

    def deed(session: Session) -> None:
        above = unit_by_code(session, under) if under else None
        parent = above.id if above else None
        made = add_unit(session, SYSTEM, code, name, kind, parent, time_zone)
        if intake and above:
            set_intake(session, SYSTEM, above.id, made.id)

    database().write(deed)
    click.echo(told("cli.units.added", code=code))


@units.command("list")
@refusals_in_words
def show() -> None:
    """Every unit below the one it belongs to: code, type, name."""
    with database().read() as session:
        for place in sorted(tree(session).places.values(), key=lambda place: place.path):
            depth = place.path.count("/") - 2
            click.echo(f"{'  ' * depth}{place.code}\t{place.type}\t{label(place.title)}")
