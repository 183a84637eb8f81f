"""Which pages are pictured, and the way to each as a person would take it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from playwright.sync_api import Page
from served import LEADS, PASSWORD, Site

from careloom.platform.store.clock import TurnedClock

Way = Callable[[Page, str], None]


@dataclass(frozen=True)
class Picture:
    """One page. login: who sees it, empty for nobody; way: how to get there."""

    name: str
    login: str
    way: Way


def sign_in(page: Page, url: str, login: str, password: str = PASSWORD) -> None:
    """Through the form."""
    page.goto(f"{url}/sign-in")
    page.fill("#login", login)
    page.fill("#password", password)
    page.click("button.button-main")
    page.wait_for_load_state()


def at(path: str) -> Way:
    """By its address."""

    def go(page: Page, url: str) -> None:
        page.goto(url + path)

    return go


def first(path: str, selector: str) -> Way:
    """By the first such link of a page."""

    def go(page: Page, url: str) -> None:
        page.goto(url + path)
        link = page.locator(selector).locator("visible=true").first
        href = link.get_attribute("href")
        page.goto(url + (href or ""))

    return go


def refused_sign_in(page: Page, url: str) -> None:
    sign_in(page, url, "agent", "not-the-password")


def refused_task(page: Page, url: str) -> None:
    """The task sent with nothing filled in."""
    TASK(page, url)
    page.locator(".submit-bar .button-main").click()
    page.locator("#problems").wait_for()


def look(page: Page, url: str) -> None:
    """The lead file chosen and checked, before anything is written."""
    page.goto(f"{url}/records/lead_intake/import")
    lines = LEADS.read_text("utf-8").split("\n")
    rows = "\n".join([lines[0], *lines[200:320]]).encode()
    page.set_input_files(
        "input[type=file]", {"name": "leads.csv", "mimeType": "text/csv", "buffer": rows}
    )
    page.locator("form button.button-main").click()
    page.locator(".counts").wait_for()


def plan(page: Page, url: str) -> None:
    """The plan of a pack, asked for as its button does (it is installed: nothing is to be done)."""
    page.goto(f"{url}/packs")
    page.evaluate(
        """() => {
            const form = document.createElement('form')
            form.method = 'post'
            form.action = '/packs/plan'
            const add = (name, value) => {
              const input = form.appendChild(document.createElement('input'))
              input.name = name
              input.value = value
            }
            add('csrf', document.querySelector('[name=csrf]').value)
            add('pack', 'dental')
            document.body.append(form)
            form.submit()
        }"""
    )
    page.locator(".plan").wait_for()


def instance(page: Page, url: str) -> None:
    """From a task to the run it belongs to."""
    TASK(page, url)
    page.locator("a[href^='/instances/']").first.click()
    page.wait_for_load_state()


TASK = first("/", "[data-next-task]")

PICTURES = (
    Picture("sign-in", "", at("/sign-in")),
    Picture("sign-in-refused", "", refused_sign_in),
    Picture("work-list", "agent", at("/")),
    Picture("work-list-empty", "agent2", at("/")),
    Picture("work-list-escalated", "supervisor", at("/")),
    Picture("task", "agent", TASK),
    Picture("task-refused", "agent", refused_task),
    Picture("task-escalated", "supervisor", TASK),
    Picture("forms", "supervisor", at("/records")),
    Picture("records", "supervisor", at("/records/lead_intake")),
    Picture("records-filtered", "supervisor", at("/records/lead_intake?w.channel=meituan&q=1")),
    Picture("records-empty", "agent2", at("/records/lead_intake")),
    Picture("record", "supervisor", first("/records/lead_intake", ".table-link, .card-link")),
    Picture("new-record", "agent", at("/records/lead_intake/new")),
    Picture("import", "supervisor", at("/records/lead_intake/import")),
    Picture("import-look", "supervisor", look),
    Picture("reports", "manager", at("/reports")),
    Picture("report", "manager", at("/reports/leads_by_channel")),
    Picture("funnel", "manager", at("/reports/channel_funnel?period=all")),
    Picture("dashboard", "manager", at("/reports/dashboards/leads?period=all")),
    Picture("packs", "ops", at("/packs")),
    Picture("pack-plan", "admin", plan),
    Picture("instance", "supervisor", instance),
    Picture("people", "admin", at("/people")),
    Picture("person", "admin", first("/people?q=agent", ".table-link, .card-link")),
    Picture("person-new", "admin", at("/people/new")),
    Picture("units", "admin", at("/people/units")),
    Picture("unit", "admin", first("/people/units", ".plan a")),
    Picture("roles", "admin", at("/people/roles")),
    Picture("role", "admin", at("/people/roles/online_consultant")),
    Picture("account", "agent", at("/me")),
    Picture("not-found", "agent", at("/no-such-page")),
)


def prepare(site: Site) -> None:
    """Leads in several states: some late and with the supervisor, one called, one closed."""
    assert isinstance(site.clock, TurnedClock)
    site.bring_leads(6)
    site.clock.turn(timedelta(minutes=11))
    site.work()
    site.bring_leads(14)
    site.clock.turn(timedelta(minutes=6))
    site.work()
    site.bring_leads(52)
