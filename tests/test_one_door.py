"""One door: nothing but the room of records writes to a form's table, and there only few files.

Every statement that writes names its table. Anywhere in the house that is one of the house's own
tables, imported by its name; a table that is worked out (a form's) may be written in these files:
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from test_layout import ROOT, is_outside, nodes, sources

MAY_WRITE = {
    "platform/store/rows.py": "the row, its sub-forms' rows and its history, together",
    "platform/store/child_rows.py": "a sub-form's rows, for rows.py",
    "platform/store/change.py": "more decimals, when a version is published",
    "platform/records/new_key.py": "the same values by another key",
    "platform/records/new_key_rows.py": "the same, in rooms' own tables",
    "platform/records/found_again.py": "what a record is found by, which follows from its label",
    "platform/records/bring_back.py": "a backup into an empty database",
}
MAY_USE = {
    "insert_row": {"platform/records/submit.py"},
    "update_row": {"platform/records/submit.py"},
    "put_rows": {"platform/store/rows.py"},
    "save_change": {"platform/records/later.py"},
    "write_prepared": {"platform/records/bring.py"},
}
WRITES = ("insert", "update", "delete")


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


def house() -> dict[Path, tuple[ast.AST, ...]]:
    """Each module of the house and its nodes."""
    return {path: nodes(path) for path in sources() if not is_outside(path)}


def statements(module: Iterable[ast.AST]) -> Iterator[tuple[int, ast.expr]]:
    """Each statement that writes by SQLAlchemy: its line and what it says its table is."""
    makers = {
        alias.asname or alias.name
        for node in module
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
        for alias in node.names
        if alias.name in WRITES
    }
    for node in module:
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in makers and node.args:
            yield node.lineno, node.args[0]
        elif isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
            its = node.func.value
            if isinstance(its, ast.Attribute) and its.attr == "table":
                yield node.lineno, its


def own_tables(module: Iterable[ast.AST]) -> set[str]:
    """Names of the house's own tables in a module: imported from a model, or a class of its own."""
    imported = {
        alias.asname or alias.name
        for node in module
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if node.level and (node.module or "").rpartition(".")[2] in MODELS
    }
    return imported | {node.name for node in module if isinstance(node, ast.ClassDef)}


MODELS = ("model", "file_model", "history", "jobs")


def named(table: ast.expr) -> str:
    """The table's name when it stands there as such; "" for anything worked out."""
    if isinstance(table, ast.Attribute) and table.attr == "__table__":
        table = table.value
    return table.id if isinstance(table, ast.Name) else ""


def test_no_code_path_writes_past_the_door() -> None:
    wrong, used = [], set()
    for path, module in house().items():
        own = own_tables(module)
        for line, table in statements(module):
            if named(table) in own:
                continue
            if place(path) in MAY_WRITE:
                used.add(place(path))
            else:
                wrong.append(f"{place(path)}:{line} writes to {ast.unparse(table)}")
    assert not wrong, "\n".join(wrong)
    there = {name for name in MAY_WRITE if (ROOT / name).exists()}
    assert used == there, "what no longer writes need not be allowed to"


@pytest.mark.parametrize("function", MAY_USE)
def test_what_writes_a_row_is_called_by_the_door_alone(function: str) -> None:
    users = set()
    for path, module in house().items():
        for node in module:
            if isinstance(node, ast.ImportFrom) and function in [a.name for a in node.names]:
                users.add(place(path))
    assert users == MAY_USE[function]


def test_no_statement_is_written_as_text() -> None:
    """Only the store says SQL itself (its locks, its leases), and never about a form's table."""
    for path, module in house().items():
        for node in module:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = node.value.upper().lstrip().split()
                if words[:1] in (["INSERT"], ["UPDATE"], ["DELETE"]) and words[1:2]:
                    statement = words[0] != "INSERT" or words[1] == "INTO"
                    if words[0] == "DELETE":
                        statement = words[1] == "FROM"
                    if words[0] == "UPDATE":
                        statement = "SET" in words
                    assert not statement or place(path) in TEXTS, f"{place(path)}:{node.lineno}"


TEXTS = {"platform/store/session.py", "platform/store/ids.py"}
