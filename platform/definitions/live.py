"""Live values: computed ones that follow from today, from a linked record or from those that
link here.

They are kept nowhere but worked out, in SQL, whenever the record is read, so they never go stale.
That a value is live is seen in its formula alone, for a version's columns may not depend on what
other forms say.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from ..expressions import ExpressionError, Node, parse
from ..expressions.functions import function_named
from ..expressions.tree import Call, Literal, Member, Name, children
from ..store.errors import Problem
from .fields import Field, encrypted
from .known import Document
from .schema_check import pointer

#: what a live value may be
WIDGETS = (
    *("text", "longtext", "number", "money", "percent", "yesno", "date", "datetime"),
    *("choice", "person", "unit"),
)
#: what means something to a value that is kept only
WORDS = ("x-visible", "x-column", "x-keep-hidden")


def live_keys(fields: Mapping[str, Field]) -> frozenset[str]:
    """The fields of a form whose values are live."""
    own = frozenset(
        _sub_forms((key, its.rows is not None, its.title) for key, its in fields.items())
    )
    return frozenset(
        key for key, its in fields.items() if its.value is not None and _follows(its.value, own)
    )


def _sub_forms(fields: Iterable[tuple[str, bool, Any]]) -> Iterator[str]:
    """What a formula may call the form's sub-forms, whose columns are the record's own."""
    for key, is_rows, title in fields:
        if is_rows:
            yield key
            yield from [title] if isinstance(title, str) else title.values()


@lru_cache(maxsize=4096)
def _follows(text: str, own: frozenset[str]) -> bool:
    """Whether a formula asks for the day, for a field of another record or for the records that
    link here."""
    for node in nodes_of(text):
        if isinstance(node, Call) and _asks_around(node):
            return True
        if isinstance(node, Member):
            base = node.base
            if not isinstance(base, Name) or base.text not in (*own, "parent"):
                return True
    return False


def nodes_of(text: str) -> Iterator[Node]:
    """All that is written in a formula; nothing where it cannot be read, as its check says."""
    try:
        waiting: list[Node] = [parse(text)]
    except ExpressionError:
        return
    while waiting:
        node = waiting.pop()
        yield node
        waiting += children(node)


def related_forms(fields: Mapping[str, Field]) -> frozenset[str]:
    """The forms whose records the computed values ask for because they link here."""
    return frozenset(
        node.args[0].value
        for its in fields.values()
        for node in nodes_of(its.value or "")
        if isinstance(node, Call) and _is_related(node) and isinstance(node.args[0], Literal)
    )


def _is_related(call: Call) -> bool:
    function = function_named(call.name)
    return function is not None and function.name == "RELATED" and bool(call.args)


def _asks_around(call: Call) -> bool:
    """TODAY, NOW and RELATED, and functions that go by today unless they are told otherwise."""
    function = function_named(call.name)
    if function is None:
        return False
    if function.name in ("TODAY", "NOW", "RELATED"):
        return True
    return any(
        param.default == "today"
        for signature in function.signatures
        for param in signature.params[len(call.args) :]
    )


def check_live(document: Document, live: Iterable[str]) -> Iterator[Problem]:
    """What a live field cannot be: something another thing is found, told apart or owned by."""
    fields = document["properties"]
    for key in live:
        at, its = ("properties", key), fields[key]
        if its["x-widget"] not in WIDGETS or encrypted(its):
            params = {"widget": its["x-widget"], "known": ", ".join(WIDGETS)}
            yield Problem(pointer(*at, "x-widget"), "E_LIVE_WIDGET", params)
        for word in WORDS:
            if word in its:
                yield Problem(pointer(*at, word), "E_LIVE_WORD", {"name": key, "word": word})
        for word in ("x-label", "x-unit", "x-owner"):
            if document.get(word) == key:
                yield Problem(pointer(word), "E_LIVE_WORD", {"name": key, "word": word})
        for number, group in enumerate(document.get("x-match", ())):
            for position, part in enumerate(group):
                if part.partition(":")[0] == key:
                    place = pointer("x-match", number, position)
                    yield Problem(place, "E_LIVE_WORD", {"name": key, "word": "x-match"})
