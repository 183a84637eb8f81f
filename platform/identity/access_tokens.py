"""Access tokens: what a program shows to act for a person.

`clm_<12 letters>_<43 letters>`: the first part is for finding and showing, the whole is the secret.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from ..events.log import append
from ..store.errors import Conflict, NotAllowed, NotFound, NotSignedIn
from ..store.hot import Hot
from ..store.session import moment, new_id
from .actor import Actor, actor_of
from .authority import need_authority
from .events import SUBJECT
from .model import AccessToken
from .opaque import digest, opaque
from .reach import own_or_in_reach

SHAPE = re.compile(r"clm_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
MOST = 50  # living tokens of one person
#: the token of a prefix, unless it was revoked; `judged` says whether it still lets anybody act
UNREVOKED = select(AccessToken.hash, AccessToken.person_id, AccessToken.expires_at).where(
    AccessToken.prefix == bindparam("prefix"), AccessToken.revoked_at.is_(None)
)
_FIND = Hot(UNREVOKED)


def issue(
    session: Session,
    actor: Actor,
    person_id: int,
    title: str,
    expires_at: datetime | None = None,
) -> tuple[AccessToken, str]:
    """A new token for oneself, or with `people.write` at their unit for another who has no more
    rights over the platform (`authority`).

    Returns the row and the token, which is shown this once. Raises NotFound, NotAllowed,
    Conflict when the person has MOST of them or is disabled.
    """
    person = own_or_in_reach(session, actor, person_id, "people.write")
    if person_id != actor.person_id:
        need_authority(session, actor, person_id)
    living = session.scalars(
        select(AccessToken.id).where(
            AccessToken.person_id == person_id,
            AccessToken.revoked_at.is_(None),
            AccessToken.expires_at.is_(None) | (AccessToken.expires_at > moment(session)),
        )
    ).all()
    if person.disabled_at is not None or len(living) >= MOST:
        raise Conflict("E_TOKENS_MANY", most=MOST)
    prefix = secrets.token_hex(6)
    token = f"clm_{prefix}_{opaque()}"
    row = AccessToken(
        id=new_id(session),
        prefix=prefix,
        hash=digest(token),
        person_id=person_id,
        title=title,
        created_at=moment(session),
        expires_at=expires_at,
        revoked_at=None,
    )
    session.add(row)
    append(session, "token:issued", actor, (SUBJECT, person_id), person.unit_id, {"prefix": prefix})
    return row, token


def check(session: Session, token: str) -> Actor:
    """Whom the token lets act. Raises NotSignedIn: unknown, revoked, expired, person disabled."""
    return judged(session, token, _FIND.first(session, {"prefix": prefix_of(token)}))


def prefix_of(token: str) -> str:
    """The part that is for finding it. Raises NotSignedIn for what is no token."""
    shape = SHAPE.fullmatch(token)
    if shape is None:
        raise NotSignedIn("E_TOKEN")
    return shape[1]


def judged(session: Session, token: str, row: Any) -> Actor:
    """Whom the token lets act, by the row of UNREVOKED if there is one. Raises as `check`."""
    if row is None or row.hash is None or not hmac.compare_digest(row.hash, digest(token)):
        raise NotSignedIn("E_TOKEN")
    if row.expires_at is not None and row.expires_at <= moment(session):
        raise NotSignedIn("E_TOKEN")
    return actor_of(session, row.person_id)


def by_prefix(session: Session, prefix: str) -> AccessToken:
    """A token by its public part, with or without `clm_`. Raises NotFound."""
    row = session.scalar(
        select(AccessToken).where(AccessToken.prefix == prefix.removeprefix("clm_")[:12])
    )
    if row is None:
        raise NotFound("E_NO_TOKEN")
    return row


def revoke(session: Session, actor: Actor, token_id: int) -> None:
    """End a token, one's own or with `people.write`. Revoking twice is no error."""
    row = session.get(AccessToken, token_id)
    if row is None:
        raise NotFound("E_NO_TOKEN")
    try:
        person = own_or_in_reach(session, actor, row.person_id, "people.write")
    except NotAllowed:
        raise NotFound("E_NO_TOKEN") from None
    if row.revoked_at is None:
        row.revoked_at = moment(session)
        append(
            session,
            "token:revoked",
            actor,
            (SUBJECT, person.id),
            person.unit_id,
            {"prefix": row.prefix},
        )


def revoke_all(session: Session, person_id: int) -> None:
    """End every token of a person (disabled, or their password was set anew)."""
    session.execute(
        update(AccessToken)
        .where(AccessToken.person_id == person_id, AccessToken.revoked_at.is_(None))
        .values(revoked_at=moment(session))
    )


def tokens_of(session: Session, actor: Actor, person_id: int) -> Sequence[AccessToken]:
    """A person's tokens, newest first; the secrets are not among what is known."""
    own_or_in_reach(session, actor, person_id, "people.write")
    return session.scalars(
        select(AccessToken)
        .where(AccessToken.person_id == person_id)
        .order_by(AccessToken.id.desc())
    ).all()
