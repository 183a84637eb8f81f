"""What a flow's graph shows without reading an expression: ends, ways, scopes, keys."""

from collections.abc import Iterator

from ...platform.store.errors import Problem
from .shape import AGAIN, THEN, Document, Laid, Shape, is_inner

Found = Iterator[Problem]


def path_problems(shape: Shape, document: Document) -> Found:
    """Every problem of the graph's shape."""
    yield from _keys(shape)
    yield from _go_tos(shape)
    yield from _inner(shape)
    reachable = shape.reachable()
    for laid in shape.nodes.values():
        if is_inner(laid.key):
            continue
        if laid.key not in reachable:
            yield Problem(laid.at, "E_FLOW_UNREACHABLE", {"name": laid.key})
        elif _falls_off(shape, laid):
            yield Problem(laid.at, "E_FLOW_NO_END", {"name": laid.key})
        if laid.kind == "branch":
            yield from _cases(laid)
        elif laid.kind == "repeat" and not {"times", "before", "between"} & set(laid.document):
            yield Problem(laid.at, "E_FLOW_NO_ROUNDS", {"name": laid.key})


def _falls_off(shape: Shape, laid: Laid) -> bool:
    """Whether a path ends at this step without an end. A branch is judged by its cases' steps,
    and by itself for cases without any."""
    if any(way.to is None for way in laid.ways):
        return True
    if laid.kind in ("branch", "race", "end"):
        return False
    if laid.kind == "repeat":
        end = shape.nodes[laid.key + AGAIN]
        return end.key in shape.reachable() and end.after is None
    then = shape.nodes.get(laid.key + THEN)
    return (laid if then is None else then).next is None


LISTS = ("cases", "arms", "limits", "outcomes", "who", "at", "before", "between")
"""Parts of a step whose members have keys of their own, where they are lists."""


def _keys(shape: Shape) -> Found:
    """Steps and actions share one set of names; cases and limits have their step's own."""
    for key, at in shape.twice:
        yield Problem(f"{at}/key", "E_FLOW_KEY_TWICE", {"name": key})
    seen = set(shape.nodes)
    for laid in shape.nodes.values():
        for act, at in laid.acts():
            if act["key"] in seen:
                yield Problem(f"{at}/key", "E_FLOW_KEY_TWICE", {"name": act["key"]})
            seen.add(act["key"])
        if is_inner(laid.key):
            continue
        for part in LISTS:
            inner: set[str] = set()
            some = laid.document.get(part, ())
            for number, one in enumerate(some if isinstance(some, list) else ()):
                if one["key"] in inner:
                    place = f"{laid.at}/{part}/{number}/key"
                    yield Problem(place, "E_FLOW_KEY_TWICE", {"name": one["key"]})
                inner.add(one["key"])


def _inner(shape: Shape) -> Found:
    """An arm that waits for a record bears a name for it, as a step does."""
    seen: set[str] = set()
    for laid in shape.nodes.values():
        for way in laid.ways if laid.kind == "race" else ():
            key = way.document["key"]
            if "submitted" in way.document:
                if key in shape.nodes or key in seen:
                    yield Problem(f"{way.at}/key", "E_FLOW_KEY_TWICE", {"name": key})
                seen.add(key)


def _go_tos(shape: Shape) -> Found:
    """A go_to has a limit, and leads to a step of its own or an enclosing sequence."""
    for laid in shape.nodes.values():
        if laid.kind != "go_to":
            continue
        if "visits" not in laid.document:
            yield Problem(laid.at, "E_FLOW_NO_VISITS", {"name": laid.key})
        target = shape.nodes.get(laid.document["to"])
        if target is None:
            name = laid.document["to"]
            yield Problem(f"{laid.at}/to", "E_FLOW_GO_TO_NOWHERE", {"name": name})
        elif laid.sequence[: len(target.sequence)] != target.sequence:
            yield Problem(f"{laid.at}/to", "E_FLOW_GO_TO_INSIDE", {"name": target.key})


def _cases(laid: Laid) -> Found:
    """The last case holds whatever comes, and none before it does; no condition stands twice."""
    texts: set[str] = set()
    for number, way in enumerate(laid.ways):
        when = way.document.get("when")
        last = number == len(laid.ways) - 1
        if when is None and not last or when is not None and when.strip() in texts:
            after = laid.ways[number + 1].at if when is None else way.at
            yield Problem(after, "E_FLOW_CASE_NEVER", {"name": laid.key})
        if when is not None:
            texts.add(when.strip())
            if last:
                yield Problem(f"{laid.at}/cases", "E_FLOW_GAP", {"name": laid.key})


def may_be_known(shape: Shape, given: set[str]) -> dict[str, set[str]]:
    """For each node, the keys that some way to it has given a meaning before it is entered.

    given: those that have one from the start.
    """
    known: dict[str, set[str]] = {key: set(given) for key in shape.nodes}
    visited: set[str] = set()
    changed = [shape.first]
    while changed:
        laid = shape.nodes[changed.pop()]
        visited.add(laid.key)
        after = known[laid.key] | gives(laid)
        for to in laid.leads_to():
            if to in known and (to not in visited or not after <= known[to]):
                known[to] |= after
                changed.append(to)
    return known


def gives(laid: Laid) -> set[str]:
    """The keys this node gives a meaning: a task its own, actions theirs, a race its arms'."""
    if laid.kind in ("task", "approve", "repeat", "call"):
        return {laid.key}
    if laid.kind == "wait":
        return {laid.key} if "submitted" in laid.document else set()
    if laid.kind == "race":
        met = {way.document["key"] for way in laid.ways if "submitted" in way.document}
        return {laid.key, *met}
    return {act["key"] for act, _ in laid.acts() if act["action"] not in SILENT}


SILENT = ("set", "start", "raise", "unsend")
"""Actions whose key stands for nothing afterwards."""
