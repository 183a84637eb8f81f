"""Small packs of lists, for tests of reading, planning, applying and taking back."""

import json
from typing import Any

from careloom.platform.packs.read import Pack, pack_of

TITLE = {"zh-CN": "颜色", "en": "Colours"}


def colours(*names: str, key: str = "colour") -> dict[str, Any]:
    """A list definition with these items."""
    items = [{"key": name, "title": {"zh-CN": name, "en": name}} for name in names]
    return {"format": 1, "key": key, "title": TITLE, "items": items}


def files(version: str = "1.0.0", *lists: dict[str, Any], **more: bytes) -> dict[str, bytes]:
    """A pack's files; `more` by name, with __ for / and .json added."""
    manifest = {"format": 1, "key": "paint", "title": TITLE, "version": version}
    made = {"pack.json": json.dumps(manifest).encode()}
    for one in lists or (colours("red"),):
        made[f"lists/{one['key']}.json"] = json.dumps(one).encode()
    for name, content in more.items():
        made[name.replace("__", "/") + ".json"] = content
    return made


def pack(version: str = "1.0.0", *lists: dict[str, Any], **more: bytes) -> Pack:
    """The same, read."""
    return pack_of(files(version, *lists, **more))


def story(key: str = "holds", **more: Any) -> bytes:
    """A story in which nothing happens."""
    scene = {"key": "one", "when": [], "then": []}
    made = {"format": 1, "key": key, "title": TITLE, "at": "2026-03-03T10:00", "scenes": [scene]}
    return json.dumps({**made, **more}).encode()
