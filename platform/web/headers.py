"""The headers of every answer: what the browser may load, guess, embed and tell others."""

from flask import Flask, Response, g

from .request import nonce, settings

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
}
A_YEAR = 31_536_000


def policy(nonce: str) -> str:
    """The content security policy: own scripts and styles only, in nobody's frame."""
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def put(response: Response) -> Response:
    """Put them on an answer; what a view has set on purpose stays."""
    for name, value in FIXED.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", policy(nonce()))
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store, private"
    if settings().secure:
        response.headers["Strict-Transport-Security"] = f"max-age={A_YEAR}"
    if "language" in g:
        response.headers["Content-Language"] = g.language
    response.headers.pop("Server", None)
    return response


def use(app: Flask) -> None:
    """Put the headers on every answer, errors and files too."""
    app.after_request(put)
