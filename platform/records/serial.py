"""Serial numbers: gapless within their pattern's period, because they are taken with the record.

A pattern is text with {yyyy} {yy} {mm} {dd} (the branch's day) and {seq:N}, the counter in N
digits, which begins again whenever the rest of the text changes.
"""

import re
from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..store.model import Base

SEQ = re.compile(r"\{seq:(\d)\}")


class SerialCounter(Base):
    """The last number given out for one pattern in one period."""

    __tablename__ = "serial_counter"

    form: Mapped[str] = mapped_column(String(40), primary_key=True)
    field: Mapped[str] = mapped_column(String(40), primary_key=True)
    period: Mapped[str] = mapped_column(String(80), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


def next_serial(session: Session, form: str, field: str, pattern: str, day: datetime) -> str:
    """The next number. The counter's row stays locked until the transaction ends, so none is
    lost and none is given twice; deeds take it last."""
    period = (
        pattern.replace("{yyyy}", f"{day:%Y}")
        .replace("{yy}", f"{day:%y}")
        .replace("{mm}", f"{day:%m}")
        .replace("{dd}", f"{day:%d}")
    )
    counter = _locked(session, form, field, period)
    counter.last += 1
    session.flush()
    return SEQ.sub(lambda match: str(counter.last).zfill(int(match[1])), period)


def _locked(session: Session, form: str, field: str, period: str) -> SerialCounter:
    key = (form, field, period)
    found = session.get(SerialCounter, key, with_for_update=True)
    if found is None:
        _insert_if_absent(session, form, field, period)
        found = session.get_one(SerialCounter, key, with_for_update=True)
    return found


def _insert_if_absent(session: Session, form: str, field: str, period: str) -> None:
    row = {"form": form, "field": field, "period": period, "last": 0}
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_pg

        session.execute(insert_pg(SerialCounter).values(row).on_conflict_do_nothing())
    else:
        from sqlalchemy.dialects.sqlite import insert as insert_lite

        session.execute(insert_lite(SerialCounter).values(row).on_conflict_do_nothing())
