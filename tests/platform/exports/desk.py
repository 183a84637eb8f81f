"""A clinic where three rows leave freely: who asks, who may say yes, and who may not."""

from dataclasses import dataclass
from pathlib import Path

import make
from sqlalchemy import select
from visitors import Caller, Site, build
from werkzeug.test import TestResponse

from careloom.platform.events.model import Event
from careloom.platform.identity.actor import SYSTEM, Actor
from careloom.platform.records.submit import submit
from careloom.platform.store.database import Database
from careloom.platform.web.settings import settings_from

REASON = "Calls of the spring recall"


def said(got: TestResponse) -> tuple[int, str]:
    """The status and the code of a refusal; of anything else, no code."""
    told = got.json if "json" in got.mimetype else None
    return got.status_code, (told or {}).get("code", "")


@dataclass
class Desk:
    """clerk exports the branch; head may say yes there; other is head of the other branch."""

    site: Site
    clerk: Actor
    head: Actor
    other: Actor

    @property
    def database(self) -> Database:
        return self.site.database

    def call(self, actor: Actor) -> Caller:
        return Caller(self.site, self.site.token(actor))

    def leads(self, *names: str, unit: str = "B1") -> None:
        """Records at a branch."""
        at = self.site.at[unit]
        for name in names:
            values = {"name": name, "mobile": "19912345678", "deal": "7"}
            self.database.write(lambda s, v=values: submit(s, SYSTEM, "lead", v, unit_id=at).id)  # type: ignore[misc]

    def events(self, prefix: str = "export:") -> list[Event]:
        with self.database.read() as session:
            found = select(Event).where(Event.name.startswith(prefix)).order_by(Event.id)
            return list(session.scalars(found))


def open_desk(database: Database, home: Path, free: str = "3") -> Desk:
    """The desk, with four leads at its branch."""
    site = build(
        database, settings_from({"CARELOOM_HOME": str(home), "CARELOOM_EXPORT_FREE": free})
    )
    export = make.rule("branch", "read", "export", mobile="masked", deal="hidden")
    site.role("clerk", lead=[export])
    site.role("head", "exports.allow", lead=[make.rule("branch", "read", "export")])
    desk = Desk(
        site,
        site.person("clerk", "B1", "clerk"),
        site.person("head", "B1", "head"),
        site.person("other", "B2", "head"),
    )
    desk.leads("Ann", "Bob", "Cid", "Dan")
    return desk
