"""The four evaluators behind one face: a checked formula and a record in, plain JSON out."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select, text

from careloom.platform.expressions import ExpressionError, Typed, compile, to_sql
from careloom.platform.expressions.browser import plain, to_json
from careloom.platform.expressions.evaluate import once
from careloom.platform.expressions.postgresql import STATEMENTS
from careloom.platform.expressions.sqlite import register
from careloom.platform.expressions.walk import evaluate as walk

from .world import METADATA, NOW, TABLES, Loader, columns_of, env_of

ROOT = Path(__file__).resolve().parents[2]
NOT_SQL = "E_NOT_SQL"
_SERVE = """
import { createInterface } from 'node:readline'
import { evaluate } from './evaluate.mjs'
for await (const line of createInterface({ input: process.stdin })) {
  const { tree, env, linked, tables } = JSON.parse(line)
  env.follow = (form, id) => linked[form]?.[String(id)] ?? null
  env.lookup = (form, matches) => (tables[form] ?? []).find(matches) ?? null
  let answer
  try { answer = evaluate(tree, env) }
  catch (error) { answer = { error: error.code ?? String(error) } }
  process.stdout.write(JSON.stringify(answer) + '\\n')
}
"""


def python(typed: Typed, given: Mapping[str, Any], **around: Any) -> tuple[Any, list[str]]:
    """The compiled closures' answer and warnings, held to the tree walk's; and their arithmetic
    by Python's own signs to that by the context's methods, whichever they chose."""
    env, other, third = (env_of(given, **around) for _ in range(3))
    try:
        value = compile(typed)(env)
    except ExpressionError as error:
        return error.code, []
    walked = walk(typed, other)
    assert plain(walked) == plain(value), f"the walk says {walked!r}, the closures {value!r}"
    signs = once(typed.node, third)
    assert plain(signs) == plain(value), f"by signs {signs!r}, the closures {value!r}"
    assert sorted(other.warnings) == sorted(env.warnings) == sorted(third.warnings)
    return plain(value), env.warnings


def _safe(given: Any) -> Any:
    """Whole numbers that JavaScript's own numbers cannot hold travel as text."""
    if isinstance(given, Mapping):
        return {key: _safe(value) for key, value in given.items()}
    if isinstance(given, list):
        return [_safe(value) for value in given]
    return str(given) if type(given) is int and abs(given) >= 2**53 else given


class Browser:
    """runtime/src/evaluate.ts in Node, asked line by line."""

    def __init__(self, folder: Path) -> None:
        bundle = [str(ROOT / "node_modules" / ".bin" / "rolldown"), "runtime/src/evaluate.ts"]
        made = [*bundle, "--file", str(folder / "evaluate.mjs"), "--format", "esm"]
        subprocess.run(made, cwd=ROOT, check=True, capture_output=True)
        (folder / "serve.mjs").write_text(_SERVE)
        self._node = subprocess.Popen(
            ["node", str(folder / "serve.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def answer(
        self,
        typed: Typed,
        given: Mapping[str, Any],
        now: str = NOW,
        rows: Any = None,
        tables: Any = None,
    ) -> tuple[Any, list[str]]:
        """The browser's answer and warnings."""
        me = {"person": 11, "unit": 5, "roles": ["consultant"]}
        env = {"values": _safe(given), "now": now, "zone": "Asia/Shanghai", "me": me}
        env["rows"] = _safe(rows or [])
        asked = {"tree": to_json(typed), "env": env, "linked": {}, "tables": tables or {}}
        assert self._node.stdin is not None and self._node.stdout is not None
        self._node.stdin.write(json.dumps(asked) + "\n")
        self._node.stdin.flush()
        found = json.loads(self._node.stdout.readline())
        return (found["error"], []) if "error" in found else (found["value"], found["warnings"])

    def close(self) -> None:
        assert self._node.stdin is not None
        self._node.stdin.close()
        self._node.wait(10)


class Sql:
    """One database with the world's tables; formulas are asked of its rows."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = create_engine(url)
        self.dialect = "sqlite" if url.startswith("sqlite") else "postgresql"
        if self.dialect == "sqlite":
            event.listen(self.engine, "connect", lambda raw, _: register(raw))
        with self.engine.begin() as connection:
            if self.dialect == "postgresql":
                for statement in STATEMENTS:
                    connection.execute(text(statement))
            METADATA.drop_all(connection)
            METADATA.create_all(connection)
        self.connection: Connection = self.engine.connect()

    def load(self, loader: Loader) -> None:
        """Insert what was collected."""
        with self.engine.begin() as connection:
            for form, rows in loader.rows.items():
                if rows:
                    connection.execute(TABLES[form].insert(), list(rows.values()))

    def answers(self, typed: Typed, ids: Iterable[int], **around: Any) -> list[Any]:
        """The answer for each record, in the order of ids; [E_NOT_SQL] when there is none."""
        record = TABLES["record"]
        try:
            made = to_sql(typed, columns_of("record", record), self.dialect, env_of({}, **around))
        except ExpressionError as error:
            return [error.code]
        wanted = list(ids)
        query = select(record.c._id, made).where(record.c._id.in_(wanted))
        with self.connection.begin():
            found = {row[0]: plain(row[1]) for row in self.connection.execute(query)}
        return [found[key] for key in wanted]

    def measure(self, typed: Typed, group: int) -> Any:
        """A measure's answer for a group of records."""
        record = TABLES["record"]
        try:
            made = to_sql(typed, columns_of("record", record), self.dialect, env_of({}))
        except ExpressionError as error:
            return error.code
        with self.connection.begin():
            query = select(made).select_from(record).where(record.c._group == group)
            return plain(self.connection.execute(query).scalar_one())

    def chosen(self, typed: Typed) -> list[int]:
        """The records for which a condition holds, as a WHERE."""
        record = TABLES["record"]
        columns = columns_of("record", record)
        condition = to_sql(typed, columns, self.dialect, env_of({}), where=True)
        with self.connection.begin():
            query = select(record.c._id).where(condition).order_by(record.c._id)
            return list(self.connection.execute(query).scalars())

    def close(self) -> None:
        self.connection.close()
        self.engine.dispose()
