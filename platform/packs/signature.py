"""A pack's signature: whose it is, and that nothing in it was changed on the way.

`signature.json` names every other file with its SHA-256 and is signed with Ed25519 (RFC 8032), so
one key vouches for each byte and for there being no further file. What a key is worth is decided
where the pack comes in (`signers`).
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ..store.errors import Malformed, Problem
from ..store.letters import spelled, unspelled
from .strict import Unread, loads

SIGNATURE = "signature.json"
#: what is signed begins so, lest a signature for something else be taken for one of a pack
ABOUT = "careloom pack 1"
KEY = re.compile(r"[A-Za-z0-9_-]{43}\Z", re.ASCII)


def named(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """A public key as people pass it on: its 32 bytes in URL-safe base64, 43 letters."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return spelled(public.public_bytes_raw())


def is_key(text: str) -> bool:
    """Whether this is a public key as `named` writes it."""
    return KEY.match(text) is not None and len(_bytes(text)) == 32


def sign(files: Mapping[str, bytes], key: Ed25519PrivateKey) -> dict[str, Any]:
    """What `signature.json` says of a pack's files."""
    digests = _digests(files)
    signature = key.sign(_signed(digests))
    return {
        "format": 1,
        "signer": named(key),
        "files": digests,
        "signature": spelled(signature),
    }


def signer_of(files: Mapping[str, bytes]) -> str:
    """The public key that vouches for all of a pack's files; "" when nobody does.

    Raises Malformed when there is a signature and it does not hold: with each file that was
    changed, is missing or was put in, or with the signature's own fault.
    """
    if SIGNATURE not in files:
        return ""
    try:
        found = loads(files[SIGNATURE])
    except Unread as fault:
        raise _refusal(Problem(f"/{SIGNATURE}{fault.at}", fault.code, fault.params)) from None
    if not _is_signature(found):
        raise _refusal(Problem(f"/{SIGNATURE}", "E_PACK_SIGNATURE"))
    digests = _digests(files)
    listed = found["files"]
    differ = sorted(name for name in {*digests, *listed} if digests.get(name) != listed.get(name))
    if differ:
        raise _refusal(
            *(Problem("/" + name[:200], _what(name, digests, listed)) for name in differ)
        )
    key = Ed25519PublicKey.from_public_bytes(unspelled(found["signer"]))
    try:
        key.verify(unspelled(found["signature"]), _signed(listed))
    except InvalidSignature:
        raise _refusal(Problem(f"/{SIGNATURE}", "E_PACK_SIGNATURE")) from None
    return str(found["signer"])


def _what(name: str, digests: Mapping[str, str], listed: Mapping[str, str]) -> str:
    if name not in digests:
        return "E_PACK_SIGNED_GONE"
    return "E_PACK_SIGNED_CHANGED" if name in listed else "E_PACK_SIGNED_EXTRA"


def _refusal(*problems: Problem) -> Malformed:
    return Malformed("E_PACK", list(problems))


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if name != SIGNATURE
    }


def _signed(digests: Mapping[str, str]) -> bytes:
    """The bytes that the key signs. No name of a file has a space or a line's end in it."""
    lines = (f"{digest} {name}" for name, digest in sorted(digests.items()))
    return "\n".join((ABOUT, *lines)).encode()


def _is_signature(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and set(found) == {"format", "signer", "files", "signature"}
        and found["format"] == 1
        and isinstance(found["signer"], str)
        and is_key(found["signer"])
        and isinstance(found["signature"], str)
        and len(_bytes(found["signature"])) == 64
        and isinstance(found["files"], dict)
        and all(isinstance(digest, str) for digest in found["files"].values())
    )


def _bytes(letters: str) -> bytes:
    """Nothing when these letters are for none."""
    try:
        return unspelled(letters)
    except ValueError:
        return b""
