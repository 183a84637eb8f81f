"""What goes with a call: its signature, its Idempotency-Key, and a header that is wanted beside.

The other side reckons `HMAC-SHA256(secret, TIMESTAMP + "." + BODY)` over the body as it came,
compares it with `v1=` of `Careloom-Signature`, and refuses a `t=` that is older than it likes.
"""

import hashlib
import hmac
import re
from datetime import datetime

HEADER = re.compile(r"(?i:authorization|x-(?!forwarded)[a-z0-9]+(?:-[a-z0-9]+){0,5})")
"""Headers that an administrator may set; no other means anything to the line itself."""
VALUE = re.compile(r"[!-~](?:[ -~]{0,998}[!-~])?")


def signature(secret: str, body: bytes, now: datetime) -> str:
    """`t=SECONDS,v1=HEX`: what proves that the body comes from here, and when."""
    at = str(int(now.timestamp()))
    made = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256)
    return f"t={at},v1={made.hexdigest()}"


def headers(
    secret: str, body: bytes, now: datetime, same: str, beside: tuple[str, str] | None
) -> dict[str, str]:
    """All that goes with a call. same: its Idempotency-Key; beside: the header that is wanted."""
    return {
        **(dict([beside]) if beside else {}),
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": "Careloom",
        "Idempotency-Key": same,
        "Careloom-Signature": signature(secret, body, now),
    }
