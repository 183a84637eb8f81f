"""Lists: options that several forms share, such as channels or procedures."""

from sqlalchemy.orm import Session

from ..store.errors import Problem
from .form_check import check_items
from .kinds import Document, Kind
from .schema_check import schema


def check_list(session: Session, document: Document) -> list[Problem]:
    return list(check_items(document["items"], ("items",)))


LIST = Kind("list", schema("list"), check_list, order=20)
