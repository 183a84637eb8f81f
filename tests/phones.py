"""People with an authenticator app, as browsers go through two steps."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import make
from sqlalchemy import select
from visitors import PASSWORD, Site, Visitor
from werkzeug.test import TestResponse

from careloom.platform.events.model import Event
from careloom.platform.identity import totp
from careloom.platform.identity.roles import save_role
from careloom.platform.web.routes import PUBLIC, declaration_of

STEP = timedelta(seconds=totp.PERIOD)
OWN, CODE = "/me/second-factor", "/sign-in/code"


@dataclass
class Phone:
    """Somebody with an app, a browser that has set it up, and their recovery codes."""

    site: Site
    visitor: Visitor
    secret: str
    codes: list[str]

    def code(self, off: int = 0) -> str:
        return totp.code_at(self.secret, totp.step_of(self.site.database.clock.now()) + off)

    def fresh(self) -> str:
        """A code that has not been shown yet."""
        turn(self.site, STEP)
        return self.code()


def turn(site: Site, by: timedelta) -> None:
    site.database.clock.turn(by)  # type: ignore[attr-defined]


def signed_in(site: Site, login: str) -> Visitor:
    visitor = site.visitor()
    assert visitor.sign_in(login).status_code == 303
    return visitor


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return html.unescape(found[1])


def send_set_up(site: Site, visitor: Visitor, **changed: str) -> tuple[TestResponse, str]:
    """Send the page that sets it up, as it is or with a field changed; its answer and the key."""
    page = visitor.get(OWN).text
    found = re.search(r'<code class="key"[^>]*>([A-Z2-7 ]+)</code>', page)
    assert found
    secret = found[1].replace(" ", "")
    step = totp.step_of(site.database.clock.now())
    fields = {name: field(page, name) for name in ("csrf", "begun", "next")}
    fields |= {"code": totp.code_at(secret, step), "password": PASSWORD} | changed
    return visitor.post(OWN, **fields), secret


def phone(site: Site, login: str) -> Phone:
    """Somebody signs in, sets it up and keeps the codes."""
    visitor = signed_in(site, login)
    answer, secret = send_set_up(site, visitor)
    assert answer.status_code == 201, answer.text
    return Phone(site, visitor, secret, codes_on(answer))


def codes_on(answer: TestResponse) -> list[str]:
    """The recovery codes that a page shows this once."""
    shown = re.search(r'<textarea[^>]* id="codes"[^>]*>([^<]+)</textarea>', answer.text)
    assert shown, answer.text
    return shown[1].split()


def half(site: Site, login: str, password: str = PASSWORD, next: str = "") -> Visitor:
    """A browser whose password was right."""
    visitor = site.visitor()
    answer = visitor.sign_in(login, password, next)
    assert answer.status_code == 303 and answer.location.startswith(CODE), answer.location
    return visitor


def show(visitor: Visitor, typed: str, field: str = "code", next: str = "") -> TestResponse:
    sent = {field: typed, "next": next}
    return visitor.post(CODE, csrf=visitor.csrf("/sign-in"), **sent)


def who(visitor: Visitor) -> str | None:
    answer = visitor.get("/api/me")
    return answer.json["login"] if answer.status_code == 200 else None


def names(site: Site) -> list[str]:
    with site.database.read() as session:
        return list(session.scalars(select(Event.name).order_by(Event.id)))


def doors(site: Site) -> Iterator[tuple[str, str, str]]:
    """Method, address and endpoint of every route that is not open to all."""
    for rule in site.app.url_map.iter_rules():
        declaration = declaration_of(site.app.view_functions[rule.endpoint])
        assert declaration is not None
        if declaration.needs == PUBLIC:
            continue
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
        path = re.sub(r"<(?:id|int):\w+>", "1", path)
        for method in sorted(set(rule.methods or ()) - {"OPTIONS", "HEAD"}):
            yield method, re.sub(r"<(?:\w+:)?\w+>", "x", path), rule.endpoint


def guard(site: Site) -> None:
    """A role that asks for a second factor."""
    document = make.role("guarded", {}) | {"second_factor": True}
    site.database.write(lambda s: save_role(s, document, 1))
