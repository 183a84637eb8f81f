"""A form's records as a file over the API."""

import csv
import io
import re
from urllib.parse import unquote

import make
import pytest
from openpyxl import load_workbook
from sqlalchemy import select
from visitors import Caller, Site

from careloom.platform.events.model import Event, View
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.submit import submit


@pytest.fixture
def clerk(site: Site) -> Caller:
    rule = make.rule("branch", "read", "export", mobile="masked", deal="hidden")
    site.role("clerk", lead=[rule])
    site.role("reader", lead=[make.rule("all", "read")])
    at = site.at["B1"]
    for name in ("=1+1", "Ann"):
        values = {"name": name, "mobile": "19912345678"}
        site.database.write(lambda s, v=values: submit(s, SYSTEM, "lead", v, unit_id=at).id)
    return Caller(site, site.token(site.person("clerk", "B1", "clerk")))


def test_a_file_is_sent_to_be_saved_and_who_took_it_is_kept(site: Site, clerk: Caller) -> None:
    got = clerk("GET", "/api/records/lead/export?sort=name")
    assert got.status_code == 200 and got.mimetype == "text/csv"
    assert "attachment" in got.headers["Content-Disposition"]
    named = unquote(got.headers["Content-Disposition"])
    assert re.search(r"lead clerk \d{8}-\d{4} \d+\.csv", named), named
    assert got.headers["Cache-Control"] == "no-store, private"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    lines = list(csv.reader(io.StringIO(got.get_data().decode("utf-8-sig"))))
    assert lines == [
        ["Name", "Mobile", "Owner"],
        ["'=1+1", "199****5678", ""],
        ["Ann", "199****5678", ""],
    ]
    with site.database.read() as session:
        view = session.scalars(select(View)).one()
        assert (view.purpose, view.count, view.address) == ("export", 2, "127.0.0.1")
        event = session.scalars(select(Event).where(Event.name == "records:exported")).one()
        assert event.data == {"form": "lead", "rows": 2, "export": named.split()[-1][:-5]}


def test_as_a_workbook_and_narrowed_like_the_list(clerk: Caller) -> None:
    got = clerk("GET", '/api/records/lead/export?format=xlsx&filter=name="Ann"&q=An')
    rows = list(load_workbook(io.BytesIO(got.get_data())).worksheets[0].values)
    assert [row[0] for row in rows] == ["Name", "Ann"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("format=exe", 400),
        ("format=", 400),
        ("sort=deal;drop", 400),
        ("filter=nothing=1", 422),
        ("filter=name=", 422),
        ("limit=1", 400),
        ("format=csv&format=xlsx", 400),
    ],
)
def test_what_is_asked_wrongly_is_refused(clerk: Caller, query: str, status: int) -> None:
    assert clerk("GET", f"/api/records/lead/export?{query}").status_code == status


def test_reading_is_not_yet_taking_out(site: Site, clerk: Caller) -> None:
    reader = Caller(site, site.token(site.person("reader", "B1", "reader")))
    assert reader("GET", "/api/records/lead").json["total"] == 2
    assert reader("GET", "/api/records/lead/export").status_code == 403
    assert reader("GET", "/api/records/nothing/export").status_code in (403, 404)
    assert site.visitor().get("/api/records/lead/export").status_code == 401
    with site.database.read() as session:
        assert not session.scalars(select(View).where(View.purpose == "export")).all()
