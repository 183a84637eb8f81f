"""The machine's own Chromium, driven by Playwright: for tests in a browser and for pictures."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

# In a closed network Chromium's own errands are refused, many at a time, and slow a page down.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = 390


def program() -> str | None:
    """Where Chromium is, or nothing when it is not installed. Its headless shell draws the same
    pages without a window's work."""
    names = "chromium-headless-shell", "chromium", "chromium-browser"
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def started() -> Iterator[Browser]:
    """Chromium without a screen, closed at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def page(
    browser: Browser,
    width: int,
    language: str = "zh-CN",
    scheme: str = "light",
    script: bool = True,
) -> Iterator[Page]:
    """A page with cookies of its own. An error thrown in its script fails whoever opened it.

    script: whether it runs any.
    """
    phone = width <= PHONE
    context = browser.new_context(
        viewport={"width": width, "height": 844 if phone else 900},
        locale=language,
        timezone_id="Asia/Shanghai",
        color_scheme="dark" if scheme == "dark" else "light",
        has_touch=phone,
        is_mobile=phone,
        java_script_enabled=script,
    )
    context.set_default_timeout(10_000)
    opened = context.new_page()
    thrown: list[str] = []
    opened.on("pageerror", lambda error: thrown.append(str(error)))
    yield opened
    context.close()
    assert not thrown, f"errors thrown in the page: {thrown}"
