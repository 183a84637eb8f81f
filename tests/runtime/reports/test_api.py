"""Reports over HTTP: the numbers unrounded, of the records the asker may see."""

from typing import Any

from served import Site


def ask(site: Site, login: str, path: str) -> Any:
    return site.client(login).http.get(path, headers={"Accept": "application/json"})


def test_a_report_gives_columns_rows_and_where_they_come_from(site: Site) -> None:
    good = site.bring_leads(10).good
    told = ask(site, "manager", "/api/reports/channel_funnel/data?period=all").get_json()
    keys = [column["key"] for column in told["columns"]]
    assert keys[:2] == ["channel", "leads"] and told["totals"][0] == good
    assert sum(row[1] for row in told["rows"]) == good
    assert set(told["names"]["channel"]) == {row[0] for row in told["rows"]}
    assert told["explain"]["records"] == good and told["explain"]["form"] == "lead_intake"
    rate = told["totals"][keys.index("invite_rate") - 1]
    assert rate is None, "nobody was contacted: there is nothing to divide by"


def test_a_dashboard_gives_the_reports_its_reader_may_read(site: Site) -> None:
    told = ask(site, "manager", "/api/dashboards/leads?period=this_year").get_json()
    assert [item["data"]["report"] for item in told["items"]] == [
        "channel_funnel",
        "consultant_board",
        "response_time",
    ]
    assert [item["place"] for item in told["items"]] == [1, 3, 2]
    assert told["items"][0]["data"]["since"] == "2026-01-01"
    assert told["items"][1]["data"]["ranks"] == []


def test_who_may_not_read_is_refused_and_so_is_a_bad_question(site: Site) -> None:
    for path in ("/api/reports/channel_funnel/data", "/api/dashboards/leads"):
        assert ask(site, "doctor", path).status_code == 403
    for query in ("period=ever", "from=yesterday", "by=mobile", "f.mobile=1"):
        answer = ask(site, "manager", f"/api/reports/channel_funnel/data?{query}")
        assert answer.status_code == 400, query
