"""One imported lead on its whole way to a paid deal, through the hands of five people."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from chromium import page as opened_page
from playwright.sync_api import Browser, Page, expect
from served import PASSWORD, Site

from careloom.platform.records.bring import bring, read_rows
from careloom.platform.records.sheet import read_sheet
from careloom.platform.store.clock import TurnedClock

pytestmark = pytest.mark.browser

NAME = "周小满"
HEADERS = "渠道,称呼,手机号,意向项目,业务线,接收时间,个人信息同意"
LEAD = "美团,{name},199000043{number},超声洁治,口腔,2026-03-03 09:{number},是"
WIDTHS = {"agent": 390}
CALL = {
    "result": "answered",
    "summary": "牙龈出血，想洗牙",
    "grade_after": "B",
    "next_action": "invite",
}
ARRIVAL = {"visit_kind": "first", "how_know": "meituan", "triage": "den_general"}
SIGNED = {"id_checked": "true", "privacy_signed": "true"}
EXAM = {
    "face_symmetry": "normal",
    "tmj": "normal",
    "mouth_opening_mm": "42",
    "mucosa": "normal",
    "diagnosis": "K05_1",
    "risk_caries": "low",
    "risk_perio": "mid",
    "complexity": "c1",
    "doctor_advice": "洁治后复查",
}
PLAN = {
    "diagnosis": "慢性龈炎",
    "goals": "消除炎症",
    "limits": "不治疗会进展为牙周炎",
    "risks": "已当面说明",
    "items.0.item": "超声洁治",
    "items.0.qty": "1",
    "items.0.list_price": "398.00",
    "items.0.discount": "5",
    "decision": "accept",
}
PAID = {"status": "paid", "methods.0.method": "微信", "methods.0.amount": "378.10"}


@dataclass
class Staff:
    """Everybody at a page of their own, signed in when they are first needed."""

    site: Site
    browser: Browser
    script: bool
    opened: ExitStack
    pages: dict[str, Page] = field(default_factory=dict)

    def page(self, login: str) -> Page:
        if login not in self.pages:
            width = WIDTHS.get(login, 1280)
            page = self.opened.enter_context(opened_page(self.browser, width, script=self.script))
            page.goto(f"{self.site.url}/sign-in")
            page.locator("#login").fill(login)
            page.locator("#password").fill(PASSWORD)
            page.locator("button.button-main").click()
            expect(page.get_by_role("heading", level=1)).to_contain_text("您好")
            self.pages[login] = page
        return self.pages[login]

    def does(self, login: str, title: str, outcome: str = "", **values: str) -> None:
        """Open the task about the customer, fill it in and complete it."""
        page = self.page(login)
        task = page.locator('a[href^="/tasks/"]', has_text=NAME).filter(has_text=title)
        if not task.count():
            page.goto(self.site.url)
        task.first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(title)
        for_all = page.get_by_role("button", name="我来处理")
        if for_all.count():
            for_all.click()
        if outcome:
            page.locator(".outcomes .choice", has_text=outcome).click()
        fill_in(page, values)
        page.get_by_role("button", name="完成").click()
        expect(page.get_by_role("status").filter(has_text="已完成")).to_be_visible()
        self.site.work()

    def writes(self, login: str, form: str, **values: str) -> None:
        """A record that no task asks for."""
        page = self.page(login)
        page.goto(f"{self.site.url}/records/{form}/new")
        fill_in(page, values)
        page.get_by_role("button", name="保存").click()
        expect(page).to_have_url(re.compile(rf"/records/{form}/\d+"))
        self.site.work()

    def turn_to(self, at: str) -> None:
        """Another day: everybody signs in anew."""
        clock = self.site.clock
        assert isinstance(clock, TurnedClock)
        clock.turn(datetime.fromisoformat(at + "+08:00") - clock.now())
        self.site.work()
        self.pages.clear()

    def funnel(self) -> list[int]:
        """The numbers of the manager's funnel, from leads to deals."""
        page = self.page("manager")
        page.goto(f"{self.site.url}/reports/channel_funnel")
        told = page.locator(".funnel-count b").all_inner_texts()
        return [int(number) for number in told]


def fill_in(page: Page, values: dict[str, str]) -> None:
    """Each field by its key: a choice is taken, a line is written."""
    for key, value in values.items():
        box = page.locator(f'[data-field="{key}"]')
        box.first.wait_for()  # the page may still be on its way
        choice = box.locator(f'.choice:has(input[value="{value}"])')
        if choice.count():
            choice.click()
        elif box.locator("select").count():
            option = box.locator("option", has_text=value)
            label = option.first.inner_text() if option.count() else None
            box.locator("select").select_option(**({"label": label} if label else {"value": value}))
        else:
            box.locator("input, textarea").first.fill(value)


@contextmanager
def staff(site: Site, browser: Browser, script: bool) -> Iterator[Staff]:
    with ExitStack() as opened:
        yield Staff(site, browser, script, opened)


def bring_in(site: Site, names: Sequence[str], since: int) -> None:
    """A file of leads, as the supervisor brings it in; the first one came at so many past nine."""
    rows = [LEAD.format(name=name, number=since + place) for place, name in enumerate(names)]
    sheet = read_sheet("线索.csv", "\n".join([HEADERS, *rows]).encode())
    actor = site.actor("supervisor")
    with site.database.read() as session:
        reading = read_rows(session, actor, "lead_intake", sheet)
    assert bring(site.database, actor, reading).good == len(names)
    site.work()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_five_people_carry_a_lead_to_a_paid_deal_and_the_funnel_counts_it_once(
    clinic: Site, browser: Browser, script: bool
) -> None:
    bring_in(clinic, ["李明", "王静", "赵磊"], since=50)
    with staff(clinic, browser, script) as people:
        before = people.funnel()
        bring_in(clinic, [NAME], since=58)
        people.does("agent", "首次联系", **CALL, next_at="2026-03-03T18:00")
        people.does("agent", "邀约到店", "已约到店", start_at="2026-03-05T10:00")
        people.turn_to("2026-03-05T09:55")
        people.writes("desk", "checkin", customer=NAME, appointment=NAME, **ARRIVAL, **SIGNED)
        people.does("desk", "到店接待")
        people.does("desk", "补全档案", birth_date="1992-08-08")
        people.does("doctor", "初诊检查", **EXAM)
        people.does("consultant", "讲解方案", **PLAN)
        people.does("desk", "收费", **PAID)
        after = people.funnel()
    assert before == [3, 0, 0, 0, 0, 0]
    assert [now - then for then, now in zip(before, after, strict=True)] == [1] * 6
