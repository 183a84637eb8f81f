"""Reports as pages: only those one may read, counted over what one may see."""

import re

from served import Site


def test_a_report_shows_its_number_its_bars_and_the_same_figures_in_a_table(site: Site) -> None:
    outcome = site.bring_leads(30)
    text = site.client("manager").get("/reports/leads_by_channel").text
    assert f'<span class="big-number">{outcome.good}</span>' in text
    bars = [int(found) for found in re.findall(r"</svg><b>(\d+)</b>", text)]
    cells = [int(found) for found in re.findall(r'<td class="number">(\d+)</td>', text)]
    assert bars == cells and sum(cells) == outcome.good


def test_a_report_without_figures_says_so(site: Site) -> None:
    assert "没有数据" in site.client("manager").get("/reports/leads_by_channel").text


def test_a_period_counts_only_its_own_days(site: Site) -> None:
    outcome = site.bring_leads(30)
    manager = site.client("manager")
    none = manager.get("/reports/leads_by_channel?from=2020-01-01&until=2020-01-31").text
    assert "没有数据" in none
    some = manager.get("/reports/leads_by_channel?from=2026-03-01&until=2026-03-05").text
    found = re.search(r'big-number">(\d+)<', some)
    assert found and 0 < int(found[1]) <= outcome.good


def test_the_other_branch_counts_none_of_it(site: Site) -> None:
    site.bring_leads(5)
    assert "没有数据" in site.client("manager2").get("/reports/leads_by_channel").text


def test_a_report_one_may_not_read_is_neither_listed_nor_shown(site: Site) -> None:
    doctor = site.client("doctor")
    assert "/reports/leads_by_channel" not in doctor.get("/reports").text
    assert doctor.get("/reports/leads_by_channel").status == 403
