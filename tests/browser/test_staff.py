"""Staff at their work, in Chromium, with a finger on a phone and a pointer at a desk."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from chromium import page as opened_page
from playwright.sync_api import Browser, Locator, Page, expect
from served import LEADS, PASSWORD, Site

from careloom.platform.store.clock import TurnedClock

pytestmark = pytest.mark.browser

Axe = Callable[[Page], list[str]]


def sign_in(page: Page, site: Site, login: str) -> None:
    page.goto(site.url)
    page.locator("#login").fill(login)
    page.locator("#password").fill(PASSWORD)
    press(page.get_by_role("button", name="登录"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("您好")


def press(what: Locator) -> None:
    """A finger on a phone, else a pointer; both as real events."""
    size = what.page.viewport_size
    if size is not None and size["width"] <= 390:
        what.first.tap()
    else:
        what.first.click()


def pick(page: Page, field: str, choice: str) -> None:
    """Choose by its words, in pills or in a list."""
    box = page.locator(f'[data-field="{field}"]')
    pills = box.locator(".choice", has_text=choice)
    if pills.count():
        press(pills)
    else:
        box.locator("select").select_option(label=choice)


def fill_in_the_call(page: Page) -> None:
    pick(page, "result", "接通")
    page.locator("#f-summary").fill("想周末来看，关心价格")
    if page.locator('[data-field="grade_after"]').is_visible():
        pick(page, "grade_after", "B")
    pick(page, "next_action", "邀约")
    if page.locator("#f-next_at").is_visible():
        page.locator("#f-next_at").fill("2026-03-04T10:00")


def turn(site: Site, minutes: int) -> None:
    assert isinstance(site.clock, TurnedClock)
    site.clock.turn(timedelta(minutes=minutes))
    site.work()


def test_an_agent_on_a_phone_finishes_a_call_and_the_next_task_appears(
    clinic: Site, phone_page: Page, axe: Axe
) -> None:
    clinic.bring_leads(3)
    page = phone_page
    sign_in(page, clinic, "agent")
    first = page.locator("[data-next-task]")
    expect(first).to_contain_text("还剩 15 分钟")
    name = first.locator(".task-who").inner_text()
    address = first.get_attribute("href")
    press(first)
    expect(page.locator(".person-name")).to_contain_text(name.split()[0])
    expect(page.locator('a[href^="tel:"]').first).to_be_visible()
    assert axe(page) == []
    fill_in_the_call(page)
    press(page.get_by_role("button", name="完成"))
    expect(page.get_by_role("status")).to_contain_text("已完成")
    expect(page.locator("[data-next-task]")).to_be_visible()
    assert page.locator("[data-next-task]").get_attribute("href") != address
    assert axe(page) == []


def test_sixteen_minutes_later_an_untouched_task_is_with_the_supervisor(
    clinic: Site, browser: Browser, phone_page: Page
) -> None:
    clinic.bring_leads(1)
    sign_in(phone_page, clinic, "supervisor")
    expect(phone_page.locator("[data-next-task]")).to_have_count(0)
    turn(clinic, 16)
    phone_page.reload()
    late = phone_page.locator("[data-next-task]")
    expect(late).to_contain_text("已超时 1 分钟")
    expect(late).to_contain_text("超时升级")
    press(late)
    expect(phone_page.get_by_role("button", name="完成")).to_be_visible()
    with opened_page(browser, 1280) as other:
        sign_in(other, clinic, "agent2")
        expect(other.locator("[data-next-task]")).to_have_count(0)


def test_what_is_missing_is_said_before_anything_is_sent_and_leads_to_its_field(
    clinic: Site, phone_page: Page, axe: Axe
) -> None:
    clinic.bring_leads(1)
    page = phone_page
    sign_in(page, clinic, "agent")
    press(page.locator("[data-next-task]"))
    expect(page.locator(".submit-bar")).to_be_visible()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    press(page.get_by_role("button", name="完成"))
    problems = page.locator("#problems")
    expect(problems).to_be_focused()
    expect(problems).to_contain_text("沟通摘要")
    assert "POST" not in sent
    assert axe(page) == []
    press(problems.get_by_role("link", name=re.compile("沟通摘要")))
    expect(page.locator("#f-summary")).to_be_focused()
    page.keyboard.type("没有接通")
    expect(page.locator("#p-summary")).to_be_hidden()


def test_a_second_tap_on_a_slow_line_sends_nothing_twice(clinic: Site, phone_page: Page) -> None:
    clinic.bring_leads(2)
    page = phone_page
    sign_in(page, clinic, "agent")
    press(page.locator("[data-next-task]"))
    fill_in_the_call(page)
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url) if r.method == "POST" else None)
    page.evaluate(
        """() => {
          const form = document.querySelector('form[data-fill]')
          form.querySelector('.button-main').click()
          form.querySelector('.button-main').click()
        }"""
    )
    expect(page.get_by_role("status")).to_contain_text("已完成")
    assert len(sent) == 1


def test_what_was_typed_is_there_again_and_gone_after_sign_out(clinic: Site, page: Page) -> None:
    clinic.bring_leads(1)
    sign_in(page, clinic, "agent")
    press(page.locator("[data-next-task]"))
    page.locator("#f-summary").fill("说到一半，来了别的电话")
    expect(page.locator("[data-draft-note]")).to_contain_text("草稿")
    page.reload()
    expect(page.locator("#f-summary")).to_have_value("说到一半，来了别的电话")
    expect(page.locator("[data-draft-note]")).to_contain_text("已恢复")
    press(page.get_by_role("button", name="退出登录"))
    expect(page.locator("#login")).to_be_visible()
    assert page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('careloom'))") == []


def test_fields_come_and_go_with_what_they_depend_on(clinic: Site, page: Page) -> None:
    sign_in(page, clinic, "agent")
    page.goto(f"{clinic.url}/records/lead_intake/new")
    referrer = page.locator('[data-field="referrer"]')
    expect(referrer).to_be_hidden()
    pick(page, "channel", "老带新")
    expect(referrer).to_be_visible()
    expect(referrer.locator("[data-must]")).to_be_visible()
    score = page.locator('[data-field="lead_score"] [data-shown]')
    expect(score).to_have_text("10")
    page.locator("#f-mobile").fill("19900000123")
    expect(score).to_have_text("40")


def test_a_whole_call_is_written_down_without_a_pointer(clinic: Site, page: Page) -> None:
    clinic.bring_leads(1)
    sign_in(page, clinic, "agent")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("[data-next-task]").focus()
    page.keyboard.press("Enter")
    page.locator("#f-result").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#f-result")).to_have_value("answered")
    page.locator("#f-summary").focus()
    page.keyboard.type("周末来")
    for field in ("grade_after", "next_action"):
        radios = page.locator(f'[data-field="{field}"] input[type=radio]')
        if radios.count() and page.locator(f'[data-field="{field}"]').is_visible():
            radios.nth(1).focus()
            page.keyboard.press("Space")
    page.locator("#f-next_at").fill("2026-03-04T10:00")
    page.locator(".submit-bar .button-main").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("已完成")


def test_a_supervisor_brings_in_a_file_and_sees_what_would_happen_first(
    clinic: Site, page: Page, axe: Axe
) -> None:
    sign_in(page, clinic, "supervisor")
    page.goto(f"{clinic.url}/records/lead_intake/import")
    assert axe(page) == []
    rows = "\n".join(LEADS.read_text("utf-8").split("\n")[:40]).encode()
    page.set_input_files(
        "input[type=file]", {"name": "线索.csv", "mimeType": "text/csv", "buffer": rows}
    )
    expect(page.locator("#file-name")).to_have_text("线索.csv")
    press(page.get_by_role("button", name="读取并核对"))
    expect(page.locator(".counts")).to_be_visible()
    assert axe(page) == []
    if page.locator("[name=accept_good]").count():
        page.locator("[name=accept_good]").check()
    press(page.get_by_role("button", name=re.compile("^导入")))
    expect(page.get_by_role("heading", name=re.compile("已导入"))).to_be_visible()
    press(page.get_by_role("link", name=re.compile("查看")))
    expect(page.locator("tbody tr")).to_have_count(25)
    assert axe(page) == []


def test_language_and_light_are_switched_and_stay(clinic: Site, page: Page) -> None:
    sign_in(page, clinic, "agent")
    press(page.get_by_role("button", name="English"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    press(page.get_by_role("button", name="Switch light and dark"))
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_pages_keep_their_own_policy(clinic: Site, page: Page) -> None:
    """No inline style, no foreign source: the browser reports nothing it had to refuse."""
    clinic.bring_leads(2)
    refused: list[str] = []
    page.on("console", lambda line: refused.append(line.text) if line.type == "error" else None)
    sign_in(page, clinic, "agent")
    press(page.locator("[data-next-task]"))
    page.goto(f"{clinic.url}/records/lead_intake")
    assert refused == []
    assert page.locator("[style]").count() == 0
