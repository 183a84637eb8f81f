"""A thousand leads in a file become instances that wait for people."""

import json
from pathlib import Path

import pytest
from careloom_command import Command
from sqlalchemy import create_engine, text

DATA = Path(__file__).parents[1] / "data"
TRUTH = json.loads((DATA / "leads_1000.truth.json").read_text(encoding="utf-8"))
NUMBERS = {name: TRUTH[name] for name in ("rows", "good", "bad", "duplicates")}


def count(demo: Command, query: str) -> int:
    """One number, asked past the application."""
    engine = create_engine(demo.url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection:
            return int(connection.execute(text(query)).scalar_one())
    finally:
        engine.dispose()


def numbers(answer: dict[str, object]) -> dict[str, object]:
    return {name: answer[name] for name in NUMBERS}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_import_tells_exactly_what_is_wrong_and_writes_nothing(demo: Command, kind: str) -> None:
    answer = demo.bring(DATA / f"leads_1000.{kind}", status=1)
    told = {(one["row"], one["column"], one["code"]) for one in answer["problems"]}
    assert numbers(answer) == NUMBERS
    assert told == {(one["row"], one["column"], one["code"]) for one in TRUTH["problems"]}
    assert all(one["message"].strip() for one in answer["problems"])
    assert count(demo, "SELECT count(*) FROM form_lead_intake") == 0


def test_good_rows_start_instances_once_and_each_waits(demo: Command) -> None:
    assert numbers(demo.bring(DATA / "leads_1000.csv", "--accept-good")) == NUMBERS
    demo.run("work", "--burst")
    assert count(demo, "SELECT count(*) FROM form_lead_intake") == TRUTH["good"]
    assert count(demo, "SELECT count(*) FROM instance") == TRUTH["good"]
    assert count(demo, WAITING) == TRUTH["good"]
    demo.run("check")
    again = demo.bring(DATA / "leads_1000.xlsx", "--accept-good")
    assert again["good"] == 0
    assert again["duplicates"] == TRUTH["good"] + TRUTH["duplicates"]
    demo.run("work", "--burst")
    assert count(demo, "SELECT count(*) FROM instance") == TRUTH["good"]
    demo.run("check")


WAITING = """
    SELECT count(*) FROM instance i WHERE i.state = 'running' AND (
        EXISTS (SELECT 1 FROM task t WHERE t.instance_id = i.id AND t.state = 'open')
        OR EXISTS (SELECT 1 FROM timer m WHERE m.instance_id = i.id))"""
