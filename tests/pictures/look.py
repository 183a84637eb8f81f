"""Looking at a page: is it the one that was meant, does it fit, does it keep the rules?"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import chromium
from playwright.sync_api import Browser, Page, Route
from served import Site
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from .walk import NOWHERE, Picture
from .ways import Clinic, sign_in

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
HEIGHT = {390: 844, 1280: 900}
TALLEST = 4_000
BROKEN = """[...document.querySelectorAll('.tab > span')]
  .filter(each => each.offsetHeight > 1.5 * parseFloat(getComputedStyle(each).lineHeight))
  .map(each => each.textContent)"""
UNDER_WAY = re.compile(r"/import/[0-9a-f]{32}$")


@dataclass(frozen=True)
class View:
    """A page's size (pixels wide), language and light."""

    width: int
    language: str
    scheme: str

    def __str__(self) -> str:
        return f"{self.width}-{self.language}-{self.scheme}"


def violations(page: Page) -> list[str]:
    """What axe-core finds against a page: one line for each violation."""
    page.evaluate(AXE.read_text("utf-8"))  # past the page's own policy on foreign scripts
    asked = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
    found = page.evaluate(asked)
    return [
        f"{rule['id']}: {rule['help']} ({node['html'][:160]})"
        for rule in found
        for node in rule["nodes"][:3]
    ]


def _once(route: Route) -> None:
    """A page that fetches itself anew each second is looked at as it is the first time."""
    if route.request.method != "GET":
        route.continue_()
        return
    answer = route.fetch()
    headers = {name: value for name, value in answer.headers.items() if name != "refresh"}
    route.fulfill(response=answer, headers=headers)


@dataclass(frozen=True)
class Walker:
    """Goes through a served clinic. places: see scene.py; out: where pictures go,
    if anywhere; rules: whether those of accessibility are asked."""

    site: Site
    places: dict[str, str]
    out: Path | None = None
    rules: bool = True

    @contextmanager
    def opened(self, browser: Browser, view: View, login: str) -> Iterator[Page]:
        """A page of a person's, signed in."""
        with chromium.page(browser, view.width, view.language, view.scheme) as page:
            page.context.add_cookies([self._tongue(view)])  # type: ignore[list-item]
            page.set_default_timeout(120_000)
            page.route(UNDER_WAY, _once)
            if login:
                sign_in(page, self.site.url, login)
            yield page

    def turn(self, page: Page, view: View) -> None:
        """The same page in another view; what is a phone by its making stays one."""
        page.set_viewport_size({"width": view.width, "height": HEIGHT[view.width]})
        page.emulate_media(color_scheme=view.scheme)  # type: ignore[arg-type]
        page.context.add_cookies([self._tongue(view)])  # type: ignore[list-item]

    def _tongue(self, view: View) -> dict[str, str]:
        return {"name": "careloom_language", "value": view.language, "url": self.site.url}

    def picture(self, page: Page, one: Picture, view: View) -> list[str]:
        """Go there, look, and keep a picture; what was wrong, each with where."""
        status = 200

        def note(response: Any) -> None:
            nonlocal status
            if response.request.is_navigation_request() and response.status not in (302, 303):
                status = response.status

        page.on("response", note)
        try:
            one.way(page, Clinic(self.site.url, self.places))
            found = self._faults(page, one, status)
            if self.out is not None:
                self._keep(page, self.out / name_of(one, view), view)
            return [f"{one.name} {view}: {fault}" for fault in found]
        except Exception as error:
            return [f"{one.name} {view}: {error}"]
        finally:
            page.remove_listener("response", note)

    def _faults(self, page: Page, one: Picture, status: int) -> list[str]:
        found = violations(page) if self.rules else []
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0:
            found.append(f"{wide} pixels too wide")
        found += [f"{name} takes two lines in the bar" for name in page.evaluate(BROKEN)]
        if (rule := self._rule(page)) != one.rule:
            found.append(f"shows {rule}, not {one.rule}")
        if status != one.status:
            found.append(f"answers {status}, not {one.status}")
        return found

    def _rule(self, page: Page) -> str:
        """The route of the page's address."""
        known: MapAdapter = self.site.app.url_map.bind("localhost")
        for method in ("GET", "POST"):
            try:
                rule, _ = known.match(urlsplit(page.url).path, method, return_rule=True)
                return rule.rule
            except HTTPException:
                continue
        return NOWHERE

    def _keep(self, page: Page, path: Path, view: View) -> None:
        tall = page.evaluate("document.documentElement.scrollHeight")
        height = HEIGHT[view.width]
        page.set_viewport_size({"width": view.width, "height": max(height, min(tall, TALLEST))})
        page.screenshot(path=str(path))
        page.set_viewport_size({"width": view.width, "height": height})


def name_of(one: Picture, view: View) -> str:
    """The picture's file."""
    return f"{one.name}-{view}.png"
