"""Pages that bring in a file of records: choose it, look at what it would do, write it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ...platform.definitions.fields import Field
from ...platform.definitions.form import Form
from ...platform.identity.actor import Actor
from ...platform.identity.permissions import access
from ...platform.records.bring import columns_of
from ...platform.records.formula_cells import kept_text
from ...platform.records.shape import shape_of
from ...platform.records.sheet import Sheet, read_sheet
from ...platform.store.errors import Invalid, Malformed, NotFound, Problem, Refusal
from ...platform.web.parts import Trouble
from ...platform.web.request import current_database, reading, who
from ...platform.web.routes import SIGNED_IN, route
from ...platform.web.uploads import bodies, take_in
from . import uploads
from .carry import MOST_PREVIEW, begin, resume
from .pages import lines, reader_of
from .show import Reader, link_labels, shown, troubles

area = Blueprint("imports", __name__)

NOWHERE = ""
PREVIEW_COLUMNS = 8
MOST_SHOWN = 300  # faults on the page; the file has more


def _opened(form_key: str) -> tuple[Session, Actor, Reader, Form]:
    """The form, for one who may import into it. Raises NotFound, NotAllowed."""
    actor = who()
    session = reading()
    form = shape_of(session, form_key).form
    access(session, actor, form_key).need("import")
    return session, actor, reader_of(session, actor), form


@route(area, "/records/<form_key>/import", needs=SIGNED_IN, endpoint="choose")
def choose(form_key: str) -> ResponseReturnValue:
    """`pages/import.html` with step `choose`: title, url, list_url, fields, problems."""
    _session, actor, reader, form = _opened(form_key)
    return _choose(actor, reader, form)


def _choose(actor: Actor, reader: Reader, form: Form, problems: Sequence[Trouble] = ()) -> str:
    return render_template(
        "pages/import.html", step="choose", **_frame(actor, reader, form, problems)
    )


def _frame(actor: Actor, reader: Reader, form: Form, problems: Sequence[Trouble]) -> dict[str, Any]:
    url = f"/records/{form.key}/import"
    return {
        "title": reader.text(form.title),
        "url": url,
        "list_url": f"/records/{form.key}",
        "fields": [
            {"key": its.key, "title": reader.text(its.title), "must": its.required}
            for its in importable(form)
        ],
        "problems": problems,
    }


def importable(form: Form) -> list[Field]:
    """The fields a file may fill, what has to be there first."""
    fields = [its for its in form.ordered if not (its.value or its.type.generated)]
    return sorted(fields, key=lambda its: (not its.required, its.written_by_flow))


@route(area, "/records/<form_key>/import", methods=("POST",), needs=SIGNED_IN)
def upload(form_key: str) -> ResponseReturnValue:
    """Keep the file, check it, and lead on to what it would do."""
    _session, actor, reader, form = _opened(form_key)
    file = request.files.get("file")
    if file is None or not file.filename:
        said = [Trouble(reader.say("page.import.no_file"))]
        return _choose(actor, reader, form, said), 422
    content = file.read()
    try:
        sheet = read_sheet(file.filename, content)
    except Malformed as refusal:
        return _choose(actor, reader, form, lines(reader, form, refusal)), 422
    assert actor.person_id is not None
    try:
        body = take_in(file)
    except Invalid as refusal:
        return _choose(actor, reader, form, troubles(reader, None, refusal.problems)), 422
    with current_database().read() as fresh:
        mapping = {**guessed(form, sheet), **uploads.remembered(fresh, form_key, sheet.headers)}
    kept = uploads.keep(
        current_database(), bodies(), body, actor.person_id, actor.unit_id, form_key, sheet
    )
    begin(kept, mapping, write=False, good=False)
    return redirect(f"/records/{form_key}/import/{kept.token}", 303)


def guessed(form: Form, sheet: Sheet) -> dict[str, str | None]:
    """Each header with the field it names, or None."""
    found: dict[str, str | None] = {}
    for header in sheet.headers:
        try:
            fields = columns_of(form, [header], {}) if header else {}
        except Malformed:
            fields = {}
        key = fields[0].key if fields else None
        found[header] = None if key in found.values() else key
    return found


@route(area, "/records/<form_key>/import/<token>", needs=SIGNED_IN, endpoint="look")
def look(form_key: str, token: str) -> ResponseReturnValue:
    """`pages/import.html` with step `look` (counts, mapping, unmapped, problem_rows, problem_count,
    preview_heads, preview_rows, file_name, upload), `under_way` (done, of, stopped) or `done`
    (counts)."""
    _session, actor, reader, form = _opened(form_key)
    try:
        kept = _kept(actor, token, form_key)
        note = kept.note()
    except NotFound:
        said = [Trouble(reader.say("page.import.gone"))]
        return _choose(actor, reader, form, said), 404
    return _draw(actor, reader, form, kept, note)


def _draw(
    actor: Actor,
    reader: Reader,
    form: Form,
    kept: uploads.Upload,
    note: Mapping[str, Any],
    said: Sequence[Trouble] = (),
) -> ResponseReturnValue:
    frame = _frame(actor, reader, form, [*_refused(reader, form, note), *said])
    frame["action"] = f"{frame['url']}/{kept.token}"
    if note["state"] in ("checking", "writing"):
        of = max(int(note["of"]), 1)
        stopped = note["silent"]
        page = render_template(
            "pages/import.html",
            step="under_way",
            writing=note["state"] == "writing",
            share=min(100 * int(note["done"]) // of, 99),
            stopped=stopped,
            **frame,
        )
        return page, 200, {} if stopped else {"Refresh": "1"}
    if note["state"] == "done":
        return render_template("pages/import.html", step="done", counts=note["counts"], **frame)
    sheet = kept.sheet()
    found = note.get("row_problems", [])
    mapping = _mapping(sheet, note["mapping"])
    return render_template(
        "pages/import.html",
        step="look",
        counts=note.get("counts")
        or {"rows": len(sheet.rows), "good": 0, "bad": 0, "duplicates": 0},
        file_name=note["name"],
        mapping=mapping,
        unmapped=sum(not column["field"] for column in mapping),
        problem_rows=[_problem(reader, sheet, each) for each in found[:MOST_SHOWN]],
        problems_url=f"{frame['action']}/problems" if found else "",
        problem_count=note.get("problem_count", 0),
        **_preview(reader, form, note.get("preview", [])),
        **frame,
    )


def _kept(actor: Actor, token: str, form_key: str) -> uploads.Upload:
    """One's own upload. Raises NotFound."""
    return uploads.find(current_database(), bodies(), actor.person_id or 0, token, form_key)


