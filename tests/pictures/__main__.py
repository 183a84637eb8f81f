"""Walk the demo's pages and picture each: `python -m tests.pictures [--out FOLDER] [NAME …]`.

Every page at 390 and 1280 pixels in both languages, and in the dark once at each width. Writes
PNGs and an index.html. Leaves with status 1 when a page is wider than its screen or complains.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import chromium  # noqa: E402
from playwright.sync_api import Browser, Page  # noqa: E402
from served import TUESDAY, Site, load_demo, served, site_in  # noqa: E402

from careloom.platform.store.clock import TurnedClock  # noqa: E402

from .walk import PICTURES, Picture, prepare, sign_in  # noqa: E402

VIEWS = (
    (390, "zh-CN", "light"),
    (390, "en", "light"),
    (1280, "zh-CN", "light"),
    (1280, "en", "light"),
    (390, "zh-CN", "dark"),
    (1280, "en", "dark"),
)
HEIGHT = {390: 844, 1280: 900}
TALLEST = 4_000


def main() -> int:
    """Picture everything, or the pages named; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures")
    parser.add_argument("--out", type=Path, default=Path("pictures"))
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    wanted = [one for one in PICTURES if not given.names or one.name in given.names]
    given.out.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template"
        template.mkdir()
        load_demo(template, TurnedClock(TUESDAY))
        with site_in(template, Path(folder) / "home", TurnedClock(TUESDAY)) as site:
            prepare(site)
            with served(site), chromium.started() as browser:
                for view in VIEWS:
                    faults += _view(browser, site, wanted, given.out, *view)
    (given.out / "index.html").write_text(_index(wanted), "utf-8")
    print(f"{len(wanted) * len(VIEWS)} pictures in {given.out}/, see {given.out}/index.html")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _view(
    browser: Browser,
    site: Site,
    wanted: list[Picture],
    out: Path,
    width: int,
    language: str,
    scheme: str,
) -> list[str]:
    """All pages in one size, language and light; returns what was wrong."""
    faults: list[str] = []
    for login in dict.fromkeys(one.login for one in wanted):
        with chromium.page(browser, width, language, scheme) as page:
            page.context.add_cookies(
                [{"name": "careloom_language", "value": language, "url": site.url}]
            )
            if login:
                sign_in(page, site.url, login)
            for one in wanted:
                if one.login == login:
                    faults += _picture(page, site, one, out, width, language, scheme)
    return faults


def _picture(
    page: Page, site: Site, one: Picture, out: Path, width: int, language: str, scheme: str
) -> list[str]:
    one.way(page, site.url)
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    tall = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(HEIGHT[width], min(tall, TALLEST))})
    page.screenshot(path=str(out / name_of(one, width, language, scheme)))
    page.set_viewport_size({"width": width, "height": HEIGHT[width]})
    return [f"{one.name} at {width}: {wide} pixels too wide"] if wide > 0 else []


def name_of(one: Picture, width: int, language: str, scheme: str) -> str:
    """The picture's file."""
    dark = "-dark" if scheme == "dark" else ""
    return f"{one.name}-{width}-{language}{dark}.png"


def _index(wanted: list[Picture]) -> str:
    """One row for each page, its views side by side."""
    rows = []
    for one in wanted:
        files = [name_of(one, *view) for view in VIEWS]
        links = "".join(
            f'<a href="{file}"><img src="{file}" alt="{file}" loading="lazy"></a>' for file in files
        )
        rows.append(f"<h2>{one.name}</h2><div>{links}</div>")
    style = "body{font:14px sans-serif}div{display:flex;gap:8px;align-items:flex-start}"
    style += "img{max-height:420px;max-width:360px;border:1px solid #ccc}"
    head = f'<!doctype html><meta charset="utf-8"><title>Careloom</title><style>{style}</style>'
    return head + "".join(rows)


if __name__ == "__main__":
    sys.exit(main())
