"""The ways by which values come into records, each as a function: field, value -> what is refused.

`ROUTES`: every route that may change something, and by which of the ways it writes values of
records, or why it writes none. A new route is not in it, and fails until it is.
"""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

from openpyxl import Workbook
from sqlalchemy import select
from sqlalchemy.orm import Session
from visitors import Visitor

from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.bring import read_rows
from careloom.platform.records.sheet import read_sheet
from careloom.platform.records.submit import submit
from careloom.platform.web.words import catalogue
from careloom.runtime.flows.start import start
from careloom.runtime.tasks.hold import claim
from careloom.runtime.tasks.model import tasks

from .clinic import Clinic

END = {"key": "end", "kind": "end"}
NEVER = {"on": "record:submitted", "when": "false"}
FILLS = {
    "format": 1,
    "key": "fills",
    "title": "Fills",
    "subject": "customer",
    "start": NEVER,
    "steps": [
        {"key": "fill", "kind": "task", "title": "Fill", "form": "lead", "who": {"role": "desk"}},
        END,
    ],
}
BEGINS = {**FILLS, "key": "begins", "title": "Begins", "subject": "lead", "steps": [END]}
BEGINS["start"] = {"on": "record:submitted"}


@dataclass
class Ways:
    """The clinic with a task whose form is the lead's, and a browser that is signed in."""

    clinic: Clinic
    visitor: Visitor
    csrf: str
    task: int

    def page_create(self, field: str, value: Any) -> dict[str, str]:
        return self._page("/records/lead/new", {"name": "Ok", field: value})

    def page_edit(self, field: str, value: Any) -> dict[str, str]:
        typed = {"name": "Ok", "_revision": "1", field: value}
        return self._page(f"/records/lead/{self.clinic.mine}/edit", typed)

    def task_page(self, field: str, value: Any) -> dict[str, str]:
        return self._page(f"/tasks/{self.task}/complete", {"name": "Ok", field: value})

    def board_move(self, field: str, value: Any) -> dict[str, str]:
        answer = self.visitor.client.post(
            f"/records/lead/{self.clinic.mine}/move",
            data={"csrf": self.csrf, "field": field, "value": value, "revision": "1"},
            headers={"Accept": "application/json", "Accept-Language": "en"},
        )
        assert answer.status_code == 422, answer.text
        return {field: code_of(answer.json["words"])}

    def task_api(self, field: str, value: Any) -> dict[str, str]:
        sent = {"values": {"name": "Ok", field: value}}
        return answered(self.clinic.ask("POST", f"/api/tasks/{self.task}/complete", json=sent))

    def flow_start(self, field: str, value: Any) -> dict[str, str]:
        sent = {"values": {"name": "Ok", field: value}}
        return answered(self.clinic.ask("POST", "/api/flows/begins/instances", json=sent))

    def csv_file(self, field: str, value: Any) -> dict[str, str]:
        out = io.StringIO()
        csv.writer(out).writerows(sheet_of(field, value))
        return self._file("a.csv", out.getvalue().encode())

    def xlsx_file(self, field: str, value: Any) -> dict[str, str]:
        book, out = Workbook(), io.BytesIO()
        for number, line in enumerate(sheet_of(field, value), start=1):
            for column, each in enumerate(line, start=1):
                cell = book.active.cell(number, column)
                cell.value = each
                if isinstance(each, str):
                    cell.data_type = "s"
        book.save(out)
        return self._file("a.xlsx", out.getvalue())

    def _file(self, name: str, content: bytes) -> dict[str, str]:
        with self.clinic.database.read() as session:
            read = read_rows(session, self.clinic.here, "lead", read_sheet(name, content))
        assert (read.rows, read.bad, read.good) == (1, 1, [])
        return {problem.column: problem.code for problem in read.problems}

    def _page(self, path: str, typed: dict[str, Any]) -> dict[str, str]:
        """Send a form; what the page says at its fields, as codes."""
        answer = self.visitor.client.post(
            path, data={"csrf": self.csrf, **typed}, headers={"Accept-Language": "en"}
        )
        assert answer.status_code == 422, (answer.status_code, typed)
        return {key: code_of(unescape(words)) for key, words in PROBLEM.findall(answer.text)}


#: a field's problem that is shown, in `templates/parts/field.html`
PROBLEM = re.compile(
    r'<div class="field-problem" id="p-(\w+)" data-problem>.*?<span>(.*?)</span></div>', re.S
)


def code_of(words: str) -> str:
    """The code that is said in these words."""
    fitting = [
        key.removeprefix("problem.")
        for key, sentence in catalogue("en").items()
        if key.startswith("problem.E_") and _pattern(sentence).search(words)
    ]
    assert fitting, f"no refusal is said so: {words}"
    return max(fitting, key=lambda code: len(catalogue("en")[f"problem.{code}"]))


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = re.split(r"\{\w+\}", sentence)
    return re.compile(".*?".join(re.escape(part) for part in parts))


def sheet_of(field: str, value: Any) -> list[list[Any]]:
    headers = list(dict.fromkeys(["name", "note", field]))  # a row of blanks would be none
    cell = " ".join(value) if isinstance(value, list) else value
    return [headers, [cell if header == field else "Ok" for header in headers]]


def answered(answer: Any) -> dict[str, str]:
    """What the API refused, by field."""
    assert answer.status_code in (400, 422), (answer.status_code, answer.text)
    return {p["path"].rpartition("/")[2]: p["code"] for p in answer.json["problems"]}


