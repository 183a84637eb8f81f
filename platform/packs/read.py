"""A pack's files -> Pack, strictly: what is not understood is refused, with its place."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..definitions.check import misfits
from ..definitions.schema_check import pointer
from ..store.errors import Malformed, Problem
from ..store.tables import KEY
from .archive import files_at
from .signature import SIGNATURE, signer_of
from .story import story_problems
from .strict import Unread, loads

#: folder -> kind of the definitions in it
FOLDERS = {
    "lists": "list",
    "calendars": "calendar",
    "forms": "form",
    "flows": "flow",
    "reports": "report",
    "dashboards": "dashboard",
    "views": "view",
    "printouts": "printout",
}
STORIES = "stories"
#: beside them, read by nobody here: what a pack says of itself, and sample records
README, DATA = "README.md", "data"
VERSION = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}\Z", re.ASCII)
MOST_PROBLEMS = 100

Document = dict[str, Any]


@dataclass(frozen=True)
class Pack:
    """A pack as read. objects: documents by (kind, key), in the order of their files.

    stories: by key. beside: the other files by name (README.md, data/…), as text. signer: the
    public key that vouches for all of it, "" when none does. ours: it came with Careloom.
    """

    key: str
    version: str
    manifest: Mapping[str, Any]
    objects: Mapping[tuple[str, str], Document]
    stories: Mapping[str, Document] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)
    signer: str = ""
    ours: bool = False


def read_pack(path: Path) -> Pack:
    """Read a pack from its folder or zip. Raises Malformed with every problem; `path` names the
    file and, after it, where inside."""
    return pack_of(files_at(path))


def pack_of(files: Mapping[str, bytes]) -> Pack:
    """A pack from its files by relative name. Raises Malformed with every problem."""
    if "pack.json" not in files:
        raise Malformed("E_PACK", [Problem("/pack.json", "E_PACK_MANIFEST")])
    signer = signer_of(files)
    reading = _Reading()
    for name, content in files.items():
        if name == SIGNATURE:
            continue
        try:
            reading.file(name, content)
        except Unread as fault:
            reading.problems.append(Problem(place(name) + fault.at, fault.code, fault.params))
    if reading.problems:
        raise Malformed("E_PACK", reading.problems[:MOST_PROBLEMS])
    manifest = reading.manifest
    return Pack(
        manifest["key"],
        manifest["version"],
        manifest,
        reading.objects,
        reading.stories,
        reading.beside,
        signer,
    )


def place(name: str) -> str:
    """Where a file is, for people and as the beginning of a JSON pointer."""
    return pointer(*name.split("/"))


class _Reading:
    """What has been read of a pack so far, and what is wrong with it."""

    def __init__(self) -> None:
        self.manifest: Document = {}
        self.objects: dict[tuple[str, str], Document] = {}
        self.stories: dict[str, Document] = {}
        self.beside: dict[str, str] = {}
        self.problems: list[Problem] = []

    def file(self, name: str, content: bytes) -> None:
        """Read one file. Raises Unread."""
        folder, _, rest = name.partition("/")
        if name == "pack.json":
            self._manifest(loads(content))
        elif name == "roles.json":
            for number, role in enumerate(_roles(loads(content))):
                self._add("role", role, name, f"/roles/{number}")
        elif name == README or (folder == DATA and "/" not in rest and rest.endswith(".json")):
            self.beside[name] = _text(content)
        elif "/" in rest or not rest.endswith(".json") or folder not in (*FOLDERS, STORIES):
            raise Unread("E_PACK_PLACE")
        else:
            document = loads(content)
            if not isinstance(document, dict):
                raise Unread("E_PACK_OBJECT")
            if document.get("key") != rest.removesuffix(".json"):
                raise Unread("E_PACK_NAME", key=str(document.get("key"))[:40])
            if folder == STORIES:
                self._story(name, document)
            else:
                self._add(FOLDERS[folder], document, name)

    def _manifest(self, found: Any) -> None:
        for problem in misfits("pack", found):
            path = place("pack.json") + problem.path
            self.problems.append(Problem(path, problem.code, problem.params))
        if isinstance(found, dict):
            self.manifest = found
            if not VERSION.match(str(found.get("version", ""))):
                self.problems.append(Problem("/pack.json/version", "E_PACK_VERSION"))

    def _add(self, kind: str, document: Any, name: str, at: str = "") -> None:
        key = document.get("key") if isinstance(document, dict) else None
        if not isinstance(key, str) or not KEY.match(key):
            self.problems.append(Problem(place(name) + at, "E_KEY", {"key": str(key)[:40]}))
        elif (kind, key) in self.objects:
            self.problems.append(Problem(place(name) + at, "E_PACK_TWICE", {"key": key}))
        else:
            self.objects[kind, key] = document

    def _story(self, name: str, document: Document) -> None:
        for problem in story_problems(document):
            path = place(name) + problem.path
            self.problems.append(Problem(path, problem.code, problem.params))
        self.stories[str(document["key"])] = document


def _roles(found: Any) -> Iterator[Any]:
    if not isinstance(found, dict) or set(found) != {"format", "roles"} or found["format"] != 1:
        raise Unread("E_PACK_ROLES")
    if not isinstance(found["roles"], list):
        raise Unread("E_PACK_ROLES")
    yield from found["roles"]


def _text(content: bytes) -> str:
    try:
        found = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unread("E_PACK_ENCODING", byte=error.start + 1) from None
    if "\0" in found:
        raise Unread("E_PACK_LETTER")
    return found


def canonical(document: Any) -> bytes:
    """A document as a pack's file has it: the same document always gives the same bytes."""
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)
    return (text + "\n").encode("utf-8")
