"""A pack's plan says what its roles and flows may newly do, and which marked fields leave by it."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import make
from click.testing import CliRunner
from flask.cli import ScriptInfo
from visitors import Caller, Site

from careloom.platform.cli import main
from careloom.platform.definitions.kinds import register
from careloom.platform.packs.archive import zipped
from careloom.runtime.flows.check import FLOW
from careloom.runtime.printouts.check import PRINTOUT

from .parcels import files

register(FLOW)
register(PRINTOUT)
FORM = make.form("card", {"name": make.field(title="Name", x_sensitive="personal")}, x_label="name")
ROLE = make.role("clerk", {"card": [make.rule("branch", "read", "change")]}, ["trail.read"])
CLOSE = {"key": "close", "action": "set", "values": {"name": '"-"'}}
FLOW_OF_CARDS = {
    "format": 1,
    "key": "cards",
    "title": "Cards",
    "subject": "card",
    "steps": [{"key": "do", "kind": "action", "do": [CLOSE]}, {"key": "end", "kind": "end"}],
}
SHEET = {
    "format": 1,
    "key": "label",
    "title": "Label",
    "form": "card",
    "blocks": [{"key": "who", "kind": "text", "text": "{{ name }}"}],
}
MORE = {
    "roles": {"format": 1, "roles": [ROLE]},
    "forms__card": FORM,
    "flows__cards": FLOW_OF_CARDS,
    "printouts__label": SHEET,
}
POWERS = {
    ("flow", "cards"): ["It changes records of “card” (needed: change, all records)"],
    ("role", "clerk"): [
        "It gives the right trail.read",
        "It lets its people read, change records of “card”: records of the unit and below",
    ],
}
LEAVES = "Printed, as far as whoever prints may see it: “Name” of “card” (personal)."


def test_a_plan_says_what_may_newly_be_done_and_what_leaves(site: Site, tmp_path: Path) -> None:
    content = zipped(files(**{name: json.dumps(its).encode() for name, its in MORE.items()}))
    call = Caller(site, site.token(site.person("ada", "G", "packer")))

    def planned() -> Any:
        data = {"file": (BytesIO(content), "paint.zip")}
        headers = {**call.token, "Accept-Language": "en"}
        return call.client.post("/api/packs/plan", data=data, headers=headers).json

    plan = planned()
    steps = {(step["kind"], step["key"]): step for step in plan["steps"]}
    assert plan["problems"] == []
    assert {at: step["powers"] for at, step in steps.items() if step["powers"]} == POWERS
    warned = {at: step["warnings"] for at, step in steps.items() if step["warnings"]}
    assert warned.keys() == {("printout", "label")}
    (warning,) = warned["printout", "label"]
    assert (warning["path"], warning["code"]) == ("/blocks/0", "E_PLAIN_PRINT")
    assert warning["message"].startswith(LEAVES)

    (tmp_path / "paint.zip").write_bytes(content)
    runner = CliRunner(env={"LANG": "en_GB.UTF-8"})
    info = ScriptInfo(create_app=lambda: site.app)
    told = runner.invoke(main, ["packs", "plan", str(tmp_path / "paint.zip")], obj=info).output
    assert all(line in told for lines in POWERS.values() for line in lines) and LEAVES in told

    visitor = site.visitor()
    visitor.client.set_cookie("careloom_language", "en")
    visitor.sign_in("ada")
    csrf = visitor.csrf("/packs")
    upload = {"csrf": csrf, "file": (BytesIO(content), "paint.zip")}
    page = visitor.client.post("/packs/plan", data=upload).text
    assert all(line in page for lines in POWERS.values() for line in lines) and LEAVES in page

    yes = {"plan": plan["id"], "despite_signature": True}
    assert call("POST", "/api/packs/apply", yes).status_code == 200
    assert not any(step["powers"] or step["warnings"] for step in planned()["steps"])
