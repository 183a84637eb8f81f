"""What a flow does as the house: what it reads and where that goes, what it writes, whom it calls.

What people do in its tasks they do with their own rights; but what a task's form begins with, the
flow has read.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from ...platform.definitions.form_scope import coming_forms
from ...platform.definitions.known import known
from ...platform.definitions.leaving import Leaving
from ...platform.definitions.powers import Power
from ..channels.connections import RIGHT as CONNECT
from .shape import Document, Laid, Shape, lay_out, makes
from .start import RIGHT as START
from .uses import formulas_name

Goes = tuple[str, tuple[str, ...], Any]
"""What is done with a value: the power's name, into what, the same for people."""
LEAVING = {"send": "call", "tell": "message"}
DECIDES: Goes = ("read", ("if",), "")


def powers_of_flow(session: Session, document: Document) -> Iterator[Power]:
    """Everything, in no particular order."""
    flow = _Flow(session, document)
    for laid in flow.shape.nodes.values():
        yield from flow.node(laid)
    for use in formulas_name(document, coming_forms(session)):
        assert use.field is not None
        if "." in use.field:  # a column: its sub-form is named beside it, and has the right
            continue
        does, into, to = flow.goes(use.path)
        yield Power(does, use.path, "read", use.key, use.field, "read", into, to)


def leaves_of_flow(session: Session, document: Document) -> Iterator[Leaving]:
    """What goes out in a call's body, and stands in a message to the customer."""
    flow = _Flow(session, document)
    for laid in flow.shape.nodes.values():
        deque(flow.node(laid), 0)
    for use in formulas_name(document, coming_forms(session)):
        place = flow.way(use.path)
        does, _, to = flow.ways.get(place, DECIDES)
        if does in LEAVING:
            yield Leaving(LEAVING[does], place, use, to)


class _Flow:
    """One document. ways: for each place where formulas stand whose values go somewhere, where."""

    def __init__(self, session: Session, document: Document) -> None:
        self.session = session
        self.document = document
        self.shape: Shape = lay_out(document)
        self.ways: dict[str, Goes] = {}

    def goes(self, path: str) -> Goes:
        """What becomes of the value of a formula at this place; it decides what is done, if no
        more."""
        return self.ways.get(self.way(path), DECIDES)

    def way(self, path: str) -> str:
        """The part around this place whose values go somewhere; nothing without."""
        while path and path not in self.ways:
            path = path.rpartition("/")[0]
        return path

    def node(self, laid: Laid) -> Iterator[Power]:
        """What one node does, beside what its formulas read."""
        document, at = laid.document, laid.at
        if laid.kind == "call":
            name = str(document["connection"])
            yield Power("call", f"{at}/connection", CONNECT, into=(name,), to=name)
            self.ways[f"{at}/body"] = ("send", ("call", name), name)
        elif laid.kind == "notify":
            self.ways[f"{at}/values"] = ("tell", ("customer",), "")
        elif laid.kind == "task":
            self._fills(document.get("form", ""), document.get("prefill", {}), f"{at}/prefill")
        for act, place in laid.acts():
            yield from self._act(act, place)

    def _fills(self, form: str, values: Mapping[str, Any], at: str) -> None:
        """What the values of another record's fields are worked out from goes there."""
        for key in values:
            self.ways[f"{at}/{key}"] = ("read", ("field", form, key), "")

    def _act(self, act: Document, at: str) -> Iterator[Power]:
        match act["action"]:
            case "find":
                for key in act["where"]:
                    path = f"{at}/where/{key}"
                    yield Power("read", path, "read", act["form"], key, "read", ("if",))
            case "create":
                yield from self._creates(act["form"], act["values"], at)
            case "set":
                form = self._form(act)
                yield Power("change", f"{at}/action", "change", form)
                for part in ("values", "add", "remove"):
                    yield from self._writes(form, act.get(part, {}), f"{at}/{part}", "change")
            case "assign":
                form = self._form(act)
                yield Power("change", f"{at}/action", "change", form)
                written = {act[word]: word for word in ("field", "at") if word in act}
                for key, word in written.items():
                    yield Power("write", f"{at}/{word}", "change", form, key, "write")
            case "start":
                flow = str(act["flow"])
                found = known(self.session, "flow", flow) or {}
                title = found.get("title", flow)
                yield Power("start", f"{at}/flow", START, into=(flow,), to=title)
                if act.get("values"):
                    subject = self.document if flow == self.document["key"] else found
                    yield from self._creates(subject["subject"], act["values"], at)
            case "raise":
                event = str(act["event"])
                form = self._form(act)
                yield Power("raise", f"{at}/event", "change", form, into=(event,), to=event)

    def _creates(self, form: str, values: Mapping[str, Any], at: str) -> Iterator[Power]:
        yield Power("create", f"{at}/action", "create", form)
        yield from self._writes(form, values, f"{at}/values", "create")

    def _writes(self, form: str, values: Mapping[str, Any], at: str, needs: str) -> Iterator[Power]:
        self._fills(form, values, at)
        for key in values:
            yield Power("write", f"{at}/{key}", needs, form, key, "write")

    def _form(self, act: Document) -> str:
        """The form of the record that an action is about; of this flow's subject without."""
        about = makes(self.document, self.shape, act["record"]) if "record" in act else None
        return str(about or self.document["subject"])
