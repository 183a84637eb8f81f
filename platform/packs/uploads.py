"""Zips that somebody looks at the plan of, kept for a day."""

from datetime import timedelta
from typing import IO

from sqlalchemy import delete
from sqlalchemy.orm import Session

from ..identity.actor import Actor
from ..store.database import Database
from ..store.errors import NotFound
from ..store.session import moment, new_id
from .archive import MOST_BYTES, unzipped
from .model import PackUpload
from .read import Pack, pack_of

KEPT = timedelta(days=1)


def keep_upload(database: Database, actor: Actor, stream: IO[bytes]) -> tuple[int, Pack]:
    """Read an uploaded zip, and keep it when it is a pack. Raises Malformed with every problem."""
    content = stream.read(MOST_BYTES + 1)
    pack = pack_of(unzipped(content))

    def deed(session: Session) -> int:
        now = moment(session)
        session.execute(delete(PackUpload).where(PackUpload.at < now - KEPT))
        row = PackUpload(id=new_id(session), content=content, at=now, by=actor.person_id)
        session.add(row)
        session.flush()
        return row.id

    return database.write(deed), pack


def uploaded(database: Database, actor: Actor, upload: int) -> Pack:
    """One's own upload. Raises NotFound when it is another's or too old."""
    with database.read() as session:
        row = session.get(PackUpload, upload)
        if row is None or row.by != actor.person_id or row.at < moment(session) - KEPT:
            raise NotFound("E_PACK_UPLOAD")
        content = row.content
    return pack_of(unzipped(content))


def drop_upload(session: Session, upload: int) -> None:
    """It has been applied."""
    session.execute(delete(PackUpload).where(PackUpload.id == upload))