@route(area, "/records/<form_key>/import/<token>/problems", needs=SIGNED_IN, endpoint="problems")
def problems_file(form_key: str, token: str) -> ResponseReturnValue:
    """The faulty rows as a file to be mended and brought again: what is wrong, then the row."""
    _session, actor, reader, _form = _opened(form_key)
    kept = _kept(actor, token, form_key)
    note, sheet = kept.note(), kept.sheet()
    said: dict[int, list[str]] = {}
    for each in note.get("row_problems", ()):
        problem = _problem(reader, sheet, each)
        words = f"{problem['column']}{reader.say('page.colon')}{problem['words']}"
        said.setdefault(each["row"], []).append(words)
    out = io.StringIO()
    writer = csv.writer(out)
    heads = (reader.say("page.import.row"), reader.say("page.import.what"))
    writer.writerow([*heads, *(kept_text(header) for header in sheet.headers)])
    for number, cells in sheet.rows:
        if number in said:
            what = " ".join(said[number])
            writer.writerow([number, kept_text(what), *(kept_text(cell) for cell in cells)])
    answer = make_response(out.getvalue().encode("utf-8-sig"))
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = "attachment; filename=problems.csv"
    return answer


def _refused(reader: Reader, form: Form, note: Mapping[str, Any]) -> list[Trouble]:
    refused = note.get("refusal") if note["state"] == "refused" else None
    if not refused:
        return []
    problems = [Problem(path, code, params) for path, code, params in refused["problems"]]
    words = reader.say(f"problem.{refused['code']}", **refused["params"])
    return troubles(reader, form, problems) or [Trouble(words)]


def _mapping(sheet: Sheet, mapping: Mapping[str, str | None]) -> list[dict[str, str]]:
    return [
        {
            "header": header,
            "field": mapping.get(header) or NOWHERE,
            "sample": next((str(c[at]) for _, c in sheet.rows if at < len(c) and c[at]), "")[:60],
        }
        for at, header in enumerate(sheet.headers)
        if header
    ]


def _problem(reader: Reader, sheet: Sheet, problem: Mapping[str, Any]) -> dict[str, Any]:
    column, value = problem["column"], ""
    if column in sheet.headers:
        at = sheet.headers.index(column)
        cells = next((cells for number, cells in sheet.rows if number == problem["row"]), [])
        value = "" if at >= len(cells) or cells[at] is None else str(cells[at])[:40]
    words = reader.say(f"problem.{problem['code']}", **problem["params"])
    return {"row": problem["row"], "column": column, "value": value, "words": words}


def _preview(reader: Reader, form: Form, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The first good rows in words: what they will be called, then in the order of the form."""
    filled = [its for its in form.ordered if any(its.key in row for row in rows)]
    used = sorted(filled, key=lambda its: its.key != form.label)[:PREVIEW_COLUMNS]
    named = link_labels(reader, form, [])
    drawn = []
    for row in rows[:MOST_PREVIEW]:
        values = {
            its.key: its.take(row[its.key], None, reader.zone) for its in used if its.key in row
        }
        drawn.append([shown(reader, its, values.get(its.key), "read", named) for its in used])
    return {"preview_heads": [reader.text(its.title) for its in used], "preview_rows": drawn}


@route(area, "/records/<form_key>/import/<token>", methods=("POST",), needs=SIGNED_IN)
def act(form_key: str, token: str) -> ResponseReturnValue:
    """Check again with another mapping, or write."""
    _session, actor, reader, form = _opened(form_key)
    here = f"/records/{form_key}/import/{token}"
    try:
        kept = _kept(actor, token, form_key)
        note = kept.note()
        sheet = kept.sheet()
    except Refusal:
        return redirect(f"/records/{form_key}/import", 303)
    if note["state"] in ("checking", "writing") and not note["silent"]:
        return redirect(here, 303)  # asked twice: it is under way
    mapping = chosen(form, sheet, request.form) or note["mapping"]
    write = request.form.get("act") == "write"
    good = request.form.get("accept_good") == "yes"
    if write and note.get("counts", {}).get("bad") and not good:
        said = [Trouble(reader.say("page.import.tick"))]
        answer = make_response(_draw(actor, reader, form, kept, note, said))
        answer.status_code = 422
        return answer
    if note["silent"]:
        resume(kept)
    else:
        begin(kept, mapping, write=write, good=good)
    return redirect(here, 303)


def chosen(form: Form, sheet: Sheet, sent: Mapping[str, str]) -> dict[str, str | None]:
    """The mapping as the page sent it; empty when it sent none."""
    headers = [header for header in sheet.headers if header]
    if "map.0" not in sent:
        return {}
    return {
        header: key if (key := sent.get(f"map.{at}", "")) in form.fields else None
        for at, header in enumerate(headers)
    }
