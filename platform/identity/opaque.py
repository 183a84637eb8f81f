"""Opaque secrets: 256 random bits that people's browsers and programs hold, known here by hash."""

import hashlib
import secrets


def opaque() -> str:
    """A new secret, 43 letters of URL-safe text."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Its SHA-256 in hexadecimal; enough for 256 random bits, and no use to a thief."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
