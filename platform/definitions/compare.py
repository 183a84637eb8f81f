"""What changed between two versions of a definition, for people to read.

Objects of a list are told apart by their keys, so a step that was moved is one that was moved, and
a field that was renamed and given other options is two changes of one field.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .schema_check import At, pointer

Document = Mapping[str, Any]

#: objects whose properties are parts of their own: a form's fields, a role's rules by form
PARTED = ("properties", "forms")
#: parts whose keys are unique in the whole document, so that one may move from list to list
ROAMING = ("steps", "rejected")
LANGUAGES = {"zh-CN", "en"}


@dataclass(frozen=True)
class Part:
    """A keyed part of a document. container: the word it stands under: properties, steps, items."""

    container: str
    key: str
    title: Any


@dataclass(frozen=True)
class Change:
    """One change. act: added, removed, changed or moved.

    parts: the part it is about, after those around it; () is the document itself. word: the
    property of that part, () when it is about the part as a whole. For a part that was moved to
    another place, before and after are the titles of the places. path: JSON pointer into the newer
    document, of what was removed into the older.
    """

    act: str
    parts: tuple[Part, ...]
    word: tuple[str, ...]
    path: str
    before: Any = None
    after: Any = None


def compare(before: Document, after: Document) -> list[Change]:
    """Every difference, in the order of the newer document; what was removed comes last in its
    list. `required` and the layout of a form are told with the fields they are about."""
    old, new = _with_required(before), _with_required(after)
    found = [*_objects(old, new, (), (), (), ()), *_places(before, after)]
    return _roamed(found)


def _with_required(document: Document) -> Document:
    """A form with `required` at its fields, and sections without their fields."""
    if "x-layout" not in document or "properties" not in document:
        return document
    required = set(document.get("required", ()))
    fields = {
        key: {**field, "required": True} if key in required else field
        for key, field in document["properties"].items()
    }
    sections = [
        {word: value for word, value in section.items() if word != "fields"}
        for section in document["x-layout"]
    ]
    rest = {word: value for word, value in document.items() if word != "required"}
    return {**rest, "properties": fields, "x-layout": sections}


def _differ(
    before: Any, after: Any, parts: tuple[Part, ...], word: tuple[str, ...], old: At, new: At
) -> Iterator[Change]:
    """The changes between two values at one place. old, new: its path in each document."""
    if _is_object(before) and _is_object(after):
        yield from _objects(before, after, parts, word, old, new)
    elif isinstance(before, list) and isinstance(after, list) and _is_keyed([*before, *after]):
        yield from _items(before, after, parts, word[-1] if word else "rules", old, new)
    elif type(before) is not type(after) or before != after:
        yield Change("changed", parts, word, pointer(*new), before, after)


def _is_object(value: Any) -> bool:
    """An object with properties of its own, not a label in two languages."""
    return isinstance(value, Mapping) and not (value and value.keys() <= LANGUAGES)


def _is_keyed(items: Sequence[Any]) -> bool:
    return bool(items) and all(isinstance(item, Mapping) and "key" in item for item in items)


def _objects(
    before: Document,
    after: Document,
    parts: tuple[Part, ...],
    word: tuple[str, ...],
    old: At,
    new: At,
) -> Iterator[Change]:
    parted = bool(word) and word[-1] in PARTED
    for name in [*after, *(name for name in before if name not in after)]:
        value = after[name] if name in after else before[name]
        about, said = parts, (*word, name)
        if parted:
            about, said = (*parts, _part(word[-1], name, value)), ()
        here, there = (*old, name), (*new, name)
        if name == "required" and parts and parts[-1].container == "properties":
            here = there = ("required",)
        if name in before and name in after:
            yield from _differ(before[name], value, about, said, here, there)
        elif name in after:
            yield Change("added", about, said, pointer(*there), None, value)
        else:
            yield Change("removed", about, said, pointer(*here), value, None)


def _items(
    before: Sequence[Document],
    after: Sequence[Document],
    parts: tuple[Part, ...],
    container: str,
    old: At,
    new: At,
) -> Iterator[Change]:
    """Two lists of keyed objects."""
    were = {item["key"]: number for number, item in enumerate(before)}
    are = {item["key"]: number for number, item in enumerate(after)}
    moved = _moved([key for key in were if key in are], [key for key in are if key in were])
    for key, number in are.items():
        item = after[number]
        about, there = (*parts, _part(container, key, item)), (*new, number)
        if key not in were:
            yield Change("added", about, (), pointer(*there), None, item)
            continue
        if key in moved:
            yield Change("moved", about, (), pointer(*there))
        at = were[key]
        yield from _objects(before[at], item, about, (), (*old, at), there)
    for key, number in were.items():
        if key not in are:
            item = before[number]
            about = (*parts, _part(container, key, item))
            yield Change("removed", about, (), pointer(*old, number), item, None)


def _part(container: str, key: str, value: Any) -> Part:
    its = value if isinstance(value, Mapping) else {}
    if container == "items" and "report" in its:
        container = "reports"  # what a dashboard shows, while those of a list are its options
    return Part(container, key, its.get("x-title") or its.get("title"))


def _moved(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """The fewest keys whose moving turns one order of the same keys into the other."""
    place = {key: number for number, key in enumerate(before)}
    ends: list[int] = []  # the last place of the best run of each length
    runs: list[tuple[str, ...]] = []
    for key in after:
        length = bisect_left(ends, place[key])
        run = (*(runs[length - 1] if length else ()), key)
        ends[length : length + 1], runs[length : length + 1] = [place[key]], [run]
    return set(after) - set(runs[-1] if runs else ())


def _places(before: Document, after: Document) -> Iterator[Change]:
    """Fields that went to another section, or to another place in theirs."""
    old, new = _sections(before), _sections(after)
    for section in new.values():
        before_here = old.get(section["key"], {}).get("fields", ())
        stayed = [key for key in section["fields"] if key in before_here]
        moved = _moved([key for key in before_here if key in stayed], stayed)
        for key in section["fields"]:
            part = (_part("properties", key, after["properties"].get(key)),)
            at = pointer("properties", key)
            was = _home(old, key)
            if was is not None and was["key"] != section["key"]:
                titles = (was.get("title") or was["key"], section.get("title") or section["key"])
                yield Change("moved", part, (), at, *titles)
            elif key in moved:
                yield Change("moved", part, (), at)


def _sections(document: Document) -> dict[str, Document]:
    if "properties" not in document:
        return {}
    return {section["key"]: section for section in document.get("x-layout", ())}


def _home(sections: Mapping[str, Document], key: str) -> Document | None:
    return next((section for section in sections.values() if key in section["fields"]), None)


def _roamed(changes: Sequence[Change]) -> list[Change]:
    """A step that is gone from one list and new in another was moved, and may have changed."""
    gone = {
        change.parts[-1].key: change
        for change in changes
        if change.act == "removed" and not change.word and change.parts
        and change.parts[-1].container in ROAMING
    }  # fmt: skip
    found: list[Change] = []
    paired: set[int] = set()
    for change in changes:
        last = change.parts[-1] if change.parts else None
        roams = last is not None and last.container in ROAMING and not change.word
        if change.act != "added" or not roams or last is None or last.key not in gone:
            found.append(change)
            continue
        was = gone[last.key]
        paired.add(id(was))
        places = (_around(was), _around(change))
        found.append(Change("moved", change.parts, (), change.path, *places))
        inner = _objects(was.before, change.after, change.parts, (), (), ())
        found += (
            Change(c.act, c.parts, c.word, change.path + c.path, c.before, c.after) for c in inner
        )
    return [change for change in found if id(change) not in paired]


def _around(change: Change) -> Any:
    """What the part around it is called; None at the top."""
    if len(change.parts) < 2:
        return None
    around = change.parts[-2]
    return around.title or around.key
