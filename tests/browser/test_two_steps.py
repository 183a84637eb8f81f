"""The second factor on a telephone: set up, kept, asked for."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page
from served import PASSWORD, Site

from careloom.platform.identity import totp

pytestmark = pytest.mark.browser


def test_a_person_sets_it_up_on_a_telephone_and_signs_in_by_it(
    clinic: Site, browser: Browser, axe: Callable[[Page], list[str]]
) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN") as context:
        page = context.new_page()

        def code(key: str) -> str:
            clinic.clock.turn(timedelta(seconds=totp.PERIOD))  # type: ignore[attr-defined]
            return totp.code_at(key, totp.step_of(clinic.clock.now()))

        def sign_in() -> None:
            page.goto(f"{clinic.url}/sign-in")
            page.fill("#login", "nurse")
            page.fill("#password", PASSWORD)
            page.keyboard.press("Enter")

        sign_in()
        page.wait_for_selector("nav.tabs")
        page.goto(f"{clinic.url}/me")
        page.click("a[href='/me/second-factor']")
        key = page.inner_text("code.key").replace(" ", "")
        page.fill("#f-code", code(key))
        page.fill("#f-password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("#codes")
        assert len(page.input_value("#codes").split()) == 10
        assert page.is_visible("[data-copy]") and page.is_visible("[data-print]")
        assert axe(page) == []
        page.click("main a.button-main")
        page.goto(f"{clinic.url}/me/second-factor")
        assert axe(page) == []
        context.clear_cookies()
        sign_in()
        page.wait_for_selector("#code")
        assert page.evaluate("document.activeElement.id") == "code"
        assert not page.is_visible("#recovery")
        page.keyboard.type(code(key))
        page.keyboard.press("Enter")
        page.wait_for_selector("nav.tabs")
        assert page.url == f"{clinic.url}/"
