"""A served application with one form that has every kind of field, two branches, their people."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import make
from sqlalchemy.orm import Session
from visitors import EVERYTHING, Site
from werkzeug.test import TestResponse

from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.records.submit import submit
from careloom.platform.store.database import Database
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import settings_from

CUSTOMER = make.form("customer", {"name": make.field()}, x_label="name")
LEAD = make.form(
    "lead",
    {
        "name": make.field(maxLength=20),
        "mobile": make.field("phone"),
        "age": make.field("number", minimum=0, maximum=110),
        "deal": make.field("money", x_scale=2, minimum=0),
        "share": make.field("percent", x_scale=4),
        "day": make.field("date"),
        "at": make.field("datetime"),
        "clock": make.field("time"),
        "agreed": make.field("yesno"),
        "grade": make.field("choice", x_options=make.fixed("a", "b")),
        "tags": make.field("choices", x_options=make.fixed("a", "b")),
        "mail": make.field("email"),
        "web": make.field("url"),
        "id_no": make.field("id_card", x_encrypted=True),
        "card": make.field(x_column={"unique": True}),
        "code": make.field(pattern="^[A-Z]{3}$"),
        "note": make.field("longtext", maxLength=100),
        "customer": make.link("customer"),
        "owner": make.field("person"),
        "unit": make.field("unit"),
    },
    ["name"],
    x_label="name",
    x_owner="owner",
    x_unit="unit",
    x_rules=[
        {
            "key": "cheap",
            "if": "ISBLANK(deal) OR deal <= 100000",
            "message": "Too dear",
            "level": "error",
            "field": "deal",
        }
    ],
)
READ = ("read", "export")
ALL = (*READ, "create", "change", "retire", "import")
ROLES = [
    make.role(
        "desk",
        {"lead": [make.rule("branch", *ALL)], "customer": [make.rule("branch", "read", "create")]},
    ),
    make.role(
        "everything",
        {"lead": [make.rule("all", *ALL)], "customer": [make.rule("all", *ALL)]},
        [*EVERYTHING, "reports.read:*", "flows.read"],
    ),
]


@dataclass
class Clinic:
    """The site, its people's tokens, and a record of each branch."""

    site: Site
    here: Actor
    tokens: dict[str, dict[str, str]]
    mine: int
    theirs: int
    their_customer: int

    @property
    def database(self) -> Database:
        return self.site.database

    def ask(self, method: str, path: str, login: str = "here", **more: Any) -> TestResponse:
        """Ask as a program does."""
        headers = {**self.tokens[login], **more.pop("headers", {})}
        return self.site.app.test_client().open(path, method=method, headers=headers, **more)

    def list(self, login: str = "here", form: str = "lead", **query: str) -> TestResponse:
        """Ask for a form's records."""
        return self.ask("GET", f"/api/records/{form}", login, query_string=query)


def open_clinic(database: Database, home: Path) -> Clinic:
    """Everything in place, over a fresh database."""
    settings = settings_from({"CARELOOM_HOME": str(home)})
    site = Site(create_app(database, settings), database, make.organisation(database))

    def definitions(session: Session) -> None:
        for form in (CUSTOMER, LEAD):
            publish_document(session, SYSTEM, "form", form)
        for role in ROLES:
            publish_document(session, SYSTEM, "role", role)

    database.write(definitions)
    people = {
        "here": site.person("here", "B1", "desk"),
        "there": site.person("there", "B2", "desk"),
        "admin": site.person("admin", "G", "everything"),
    }

    def records(session: Session) -> tuple[int, int, int]:
        at = site.at
        customer = submit(session, SYSTEM, "customer", {"name": "Theirs"}, unit_id=at["B2"]).id
        mine = {"name": "Mine", "unit": str(at["B1"]), "mobile": "19900000001", "card": "C-1"}
        theirs = {"name": "Theirs", "unit": str(at["B2"]), "mobile": "19900000002", "card": "C-2"}
        return (
            submit(session, SYSTEM, "lead", mine).id,
            submit(session, SYSTEM, "lead", theirs).id,
            customer,
        )

    mine, theirs, customer = database.write(records)
    tokens = {login: site.token(actor) for login, actor in people.items()}
    return Clinic(site, people["here"], tokens, mine, theirs, customer)
