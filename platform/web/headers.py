"""The headers of every answer: what the browser may load, guess, embed and tell others."""

from flask import Flask, Response, g

from .request import nonce, settings

A_YEAR = 31_536_000


def policy(nonce: str) -> str:
    """The content security policy: own scripts and styles only, in nobody's frame. nonce: the
    page's, empty where no page was drawn."""
    scripts = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
    "Content-Security-Policy": policy(""),
    "Cache-Control": "no-store, private",
}


def put(response: Response) -> Response:
    """Put them on an answer; what a view has set on purpose stays."""
    wanted = FIXED
    if "nonce" in g:
        wanted = {**FIXED, "Content-Security-Policy": policy(nonce())}
    headers = response.headers
    stands = {name.lower() for name in headers.keys()}  # noqa: SIM118 (one name may come twice)
    headers.extend([each for each in wanted.items() if each[0].lower() not in stands])
    if settings().secure:
        headers["Strict-Transport-Security"] = f"max-age={A_YEAR}"
    if "language" in g:
        headers["Content-Language"] = g.language
    headers.pop("Server", None)
    return response


def use(app: Flask) -> None:
    """Put the headers on every answer, errors and files too."""
    app.after_request(put)
