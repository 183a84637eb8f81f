"""No log line tells of a patient, whatever goes wrong (T69)."""

import logging
import sys

import make
import pytest
from sqlalchemy import insert

from careloom.platform.records.shape import shape_of
from careloom.platform.store import jobs
from careloom.platform.store.database import Database
from careloom.platform.web.logs import Lines

NAME, PHONE, ID_CARD = "王丽娜", "13912345678", "110101199003070038"


@pytest.fixture(autouse=True)
def patient(database: Database) -> None:
    make.organisation(database)
    code = make.field(x_column={"unique": True})
    make.publish(database, "form", make.form("patient", {"name": code, "phone": make.field()}))
    make.record(database, "patient", name=NAME, phone=PHONE)


def broken(database: Database) -> None:
    """The same row again, past every check: the driver itself complains of it."""

    def deed(session: object) -> None:
        table = shape_of(session, "patient").table  # type: ignore[arg-type]
        row = {"name": NAME, "phone": f"{PHONE} {ID_CARD}", "_id": 1, "_revision": 1, "_version": 1}
        session.execute(  # type: ignore[attr-defined]
            insert(table), row | {"_unit": 1, "_state": "draft"} | moments(database)
        )

    database.write(deed)


def moments(database: Database) -> dict[str, object]:
    return dict.fromkeys(("_created_at", "_updated_at"), database.clock.now())


def line() -> str:
    """What is logged of the exception at hand."""
    record = logging.LogRecord("careloom.web", logging.ERROR, "", 0, "no", None, sys.exc_info())
    return Lines().format(record)


def test_a_database_error_tells_what_went_wrong_and_not_about_whom(database: Database) -> None:
    try:
        broken(database)
    except Exception:
        told = line().encode().decode("unicode_escape")
    assert "nique" in told or "UNIQUE" in told, told[-600:]
    for secret in (NAME, PHONE, ID_CARD):
        assert secret not in told


def test_a_failed_job_keeps_no_patient_in_its_words(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(jobs.KINDS, "index", lambda database, _job: broken(database))
    database.write(lambda session: jobs.ask(session, "index", "patient"))
    jobs.run(database)
    with database.read() as session:
        (row,) = jobs.waiting(session)
    assert row.error and "IntegrityError" in row.error
    assert NAME not in row.error and PHONE not in row.error


@pytest.mark.parametrize(
    "words",
    [
        "ok\n2026-03-03 admin signed in",
        "\x1b[31mred\x1b[0m",
        "x" * 1_000_000,
        f"called {PHONE}, card {ID_CARD}, clm_0123456789ab_secretsecret",
    ],
)
def test_what_people_send_stays_one_short_line_of_plain_letters(words: str) -> None:
    record = logging.LogRecord("careloom", logging.INFO, "", 0, words, None, None)
    told = Lines().format(record)
    assert "\n" not in told and "\x1b" not in told and len(told) < 5_000
    for secret in (PHONE, ID_CARD, "secretsecret"):
        assert secret not in told
