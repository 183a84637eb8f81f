"""Bytes as letters that any address, file and line of a command takes: base64 as URLs have it,
without what fills it up (RFC 4648, 5)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def spelled(content: bytes) -> str:
    """The letters for these bytes: A-Z a-z 0-9 - _."""
    return urlsafe_b64encode(content).decode().rstrip("=")


def unspelled(letters: str) -> bytes:
    """The bytes again. Raises ValueError when these letters are for none."""
    content = urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
    if spelled(content) != letters:
        raise ValueError("other letters spell the same bytes")
    return content
