"""Lists of records in Chromium: filters, cards dragged by pointer and moved by keyboard."""

from collections.abc import Callable, Iterator

import pytest
from chromium import page as opened_page
from playwright.sync_api import Browser, Locator, Page, expect
from served import PASSWORD, Site

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.lists import list_records

pytestmark = pytest.mark.browser

Axe = Callable[[Page], list[str]]
BOARD = "/records/customer_profile?as=board&by=kind"


@pytest.fixture
def board(clinic: Site, page: Page) -> Iterator[Page]:
    """The supervisor before the board of customers."""
    clinic.bring_leads(3)
    sign_in(page, clinic, "supervisor")
    page.goto(clinic.url + BOARD)
    yield page


def sign_in(page: Page, site: Site, login: str) -> None:
    page.goto(f"{site.url}/sign-in")
    page.locator("#login").fill(login)
    page.locator("#password").fill(PASSWORD)
    page.locator("button.button-main").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("您好")


def column(page: Page, at: int) -> Locator:
    return page.locator("[data-column]").nth(at)


def kinds(clinic: Site) -> list[object]:
    with clinic.database.read() as session:
        found = list_records(session, SYSTEM, "customer_profile", sort=["id"]).items
        return [record.values.get("kind") for record in found]


def drag(page: Page, card: Locator, to: Locator) -> None:
    start, end = card.bounding_box(), to.bounding_box()
    assert start and end
    page.mouse.move(start["x"] + 30, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(end["x"] + 60, end["y"] + 30, steps=6)
    page.mouse.up()


def test_a_card_is_dragged_to_another_column_and_stays_there(clinic: Site, board: Page) -> None:
    page = board
    before = kinds(clinic)
    card = page.locator("[data-card]").first
    name = card.locator("b").inner_text()
    start = card.locator("xpath=ancestor::section").get_attribute("data-column")
    keys = [c.get_attribute("data-column") for c in page.locator("[data-column]").all()]
    there = keys.index(start) + 1 if keys.index(start) + 1 < len(keys) else 0
    with page.expect_response(lambda answer: answer.url.endswith("/move")):
        drag(page, card, column(page, there))
    expect(column(page, there).locator("[data-card]").first).to_contain_text(name)
    expect(page.locator("[data-board-said]")).to_contain_text("已移动")
    assert kinds(clinic) != before
    page.reload()
    expect(column(page, there)).to_contain_text(name)


def test_a_card_is_moved_with_the_keyboard_alone(clinic: Site, board: Page) -> None:
    page = board
    before = kinds(clinic)
    page.locator("[data-card] summary").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="已移动")).to_be_visible()
    assert kinds(clinic) != before


def test_a_refused_card_goes_back_and_says_why(clinic: Site, board: Page) -> None:
    page = board
    page.route("**/move", lambda route: route.fulfill(status=422, json={"words": "不能移动"}))
    card = page.locator("[data-card]").first
    start = card.locator("xpath=ancestor::section").get_attribute("data-column")
    keys = [c.get_attribute("data-column") for c in page.locator("[data-column]").all()]
    drag(page, card, column(page, (keys.index(start) + 1) % len(keys)))
    expect(page.locator("[data-board-said]")).to_have_text("不能移动")
    back = page.locator(f'[data-column="{start}"] [data-card]').first
    expect(back).to_be_visible()


def test_filters_ask_only_what_was_filled_in(clinic: Site, page: Page) -> None:
    clinic.bring_leads(8)
    sign_in(page, clinic, "supervisor")
    page.goto(f"{clinic.url}/records/lead_intake")
    page.locator(".filters > summary").click()
    page.locator("[name='o.received_at']").select_option("this_month")
    expect(page.locator("[name='w.received_at']").first).to_be_hidden()
    page.get_by_role("button", name="应用筛选").click()
    expect(page.locator(".chip")).to_have_count(1)
    assert page.url.endswith("?o.received_at=this_month")


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_lists_boards_and_calendars_break_no_rule_of_accessibility(
    clinic: Site, browser: Browser, axe: Axe, width: int, scheme: str
) -> None:
    clinic.bring_leads(8)
    found = []
    with opened_page(browser, width, "zh-CN", scheme) as page:
        sign_in(page, clinic, "supervisor")
        for path in (
            "/records/lead_intake?w.channel=meituan&add=city",
            BOARD,
            *(
                f"/records/lead_intake?as=calendar&by=received_at&on=2026-03-04&span={span}"
                for span in ("day", "week", "month")
            ),
        ):
            page.goto(clinic.url + path)
            found += [f"{path}: {line}" for line in axe(page)]
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{path} is {wide} pixels wider than its screen"
    assert found == []
