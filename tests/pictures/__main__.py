"""Walk the demo's pages and picture each: `python -m tests.pictures [--out FOLDER] [NAME …]`.

Every page at 390 and 1280 pixels in both languages and in the dark. Writes PNGs and an
index.html. Leaves with status 1 when a page is another than was meant, is wider than its screen,
breaks a rule of accessibility or complains.
"""

import argparse
import sys
import tempfile
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import chromium  # noqa: E402
from playwright.sync_api import Browser  # noqa: E402
from served import TUESDAY, load_demo, served, site_in  # noqa: E402

from careloom.platform.store.clock import TurnedClock  # noqa: E402

from .look import View, Walker, name_of  # noqa: E402
from .scene import prepare  # noqa: E402
from .walk import CHAPTERS, PICTURES, Picture  # noqa: E402

VIEWS = [View(*each) for each in product((390, 1280), ("zh-CN", "en"), ("light", "dark"))]
DAYS = 60


def main() -> int:
    """Picture everything, or the pages and views named; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures")
    parser.add_argument("--out", type=Path, default=Path("pictures"))
    parser.add_argument("--days", type=int, default=DAYS, help="of leads before the day")
    parser.add_argument("--view", action="append", default=[], help="such as 390-zh-CN-light")
    parser.add_argument("--no-rules", action="store_true", help="only pictures, in half the time")
    parser.add_argument("names", nargs="*", help="pages; all without")
    given = parser.parse_args()
    wanted = [one for one in PICTURES if not given.names or one.name in given.names]
    views = [view for view in VIEWS if not given.view or str(view) in given.view]
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template"
        template.mkdir()
        load_demo(template, TurnedClock(TUESDAY))
        with site_in(template, Path(folder) / "home", TurnedClock(TUESDAY)) as site:
            places = prepare(site, given.days)
            with served(site), chromium.started() as browser:
                walker = Walker(site, places, given.out, not given.no_rules)
                faults = _walk(browser, walker, wanted, views)
    (given.out / "index.html").write_text(_index(given.out), "utf-8")
    print(f"{len(wanted) * len(views)} pictures in {given.out}/, see {given.out}/index.html")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _walk(browser: Browser, walker: Walker, wanted: list[Picture], views: list[View]) -> list[str]:
    """Every page in every view, signed in once for each person; returns what was wrong."""
    faults: list[str] = []
    for view, login in product(views, dict.fromkeys(one.login for one in wanted)):
        with walker.opened(browser, view, login) as page:
            for one in wanted:
                if one.login == login:
                    faults += walker.picture(page, one, view)
    return faults


def _index(out: Path) -> str:
    """One row for each page, its views side by side; those that are not there are left out."""
    rows = []
    for title, pictures in CHAPTERS.items():
        rows.append(f"<h2>{title}</h2>")
        for one in pictures:
            files = [name for view in VIEWS if (out / (name := name_of(one, view))).exists()]
            links = "".join(
                f'<a href="{name}"><img src="{name}" alt="{name}" loading="lazy"></a>'
                for name in files
            )
            rows.append(
                f'<h3 id="{one.name}">{one.name} <code>{one.rule}</code></h3>'.replace(
                    "<id:", "&lt;id:"
                )
                + f"<div>{links}</div>"
            )
    style = (
        "body{font:14px sans-serif}div{display:flex;gap:8px;align-items:flex-start;overflow:auto}"
    )
    style += "img{max-height:420px;max-width:360px;border:1px solid #ccc}code{color:#666}"
    head = f'<!doctype html><meta charset="utf-8"><title>Careloom</title><style>{style}</style>'
    return head + "".join(rows)


if __name__ == "__main__":
    sys.exit(main())
