"""That an unsafe request was meant by the person whose cookie it carries.

Signed in, the token is the sign-in's own. Before that (the sign-in form), it is a keyed hash of a
cookie of its own, so that nobody can be signed in as somebody else either. Besides, the browser's
word on where the request comes from is taken: `Sec-Fetch-Site` and `Origin`.
"""

import hashlib
import hmac
import re
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from ..store.errors import NotAllowed, NotSignedIn
from .request import SAFE, asker, needs_of, settings
from .routes import PUBLIC

COOKIE = "careloom_form"
FIELD = "csrf"
HEADER = "X-CSRF-Token"
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


def token() -> str:
    """The token for this page's forms."""
    try:
        found = asker()
    except NotSignedIn:
        return ""
    return found.csrf if found.way == "cookie" else _sealed(_visitor())


def _visitor() -> str:
    """The visitor's own cookie, given to them with this answer when they have none."""
    if "visitor" not in g:
        known = request.cookies.get(COOKIE, "")
        g.visitor_is_new = not _SHAPE.fullmatch(known)
        g.visitor = secrets.token_urlsafe(32) if g.visitor_is_new else known
    visitor: str = g.visitor
    return visitor


def _sealed(visitor: str) -> str:
    key = settings().secret.encode()
    return hmac.new(key, b"form:" + visitor.encode(), hashlib.sha256).hexdigest()


def check() -> None:
    """Raises NotAllowed (E_CSRF) for an unsafe request that its sender may not have meant."""
    if request.method in SAFE or request.url_rule is None:
        return
    found = asker()
    if found.way == "token":
        return  # no browser sends an access token by itself
    if found.way == "nobody" and needs_of(request.endpoint) != PUBLIC:
        return  # there is nothing to ride on, and the answer is "sign in first"
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("E_CSRF")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc not in _own_hosts():
        raise NotAllowed("E_CSRF")
    sent = request.headers.get(HEADER) or _field()
    if found.way == "cookie":
        wanted = found.csrf
    else:
        known = request.cookies.get(COOKIE, "")
        wanted = _sealed(known) if _SHAPE.fullmatch(known) else ""
    if not wanted or not hmac.compare_digest(sent.encode("utf-8", "replace"), wanted.encode()):
        raise NotAllowed("E_CSRF")


def _field() -> str:
    """The hidden field of an HTML form; a JSON body has none."""
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return request.form.get(FIELD, "")
    return ""


def _own_hosts() -> set[str]:
    return {request.host, urlsplit(settings().public_url).netloc} - {""}


def give_cookie(response: Response) -> Response:
    """Give a new visitor the cookie their form's token was made of."""
    if g.get("visitor_is_new"):
        response.set_cookie(
            COOKIE, g.visitor, httponly=True, samesite="Lax", secure=settings().secure, path="/"
        )
    return response


def use(app: Flask) -> None:
    """Check every unsafe request, before its permission."""
    app.before_request(check)
    app.after_request(give_cookie)
