"""The ways to a page, as a person would take them."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from playwright.sync_api import Locator, Page
from served import LEADS, PASSWORD

DENTAL = Path(__file__).resolve().parents[2] / "blueprints" / "dental"
#: Those of the scene who sign in in two steps.
IN_TWO_STEPS = ("careful1", "careful2", "careful3")
_in_turn = cycle(IN_TWO_STEPS)
TOLD = ("in_time", "wrong_number")


@dataclass
class Clinic:
    """What is walked through. url: where it is served, without a slash at the end; places: paths
    of what the scene made, by name (see scene.py)."""

    url: str
    places: dict[str, str] = field(default_factory=dict)


Way = Callable[[Page, Clinic], None]
Touch = Callable[[Page], None]


def sign_in(page: Page, url: str, login: str, password: str = PASSWORD) -> None:
    """Through the form."""
    page.goto(f"{url}/sign-in")
    page.fill("#login", login)
    page.fill("#password", password)
    page.click("button.button-main")
    page.wait_for_load_state()


def by_password(page: Page, clinic: Clinic) -> None:
    """By the right password of somebody who signs in in two steps; of several in turn, for each
    has ten tries."""
    sign_in(page, clinic.url, next(_in_turn))


def seen(page: Page, selector: str) -> Locator:
    """The first such element that can be seen."""
    return page.locator(selector).locator("visible=true").first


def at(path: str) -> Way:
    """By its address; `{name}` in it is a place of the scene."""
    return lambda page, clinic: _go(page, clinic.url + path.format_map(clinic.places))


def _go(page: Page, url: str) -> None:
    page.goto(url)


def first(path: str, selector: str) -> Way:
    """By the first such link of a page."""

    def go(page: Page, clinic: Clinic) -> None:
        at(path)(page, clinic)
        link = page.locator(selector).first
        page.goto(clinic.url + (link.get_attribute("href") or ""))

    return go


def then(way: Way, *touches: Touch) -> Way:
    """A way, and what is done on its page."""

    def go(page: Page, clinic: Clinic) -> None:
        way(page, clinic)
        for touch in touches:
            touch(page)

    return go


def press(selector: str) -> Touch:
    """Press the first such element that can be seen; what follows is waited for."""

    def touch(page: Page) -> None:
        seen(page, selector).click()
        page.wait_for_load_state()

    return touch


def see(selector: str) -> Touch:
    """Wait until it is there."""
    return lambda page: seen(page, selector).wait_for()


def to_fill(selector: str, words: str) -> Touch:
    """Write into the first such line."""
    return lambda page: page.locator(selector).first.fill(words)


def by_hand(script: str) -> Touch:
    """What a page cannot be asked for by a link or a button alone."""

    def touch(page: Page) -> None:
        page.evaluate(script)

    return touch


def posted(path: str, values: dict[str, str]) -> Touch:
    """A form sent to an address with the page's own token."""
    script = """([action, values]) => {
        const form = document.createElement('form')
        form.method = 'post'
        form.action = action
        const token = document.querySelector('[name=csrf]').value
        for (const [name, value] of Object.entries({...values, csrf: token})) {
          const input = form.appendChild(document.createElement('input'))
          input.name = name
          input.value = value
        }
        document.body.append(form)
        form.submit()
      }"""

    def touch(page: Page) -> None:
        with page.expect_navigation():
            page.evaluate(script, [path, values])

    return touch


def file(name: str, content: bytes) -> Touch:
    """Choose a file on the page."""

    def touch(page: Page) -> None:
        page.set_input_files(
            "input[type=file]",
            {"name": name, "mimeType": "application/octet-stream", "buffer": content},
        )

    return touch


def leads(rows: slice) -> bytes:
    """The header and some rows of the lead file."""
    lines = LEADS.read_text("utf-8").split("\n")
    return "\n".join([lines[0], *lines[rows]]).encode()


def changed_pack() -> bytes:
    """The dental pack as a zip, a later version with a form and a flow changed: something to plan.
    Of its stories only those that are quickly told."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for path in sorted(DENTAL.rglob("*.json")):
            if path.parent.name == "stories" and path.stem not in TOLD:
                continue
            packed.writestr(str(path.relative_to(DENTAL)), _changed(path))
    return out.getvalue()


def _changed(path: Path) -> str:
    document = json.loads(path.read_text("utf-8"))
    if path.name == "pack.json":
        document["version"] = "99.0.0"
    if path.name == "den_exam_first.json":
        document["properties"]["doctor_advice"]["x-title"] = {
            "zh-CN": "医生建议与说明",
            "en": "Advice",
        }
    if path.name == "den_lead_followup.json":
        messages = [step for step in document["steps"] if "values" in step]
        messages[0]["values"]["number"] = "mobile"
    return json.dumps(document, ensure_ascii=False)
