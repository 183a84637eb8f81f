"""Reports as pages: only those one may read, counted over what one may see."""

import re

from served import Site

LINK = re.compile(r'<a class="figure" href="(/records/[^"]+)" [^>]*>([^<]+)</a>')
SHOWN = re.compile(r"共 (\d+) 条")


def links(text: str) -> list[tuple[str, str]]:
    """Where each number leads, and the number."""
    return [(url.replace("&amp;", "&"), words) for url, words in LINK.findall(text)]


def test_a_report_shows_its_number_its_bars_and_the_same_figures_in_a_table(site: Site) -> None:
    outcome = site.bring_leads(30)
    text = site.client("manager").get("/reports/leads_by_channel").text
    big = re.search(r'<span class="big-number"><a [^>]+>(\d+)</a></span>', text)
    assert big and int(big[1]) == outcome.good
    bars = [int(found) for found in re.findall(r"</svg><b><a [^>]+>(\d+)</a></b>", text)]
    body = text[text.index("<tbody>") : text.index("</tbody>")]
    cells = [int(words) for _, words in links(body)]
    assert bars == cells and sum(cells) == outcome.good


def test_each_number_leads_to_as_many_records_as_it_says(site: Site) -> None:
    site.bring_leads(30)
    manager = site.client("manager")
    found = links(manager.get("/reports/dashboards/leads?period=all").text)
    assert len(found) > 10
    looked_at = 0
    for url, words in sorted(set(found)):
        if words.isdecimal():
            page = manager.get(url).text
            shown = SHOWN.search(page)
            assert shown and shown[1] == words, url
            assert 'class="chip"' in page, "the list says which number it is of"
            looked_at += 1
            if looked_at == 6:
                break


def test_a_search_among_the_records_behind_a_number_stays_among_them(site: Site) -> None:
    site.bring_leads(30)
    manager = site.client("manager")
    url, words = links(manager.get("/reports/leads_by_channel").text)[1]
    page = manager.get(url).text
    assert 'name="of" value="report:leads_by_channel"' in page
    sorted_by = re.search(r'class="sort" href="([^"]+)"', page)
    assert sorted_by is not None
    again = manager.get(sorted_by[1].replace("&amp;", "&")).text
    assert SHOWN.search(again)[1] == words  # type: ignore[index]


def test_a_report_without_figures_says_so(site: Site) -> None:
    assert "没有数据" in site.client("manager").get("/reports/leads_by_channel").text


def test_a_period_counts_only_its_own_days(site: Site) -> None:
    outcome = site.bring_leads(30)
    manager = site.client("manager")
    none = manager.get("/reports/leads_by_channel?from=2020-01-01&until=2020-01-31").text
    assert "没有数据" in none
    some = manager.get("/reports/leads_by_channel?from=2026-03-01&until=2026-03-05").text
    found = re.search(r'big-number"><a [^>]+>(\d+)<', some)
    assert found and 0 < int(found[1]) <= outcome.good
    assert "2026-03-01 至 2026-03-05" in some
    bad = manager.get("/reports/leads_by_channel?from=2026-03-05&until=2026-03-01")
    assert bad.status == 200 and "结束日期早于开始日期" in bad.text


def test_filters_stand_in_the_address_and_can_be_cleared(site: Site) -> None:
    site.bring_leads(30)
    manager = site.client("manager")
    text = manager.get("/reports/channel_funnel?period=all&f.channel=douyin&by=agent").text
    assert '<option value="douyin" selected>' in text
    assert '<option value="all" selected>' in text
    assert 'href="/reports/channel_funnel?by=agent"' in text
    assert all("of.f.channel=douyin" in url for url, _ in links(text))
    refused = manager.get("/reports/channel_funnel?f.mobile=19900000001")
    assert refused.status == 200 and "不能按“mobile”筛选" in refused.text


def test_the_other_branch_counts_none_of_it(site: Site) -> None:
    site.bring_leads(5)
    manager = site.client("manager2")
    assert "没有数据" in manager.get("/reports/leads_by_channel").text
    assert not links(manager.get("/reports/dashboards/leads?period=all").text)


def test_a_report_one_may_not_read_is_neither_listed_nor_shown(site: Site) -> None:
    doctor = site.client("doctor")
    for path in ("/reports/leads_by_channel", "/reports/dashboards/leads"):
        assert path not in doctor.get("/reports").text
        assert doctor.get(path).status == 403
    listed = site.client("manager").get("/reports").text
    assert "/reports/dashboards/leads" in listed and "/reports/response_time" in listed


def test_a_dashboard_explains_its_numbers_in_both_languages(site: Site) -> None:
    site.bring_leads(5)
    for language, said in (
        ("zh-CN", ("这些数怎么来的", "已沟通 ÷ 线索", "只计服务时间", "只含您有权查看的")),
        ("en", ("Where these numbers come from", "Contacted ÷ Leads", "in open hours only")),
    ):
        text = site.client("manager", language).get("/reports/dashboards/leads?period=all").text
        assert all(words in text for words in said), language
        assert "report." not in re.sub(r"of=report%3A", "", re.sub(r'"[^"]*"', "", text))
