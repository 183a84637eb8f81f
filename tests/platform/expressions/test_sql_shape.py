"""The shape of the SQL: indexes serve, values are parameters, what cannot be is said so."""

import pytest
from formulas.evaluators import Sql
from formulas.world import TABLES, columns_of, env_of, scope
from sqlalchemy import Index, select, text
from sqlalchemy.dialects import postgresql, sqlite

from careloom.platform.expressions import ExpressionError, Scope, check, row, to_sql
from careloom.platform.expressions.operations import BOUND, LAZY, OPERATIONS
from careloom.platform.expressions.postgresql import STATEMENTS
from careloom.platform.expressions.sqlite import KINDS

RECORD = TABLES["record"]
DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}


def written(formula: str, dialect: str, where: bool = True) -> str:
    made = to_sql(
        check(formula, scope()), columns_of("record", RECORD), dialect, env_of({}), where=where
    )
    return str(made.compile(dialect=DIALECTS[dialect]))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_condition_leaves_the_column_bare(dialect: str) -> None:
    for formula in ('t="a" AND i>3', "a>=1.5", "d<TODAY()", "at>=TODAY()", 't in ("a", "b")'):
        lowered = written(formula, dialect).lower()
        assert "coalesce" not in lowered and "x_" not in lowered, lowered
    assert "coalesce" in written("NOT(i>3)", dialect).lower()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_text_of_a_formula_is_never_part_of_the_sql(dialect: str) -> None:
    evil = "x'; DROP TABLE record; --"
    for formula in (f't="{evil}"', f'CONTAINS(t, "{evil}")', f't & "{evil}"', f't in ("{evil}")'):
        assert "DROP" not in written(formula, dialect, where=False)


def test_an_index_serves_a_lowered_condition(databases: list[Sql]) -> None:
    indexes = [Index(f"ix_{key}", RECORD.c[key]) for key in ("t", "a", "at")]
    try:
        for database in databases:
            for index in indexes:
                index.create(database.engine)
            for formula, key in (('t="a"', "t"), ("a>1.5 AND a<2", "a"), ("at=TODAY()", "at")):
                assert f"ix_{key}" in _plan(database, formula), (database.dialect, formula)
    finally:
        for index in indexes:
            RECORD.indexes.discard(index)


def _plan(database: Sql, formula: str) -> str:
    columns = columns_of("record", RECORD)
    made = to_sql(check(formula, scope()), columns, database.dialect, env_of({}), where=True)
    query = select(RECORD.c._id).where(made)
    with database.engine.begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        word = "EXPLAIN QUERY PLAN " if database.dialect == "sqlite" else "EXPLAIN "
        compiled = query.compile(connection)
        found = connection.exec_driver_sql(word + str(compiled), _driver(compiled))
        return "\n".join(str(line) for line in found)


def _driver(compiled: object) -> object:
    params = compiled.construct_params()  # type: ignore[attr-defined]
    turned = compiled._process_parameters_for_postcompile(params)  # type: ignore[attr-defined]
    del turned
    processors = compiled._bind_processors  # type: ignore[attr-defined]
    done = {k: processors[k](v) if k in processors else v for k, v in params.items()}
    names = compiled.positiontup  # type: ignore[attr-defined]
    return tuple(done[name] for name in names) if names else done


def test_what_has_no_column_is_refused_when_it_is_lowered() -> None:
    typed = check("customer.level", Scope(names={"customer": row("customer")}, links=scope().links))
    with pytest.raises(ExpressionError, match="E_NOT_SQL"):
        to_sql(typed, {}, "sqlite", env_of({}))


def test_a_switch_within_a_switch_does_not_grow_without_end() -> None:
    formula = "t"
    for _ in range(12):
        formula = f'SWITCH({formula}, "a", "b", "c", "d", "e")'
    with pytest.raises(ExpressionError, match="E_NOT_SQL"):
        written(formula, "sqlite", where=False)


def test_both_databases_know_every_operation() -> None:
    made = "\n".join(STATEMENTS)
    native = {"eq", "ne", "lt", "le", "gt", "ge", "not", "truth", "isblank", "in_values", "concat"}
    for op in OPERATIONS.keys() - LAZY - BOUND - native - {"text_of_any"}:
        if op.startswith("list_") or op == "in_list" or op.endswith("_of"):
            if op not in KINDS:
                continue
        assert op in KINDS, op
        assert f"FUNCTION formula.x_{op}(" in made, op
