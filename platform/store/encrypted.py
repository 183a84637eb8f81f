"""Encrypted columns: AES-GCM with a key id, keys in the data folder, and a blind index.

What is kept is `KEYID:BASE64(nonce, ciphertext)`. The column's own name is bound to it, so a
ciphertext moved to another column does not open. Equality and uniqueness are answered by a keyed
hash beside it (the blind index), nothing else is: no order, no range, no part of the text.

A new key is taken by `rotate`, for the ciphertexts and for the blind index. What older keys wrote
stays readable and findable for as long as their files stay; once a job has written everything
anew (`records/new_key`), they can be dropped. Every process sees a new key at once.
"""

import base64
import hashlib
import hmac
import os
import secrets
import time
from functools import lru_cache
from pathlib import Path
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .synced import sync_folder

NONCE = 12
BLIND_LENGTH = 32  # hex digits: 128 bits
FIRST_BLIND = "blind.key"
TICK = 100_000_000  # nanoseconds


class Unreadable(Exception):
    """A ciphertext whose key is missing, or that was altered or moved."""


class Keyring:
    """The keys of one data folder: `keys/fields/<number>.key`, and for the blind index
    `blind-<number>.key` (`blind.key` is the first)."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "keys" / "fields"
        self._keys: dict[int, bytes] = {}
        self._blinds: dict[int, bytes] = {}
        self._seen = 0  # when the folder last changed, as far as its keys are read
        self._lock = Lock()

    def encrypt(self, column: str, text: str) -> str:
        """What is kept of a text in this column (`form.field`)."""
        number = self.newest()
        nonce = os.urandom(NONCE)
        body = AESGCM(self._keys[number]).encrypt(nonce, text.encode(), column.encode())
        return f"{number}:{base64.b64encode(nonce + body).decode()}"

    def decrypt(self, column: str, kept: str) -> str:
        """The text again. Raises Unreadable."""
        number, _, body = kept.partition(":")
        try:
            raw = base64.b64decode(body, validate=True)
            key = self._key(int(number))
            return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], column.encode()).decode()
        except (ValueError, InvalidTag, KeyError) as error:
            raise Unreadable(column) from error

    def blind(self, column: str, text: str) -> str:
        """The text's entry in the column's blind index; case and width are the writer's to fold."""
        return self.blinds(column, text)[0]

    def blinds(self, column: str, text: str) -> list[str]:
        """Its entries by every key there is, the newest first: while a job writes the entries
        anew, some rows have the older one."""
        self._read()
        if not self._blinds:
            self._make(FIRST_BLIND)
            self._read(again=True)
        message = f"{column}\0{text}".encode()
        return [
            hmac.new(self._blinds[number], message, hashlib.sha256).hexdigest()[:BLIND_LENGTH]
            for number in sorted(self._blinds, reverse=True)
        ]

    def numbers(self) -> list[int]:
        """The numbers of the keys there are, the oldest first."""
        self._read()
        return sorted(self._keys)

    def newest(self) -> int:
        """The number of the key that new texts are encrypted with; the first is made when asked."""
        self._read()
        if not self._keys:
            self._make("1.key")
            self._read(again=True)
        return max(self._keys)

    def begin(self) -> None:
        """Make the first keys, where there are none."""
        self.newest()
        self.blinds("", "")

    def is_settled(self) -> bool:
        """Whether there is one key of each sort, so that nothing is written anew just now."""
        self._read()
        return len(self._keys) < 2 and len(self._blinds) < 2

    def rotate(self) -> int:
        """Make new keys and use them from now on; returns their number."""
        number = max(self.newest(), *self._blinds, 0) + 1
        self._make(f"blind-{number}.key")
        self._make(f"{number}.key")
        self._read(again=True)
        return number

    def drop(self, number: int) -> None:
        """Remove keys older than the newest, this one and its blind one; the caller has made sure
        that nothing was written by them."""
        if number >= self.newest():
            raise ValueError("the newest key stays")
        newest_blind = max(self._blinds, default=0)
        for old in [each for each in self._blinds if each <= number and each != newest_blind]:
            (self._folder / (FIRST_BLIND if old == 1 else f"blind-{old}.key")).unlink()
        (self._folder / f"{number}.key").unlink()
        sync_folder(self._folder)
        self._read(again=True)

    def _key(self, number: int) -> bytes:
        if number not in self._keys:
            self._read(again=True)
        return self._keys[number]

    def _read(self, *, again: bool = False) -> None:
        """Read the keys, when the folder has changed since: another process may have made one."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed == self._seen and not again:
            return
        with self._lock:
            keys, blinds = {}, {}
            for path in self._folder.glob("*.key"):
                name, _, number = path.stem.partition("-")
                if name == "blind":
                    blinds[int(number or 1)] = path.read_bytes()
                elif name.isdigit():
                    keys[int(name)] = path.read_bytes()
            self._keys, self._blinds = keys, blinds
            # Within one tick of the file system's clock the folder may change again unseen.
            self._seen = changed if time.time_ns() - changed > TICK else 0

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
        sync_folder(self._folder)


@lru_cache(maxsize=64)
def keyring(home: Path) -> Keyring:
    """The keys of a data folder, read once per process."""
    return Keyring(home)
