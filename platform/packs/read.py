"""A pack's folder -> Pack, strictly: what is not understood is refused, with its place."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..definitions.schema_check import pointer
from ..store.errors import Malformed, Problem
from ..store.tables import KEY

#: folder -> kind of the definitions in it
FOLDERS = {
    "lists": "list",
    "calendars": "calendar",
    "forms": "form",
    "flows": "flow",
    "reports": "report",
    "dashboards": "dashboard",
}
#: beside them, read by nobody here: what a pack says of itself, and its own tests
OTHER = {"README.md", "stories", "data"}
VERSION = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}\Z", re.ASCII)
MOST_FILES = 2_000
MOST_BYTES = 20 * 1024 * 1024
MANIFEST = {"format", "key", "title", "version", "requires", "languages", "description"}


@dataclass(frozen=True)
class Pack:
    """A pack as read. objects: documents by (kind, key), in the order of their files."""

    key: str
    version: str
    manifest: Mapping[str, Any]
    objects: Mapping[tuple[str, str], dict[str, Any]]


def read_pack(folder: Path) -> Pack:
    """Read a pack from its folder. Raises Malformed with every problem; `path` names the file."""
    if not (folder / "pack.json").is_file():
        raise Malformed("E_PACK", [Problem("/pack.json", "E_PACK_MANIFEST")])
    return pack_of(dict(_files(folder)))


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    size = 0
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(paths) > MOST_FILES:
        raise Malformed("E_PACK", [Problem("", "E_PACK_SIZE", {"most": MOST_FILES})])
    for path in paths:
        if path.is_symlink():
            raise Malformed("E_PACK", [Problem(_place(path.name), "E_PACK_FILE")])
        size += path.stat().st_size
        if size > MOST_BYTES:
            raise Malformed("E_PACK", [Problem(_place(path.name), "E_PACK_SIZE")])
        yield path.relative_to(folder).as_posix(), path.read_bytes()


def pack_of(files: Mapping[str, bytes]) -> Pack:
    """A pack from its files by relative name. Raises Malformed with every problem."""
    problems: list[Problem] = []
    objects: dict[tuple[str, str], dict[str, Any]] = {}
    manifest = _manifest(files.get("pack.json", b"{}"), problems)
    for name, content in files.items():
        parts = PurePosixPath(name).parts
        if name == "pack.json" or parts[0] in OTHER:
            continue
        try:
            for kind, document in _documents(name, parts, content):
                _add(objects, kind, document, name, problems)
        except ValueError as error:
            problems.append(Problem(_place(name), "E_PACK_JSON", {"detail": str(error)[:120]}))
    if problems:
        raise Malformed("E_PACK", problems)
    return Pack(manifest["key"], manifest["version"], manifest, objects)


def _manifest(content: bytes, problems: list[Problem]) -> dict[str, Any]:
    try:
        manifest = loads(content)
    except ValueError as error:
        problems.append(Problem(_place("pack.json"), "E_PACK_JSON", {"detail": str(error)[:120]}))
        return {}
    if not isinstance(manifest, dict) or not KEY.match(str(manifest.get("key", ""))):
        problems.append(Problem("/pack.json/key", "E_PACK_MANIFEST"))
        return {}
    if not VERSION.match(str(manifest.get("version", ""))):
        problems.append(Problem("/pack.json/version", "E_PACK_VERSION"))
    for key in sorted(set(manifest) - MANIFEST):
        problems.append(Problem(pointer("pack.json", key), "E_UNKNOWN_KEY", {"keys": key}))
    return manifest


def _documents(
    name: str, parts: tuple[str, ...], content: bytes
) -> Iterator[tuple[str, dict[str, Any]]]:
    if name == "roles.json":
        roles = loads(content)
        if not isinstance(roles, dict) or not isinstance(roles.get("roles"), list):
            raise ValueError('{"format": 1, "roles": [...]} is hoped for')
        for role in roles["roles"]:
            yield "role", role
        return
    if len(parts) != 2 or parts[0] not in FOLDERS or not parts[1].endswith(".json"):
        raise ValueError("no such place in a pack")
    document = loads(content)
    if not isinstance(document, dict):
        raise ValueError("an object is hoped for")
    if document.get("key") != parts[1].removesuffix(".json"):
        raise ValueError("the file's name is not its key")
    yield FOLDERS[parts[0]], document


def _add(
    objects: dict[tuple[str, str], dict[str, Any]],
    kind: str,
    document: dict[str, Any],
    name: str,
    problems: list[Problem],
) -> None:
    key = document.get("key") if isinstance(document, dict) else None
    if not isinstance(key, str) or not KEY.match(key):
        problems.append(Problem(_place(name), "E_KEY", {"key": str(key)[:40]}))
    elif (kind, key) in objects:
        problems.append(Problem(_place(name), "E_PACK_TWICE", {"key": key}))
    else:
        objects[kind, key] = document


def loads(content: bytes) -> Any:
    """JSON without its liberties: no key twice, no NaN, no infinity. Raises ValueError."""
    return json.loads(
        content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse, parse_float=_float
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key!r} stands twice")
        found[key] = value
    return found


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _float(word: str) -> float:
    value = float(word)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{word} is too large")
    return value


def _place(name: str) -> str:
    return pointer(name)
