"""Every page there is, looked at once: it is the one that was meant, fits its screen and breaks no
rule of accessibility. `make pictures` looks at all of them in all their states and views."""

from itertools import product

import pytest
from pictures.look import View, Walker
from pictures.scene import prepare
from pictures.walk import each_route
from playwright.sync_api import Browser
from served import Site

pytestmark = pytest.mark.browser

VIEWS = [View(*each) for each in product((390, 1280), ("zh-CN", "en"), ("light", "dark"))]


@pytest.mark.timeout(900)
def test_no_page_breaks_a_rule_of_accessibility(clinic: Site, browser: Browser) -> None:
    """Page after page the view changes, so that each view is seen with many of them."""
    walker = Walker(clinic, prepare(clinic, days=2))
    pictures = each_route()
    found = []
    for login in dict.fromkeys(one.login for one in pictures):
        with walker.opened(browser, VIEWS[0], login) as page:
            for number, one in enumerate(pictures):
                if one.login == login:
                    view = VIEWS[number * 3 % len(VIEWS)]
                    walker.turn(page, view)
                    found += walker.picture(page, one, view)
    assert found == []
