"""Encrypted columns: AES-GCM with a key id, keys in the data folder, and a blind index.

What is kept is `KEYID:BASE64(nonce, ciphertext)`. The column's own name is bound to it, so a
ciphertext moved to another column does not open. Equality and uniqueness are answered by a keyed
hash beside it (the blind index), nothing else is: no order, no range, no part of the text.

A new key is taken by `rotate`; what older keys wrote stays readable, for their files stay.
"""

import base64
import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
BLIND_LENGTH = 32  # hex digits: 128 bits


class Unreadable(Exception):
    """A ciphertext whose key is missing, or that was altered or moved."""


class Keyring:
    """The keys of one data folder: `keys/fields/<number>.key` and `keys/fields/blind.key`."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "keys" / "fields"
        self._keys: dict[int, bytes] = {}
        self._lock = Lock()
        self._blind = b""

    def encrypt(self, column: str, text: str) -> str:
        """What is kept of a text in this column (`form.field`)."""
        number = self.newest()
        nonce = os.urandom(NONCE)
        body = AESGCM(self._key(number)).encrypt(nonce, text.encode(), column.encode())
        return f"{number}:{base64.b64encode(nonce + body).decode()}"

    def decrypt(self, column: str, kept: str) -> str:
        """The text again. Raises Unreadable."""
        number, _, body = kept.partition(":")
        try:
            raw = base64.b64decode(body, validate=True)
            key = self._key(int(number))
            return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], column.encode()).decode()
        except (ValueError, InvalidTag, FileNotFoundError) as error:
            raise Unreadable(column) from error

    def blind(self, column: str, text: str) -> str:
        """The text's entry in the column's blind index; case and width are the writer's to fold."""
        message = f"{column}\0{text}".encode()
        return hmac.new(self._blind_key(), message, hashlib.sha256).hexdigest()[:BLIND_LENGTH]

    def newest(self) -> int:
        """The number of the key that new texts are encrypted with; the first is made when asked."""
        with self._lock:
            if not self._keys:
                self._load()
            if not self._keys:
                self._make("1.key")
                self._load()
            return max(self._keys)

    def rotate(self) -> int:
        """Make a new key and use it from now on; returns its number."""
        number = self.newest() + 1
        self._make(f"{number}.key")
        with self._lock:
            self._load()
        return number

    def _key(self, number: int) -> bytes:
        if number not in self._keys:
            with self._lock:
                self._load()
        try:
            return self._keys[number]
        except KeyError:
            raise FileNotFoundError(f"{number}.key") from None

    def _blind_key(self) -> bytes:
        if not self._blind:
            path = self._folder / "blind.key"
            if not path.exists():
                self._make(path.name)
            self._blind = path.read_bytes()
        return self._blind

    def _load(self) -> None:
        for path in self._folder.glob("*.key"):
            if path.stem.isdigit():
                self._keys[int(path.stem)] = path.read_bytes()

    def _make(self, name: str) -> None:
        """Write 32 random bytes under a name, whole and synced, unless another process did."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._folder / f".{name}.{secrets.token_hex(8)}"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, secrets.token_bytes(32))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(part, self._folder / name)
        except FileExistsError:
            pass
        finally:
            part.unlink()


@lru_cache(maxsize=64)
def keyring(home: Path) -> Keyring:
    """The keys of a data folder, read once per process."""
    return Keyring(home)
