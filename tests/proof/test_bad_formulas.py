"""Patterns made to hang, and formulas through which a hidden field would speak: T05, T06."""

import re
from pathlib import Path
from typing import Any

import make
import pytest

from careloom.platform.definitions.publish import publish_document
from careloom.platform.expressions.functions import FUNCTIONS
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.roles import save_role
from careloom.platform.records.submit import submit
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid

from .clinic import Clinic, open_clinic
from .unchanged import nothing_changes


@pytest.fixture
def clinic(sqlite: Database, tmp_path: Path) -> Clinic:
    return open_clinic(sqlite, tmp_path / "home")


GREEDY = ["^(a+)+$", "^(a|a)*$", "^(a|b|ab)*c$", "^(.*)*x$", "^(([a-z])+.)+[A-Z]([a-z])+$"]
CLEVER = ["(?=a)a", "(?!a)b", "(?<=a)b", "(?<!a)b", r"(a)\1", "(?P<n>a)(?P=n)", "(", "[a", "a{2,1}"]


def test_t05_a_greedy_pattern_is_as_quick_as_any(clinic: Clinic, record_property: Any) -> None:
    """Steps in the text's own length: 400 letters are answered where backtracking never would."""
    fields = {f"f{n}": make.field(pattern=text) for n, text in enumerate(GREEDY)}
    make.publish(clinic.database, "form", make.form("greedy", fields))
    values = dict.fromkeys(fields, "a" * 400 + "!")
    with nothing_changes(clinic.database), pytest.raises(Invalid) as refusal:
        clinic.database.write(lambda s: submit(s, SYSTEM, "greedy", values))
    codes = {problem.path.strip("/"): problem.code for problem in refusal.value.problems}
    assert codes == dict.fromkeys(fields, "E_PATTERN")
    record_property("payloads", len(GREEDY))


def test_t05_a_pattern_that_needs_backtracking_is_not_published(
    clinic: Clinic, record_property: Any
) -> None:
    with nothing_changes(clinic.database):
        for text in CLEVER:
            with pytest.raises(Invalid) as refusal:
                make.publish(
                    clinic.database, "form", make.form("bad", {"a": make.field(pattern=text)})
                )
            assert "/properties/a/pattern" in {p.path for p in refusal.value.problems}, text
    record_property("payloads", len(CLEVER))


def test_t05_no_function_takes_a_pattern() -> None:
    assert not [name for name in FUNCTIONS if re.search("REGEX|MATCH|LIKE", name)]


SECRET = "Whisper77zz"
SPEAKING = make.form(
    "speaking",
    {
        "secret": make.field(),
        "name": make.field(),
        "loud": make.field(x_value="UPPER(secret)"),
        "again": make.field(x_value='loud & "!"'),
        "long": make.field("number", x_value="LEN(secret)"),
        "copied": make.field(x_default="secret"),
        "seen": make.field(x_visible='secret = "Whisper77zz"'),
        "must": make.field(x_required='secret = "nothing"'),
    },
    x_label="name",
    x_rules=[
        {
            "key": "quiet",
            "if": 'secret = "Whisper77zz"',
            "message": "The secret must stay as it is",
            "level": "error",
            "field": "secret",
        }
    ],
)


@pytest.mark.parametrize("right", ["hidden", "masked"])
def test_t06_no_formula_says_what_its_reader_may_not_see(clinic: Clinic, right: str) -> None:
    """Who may write a field with a default may read it: the role has decided that."""
    database = clinic.database
    rules = [make.rule("all", "read", "export", secret=right)]
    rules.append(make.rule("own", "create", "change", secret=right))
    role = make.role("reader", {"speaking": rules})

    def deed(session: Any) -> int:
        publish_document(session, SYSTEM, "form", SPEAKING)
        save_role(session, role, 1)
        values = {"secret": SECRET, "name": "Ann", "seen": "yes"}
        return submit(session, SYSTEM, "speaking", values).id

    number = database.write(deed)
    clinic.tokens["reader"] = clinic.site.token(clinic.site.person("reader", "G", "reader"))
    path = f"/api/records/speaking/{number}"
    match = {"If-Match": '"1"'}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", path, {}),
        ("GET", f"{path}/history", {}),
        ("GET", "/api/records/speaking", {}),
        ("GET", "/api/records/speaking?sort=loud,again,long,copied", {}),
        ("GET", "/api/records/speaking/export", {}),
        ("PATCH", path, {"json": {"values": {"name": "Bob"}}, "headers": match}),
        ("PATCH", path, {"json": {"values": {"secret": "x"}}, "headers": match}),
        ("POST", "/api/records/speaking", {"json": {"values": {"name": "Cid"}}}),
        ("GET", f"/records/speaking/{number}", {}),
        ("GET", f"/records/speaking/{number}/edit", {}),
        ("GET", "/records/speaking", {}),
    ]
    visitor = clinic.site.visitor()
    assert visitor.sign_in("reader").status_code == 303
    for method, where, more in asked:
        page = not where.startswith("/api")
        answer = visitor.get(where) if page else clinic.ask(method, where, "reader", **more)
        assert answer.status_code < 500, (method, where)
        said = answer.text.upper()
        for text in (SECRET, SECRET.upper(), f'"long":{len(SECRET)}'):
            assert text.upper() not in said.replace(" ", ""), (method, where, text)
    for field in ("loud", "again", "long", "copied"):
        for question in (f"ISBLANK({field})", f"NOT(ISBLANK({field}))"):
            found = clinic.list("reader", "speaking", filter=question)
            blank = question.startswith("ISBLANK")
            assert found.json["total"] == (0 if not blank else found.json["total"]), question
