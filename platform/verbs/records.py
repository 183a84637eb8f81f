"""careloom import, export, check: records from and to files, and whether all is sound."""

import json
from itertools import chain
from pathlib import Path

import click
from flask.cli import with_appcontext

from ..exports.make import take_at_server
from ..exports.question import Question
from ..identity.tree import unit_by_code
from ..records.bring import Outcome, RowProblem, bring, read_rows
from ..records.check import violations
from ..records.file_check import file_violations
from ..records.sheet import read_sheet
from ..web.uploads import bodies
from .answers import actor_named, database, refusals_in_words, told

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITABLE = click.Path(dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("form")
@click.argument("file", type=READABLE)
@click.option("--map", "mapping", type=READABLE, help='JSON {"header": "key"}; null: leave it out.')
@click.option("--dry-run", is_flag=True, help="Check only.")
@click.option("--accept-good", is_flag=True, help="Bring in the good rows even if some are faulty.")
@click.option("--report", type=WRITABLE, help="Write the outcome to this file as well.")
@click.option("--unit", help="Code of the unit for rows that name none; the root's intake without.")
@click.option("--as", "login", help="Act as this person; as the system itself without.")
@with_appcontext
@refusals_in_words
def import_records(
    form: str,
    file: Path,
    mapping: Path | None,
    dry_run: bool,
    accept_good: bool,
    report: Path | None,
    unit: str | None,
    login: str | None,
) -> None:
    """Bring records into FORM from FILE (CSV or XLSX).

    Prints {"rows","good","bad","duplicates","problems":[{row,column,code,message}]}. With a
    faulty row nothing is written unless --accept-good. Exit status 1 when nothing was written
    because of faulty rows.
    """
    sheet = read_sheet(file.name, file.read_bytes())
    names = json.loads(mapping.read_text("utf-8")) if mapping else {}
    with database().read() as session:
        actor = actor_named(session, login)
        at = unit_by_code(session, unit).id if unit else None
        reading = read_rows(session, actor, form, sheet, mapping=names, unit_id=at)
    outcome = bring(database(), actor, reading, accept_good=accept_good, dry_run=dry_run)
    answer = json.dumps(_answer(outcome), ensure_ascii=False, indent=1)
    click.echo(answer)
    if report is not None:
        report.write_text(answer + "\n", "utf-8")
    if outcome.bad and not outcome.written and not dry_run:
        raise SystemExit(1)


def _answer(outcome: Outcome) -> dict[str, object]:
    return {
        "rows": outcome.rows,
        "good": outcome.good,
        "bad": outcome.bad,
        "duplicates": outcome.duplicates,
        "written": outcome.written,
        "problems": [_problem(problem) for problem in outcome.problems],
    }


def _problem(problem: RowProblem) -> dict[str, object]:
    return {
        "row": problem.row,
        "column": problem.column,
        "code": problem.code,
        "message": told(f"problem.{problem.code}", **problem.params),
    }


@click.command("export")
@click.argument("form")
@click.option("-o", "--output", type=WRITABLE, required=True, help="FILE.csv or FILE.xlsx")
@click.option("--where", help="An expression: only records for which it holds.")
@click.option("--as", "login", help="Act as this person; as the system itself without.")
@with_appcontext
@refusals_in_words
def export_records(form: str, output: Path, where: str | None, login: str | None) -> None:
    """Write FORM's records to a file."""
    with database().read() as session:
        actor = actor_named(session, login)
    question = Question(form, output.suffix.lower().removeprefix("."), where=where or "")
    taken = take_at_server(database(), actor, question, output)
    click.echo(told("cli.exported", rows=taken.rows, file=output.name))


@click.command("check")
@with_appcontext
def check_database() -> None:
    """Verify the live database and its files; every violation on a line, then status 1."""
    count = 0
    with database().read() as session:
        found = chain(violations(session), file_violations(session, bodies()))
        for violation in found:
            click.echo(violation)
            count += 1
    if count:
        raise SystemExit(1)
    click.echo(told("cli.sound"))
