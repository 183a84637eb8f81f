"""Files waiting to be brought in: kept in the home folder by person, gone after a day.

Beside each file stands a note (JSON) of how far checking or writing has come, so that any process
that serves can answer for it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...platform.store.errors import NotFound

DAY = 86_400.0
SILENT_SECONDS = 30.0
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Upload:
    """One file. name: as the person called it; only its ending is used, to tell its kind."""

    folder: Path
    person_id: int
    token: str

    @property
    def file(self) -> Path:
        return self.folder / f"{self.person_id}-{self.token}.file"

    @property
    def note_file(self) -> Path:
        return self.folder / f"{self.person_id}-{self.token}.json"

    def note(self) -> dict[str, Any]:
        """What is known of it. Raises NotFound once it is gone."""
        try:
            found: dict[str, Any] = json.loads(self.note_file.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            raise NotFound("E_UPLOAD_GONE") from None
        return found

    def tell(self, note: dict[str, Any]) -> None:
        """Write the note, whole or not at all."""
        part = self.note_file.with_suffix(f".{secrets.token_hex(4)}.part")
        part.write_text(json.dumps({**note, "told": time.time()}, ensure_ascii=False), "utf-8")
        os.replace(part, self.note_file)


def keep(home: Path, person_id: int, name: str, content: bytes, form_key: str) -> Upload:
    """Keep a file for its person."""
    folder = home / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sweep(folder)
    upload = Upload(folder, person_id, secrets.token_hex(16))
    upload.file.write_bytes(content)
    upload.tell({"form": form_key, "name": name[:200], "state": "new"})
    return upload


def find(home: Path, person_id: int, token: str, form_key: str) -> Upload:
    """A person's own upload for this form. Raises NotFound for anybody else's."""
    if not _TOKEN.fullmatch(token):
        raise NotFound("E_UPLOAD_GONE")
    upload = Upload(home / "uploads", person_id, token)
    if upload.note().get("form") != form_key:
        raise NotFound("E_UPLOAD_GONE")
    return upload


def silent(note: dict[str, Any]) -> bool:
    """Whether nothing was heard of work under way for so long that it has stopped."""
    return time.time() - float(note.get("told", 0)) > SILENT_SECONDS


def sweep(folder: Path) -> None:
    """Remove what is older than a day."""
    for path in folder.iterdir():
        try:
            if time.time() - path.stat().st_mtime > DAY:
                path.unlink()
        except FileNotFoundError:
            continue  # another process was faster
