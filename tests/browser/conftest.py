"""A served demo clinic, and the accessibility rules of axe-core."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import lacking
from playwright.sync_api import Page
from served import Site, demo_home, served, site  # noqa: F401

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def clinic(site: Site) -> Iterator[Site]:  # noqa: F811
    """The demo clinic, answering on a port of its own."""
    with served(site) as opened:
        yield opened


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """What axe-core finds against a page: one line for each violation."""
    if not AXE.exists():
        lacking("axe-core (make build)")
    source = AXE.read_text("utf-8")

    def violations(page: Page) -> list[str]:
        page.evaluate(source)  # past the page's own policy, which forbids foreign scripts
        found = page.evaluate("async () => (await axe.run(document)).violations")
        return [
            f"{rule['id']}: {rule['help']} ({node['html'][:160]})"
            for rule in found
            for node in rule["nodes"][:3]
        ]

    return violations