def ways_into(clinic: Clinic) -> Ways:
    """Everything in place for each way."""

    def deed(session: Session) -> int:
        for flow in (FILLS, BEGINS):
            publish_document(session, SYSTEM, "flow", flow)
        customer = submit(session, SYSTEM, "customer", {"name": "C"}, unit_id=clinic.site.at["B1"])
        instance = start(session, SYSTEM, "fills", record_id=customer.id)
        query = select(tasks.c.id).where(tasks.c.instance_id == instance)
        return int(session.execute(query).scalar_one())

    task = clinic.database.write(deed)
    clinic.database.write(lambda session: claim(session, clinic.here, task))
    visitor = clinic.site.visitor()
    visitor.client.set_cookie("careloom_language", "en")
    assert visitor.sign_in("here").status_code == 303
    return Ways(clinic, visitor, visitor.csrf("/no-such-page"), task)


Way = Callable[[Ways, str, Any], dict[str, str]]
PAGES: dict[str, Way] = {
    "page create": Ways.page_create,
    "page edit": Ways.page_edit,
    "task page": Ways.task_page,
}
FILES: dict[str, Way] = {"CSV": Ways.csv_file, "XLSX": Ways.xlsx_file}
PROGRAMS: dict[str, Way] = {"task": Ways.task_api, "flow start": Ways.flow_start}
ONE_FIELD: dict[str, Way] = {"board move": Ways.board_move}

#: routes by which values of records come in, and the way each is
ROUTES = {
    "runtime.records_api.submit_record": "POST",
    "runtime.records_api.change_record": "PATCH",
    "runtime.records.create": "page create",
    "runtime.records.save": "page edit",
    "runtime.record_lists.move": "board move",
    "runtime.imports.upload": "CSV",
    "runtime.imports.act": "XLSX",
    "runtime.flows_api.start_instance": "flow start",
    "runtime.flows_api.complete_task": "task",
    "runtime.work.finish": "task page",
    "runtime.records_api.restore_record": "restore",
    "runtime.record_life.restore_record": "restore",
}
#: routes that change something else than values of records
APART = (
    *(f"accounts_api.{deed}" for deed in ("disable", "enable", "invite", "set_password")),
    *(f"accounts_api.{deed}" for deed in ("sign_out", "take_factor", "unlock")),
    *(f"builders.drafts_api.{deed}" for deed in ("check_draft", "delete_draft", "publish_draft")),
    "builders.drafts_api.put_draft",
    # values come into a database that is thrown away
    "builders.rehearsals.go_on",
    "builders.rehearsals_api.new_rehearsal",
    *(f"exports_api.{deed}" for deed in ("allow_export", "ask_for", "refuse_export")),
    "exports_api.take_export",
    "files_api.upload",
    "invitation.accept",
    *(f"me.{deed}" for deed in ("end_browser", "end_others", "password", "revoke", "token")),
    *(f"me_api.{deed}" for deed in ("change_password", "sign_out_everywhere")),
    *(f"packs.{deed}" for deed in ("apply", "plan", "rollback")),  # packs bring no records
    *(f"packs_api.{deed}" for deed in ("apply_plan", "plan_pack", "rollback_pack")),
    *(f"people.{deed}" for deed in ("act", "add")),
    *(f"people_api.{deed}" for deed in ("add_person", "change_person", "give_role", "take_role")),
    *(f"runtime.flows_api.{deed}" for deed in ("cancel_instance", "claim_task", "raise_about")),
    *(f"runtime.flows_api.{deed}" for deed in ("read_message", "resume_instance")),
    *(f"runtime.flows_api.{deed}" for deed in ("retry_incident", "suspend_instance")),
    "runtime.flows_api.unclaim_task",
    *(f"runtime.mending.{deed}" for deed in ("leave_out", "retry_parked")),
    *(f"runtime.mending_api.{deed}" for deed in ("leave_out_handoff", "retry_handoff")),
    *(f"runtime.exports.{deed}" for deed in ("act_on_export", "asking")),
    *(f"runtime.hand_api.{deed}" for deed in ("approve", "comment", "delegate", "reassign")),
    *(f"runtime.hand_api.{deed}" for deed in ("reject", "remind", "turn_back")),
    *(f"runtime.hand_api.{deed}" for deed in ("add_sign", "take_back")),
    *(f"runtime.hands.{deed}" for deed in ("comment", "give", "remind", "turn_it_back")),
    "runtime.hands.take_it_back",
    "runtime.calls_api.skip_incident",
    *(f"runtime.connections.{deed}" for deed in ("act_on_connection", "new_connection")),
    *(f"runtime.connections_api.{deed}" for deed in ("delete_connection", "give_up", "renew")),
    *(f"runtime.connections_api.{deed}" for deed in ("put_connection", "try_connection")),
    *(f"runtime.instances.{deed}" for deed in ("act_on", "raise_for", "retry", "skip")),
    "runtime.messages.read",
    *(f"runtime.record_lists.{deed}" for deed in ("drop_view", "keep_view")),
    "runtime.raising.raise_about",
    "runtime.record_life.retire_record",
    "runtime.records_api.retire_record",
    *(f"runtime.work.{deed}" for deed in ("give_back", "take")),
    *(f"second_factor.{deed}" for deed in ("code_shown", "make_codes", "set_up", "turn_off")),
    *(f"sign_in.{deed}" for deed in ("choose_language", "sign_in", "sign_out")),
    *(f"sign_ins_api.{deed}" for deed in ("end_others", "end_sign_in")),
    *(f"tokens_api.{deed}" for deed in ("issue_token", "revoke_token")),
    "units.act",
    *(f"units_api.{deed}" for deed in ("add_unit", "change_unit")),
)
