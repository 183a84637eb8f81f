"""What a condition read, in words, as far as the reader may see it today."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...platform.definitions.faults import Fault
from ...platform.identity.people import names_of
from ...platform.records.eyes import Eyes
from ...platform.records.record import READABLE
from ..forms.show import Reader, shown
from ..steps.graph import Graph
from .run_story import outcome_words
from .say import worded


class Reasons:
    """Of one run of a flow."""

    def __init__(self, reader: Reader, graph: Graph) -> None:
        self.reader = reader
        self.graph = graph
        self.eyes = Eyes(reader.session, reader.actor)

    def words(self, why: Sequence[dict[str, Any]]) -> list[str]:
        """`Result: no answer`, for each field there was; hidden and masked ones are left out."""
        lines = [self._line(part) for part in why]
        return list(dict.fromkeys(line for line in lines if line))

    def _line(self, part: dict[str, Any]) -> str:
        say = self.reader.say
        if not part["form"]:
            return self._of_step(part["path"], part["value"]) if part["value"] else ""
        record = self.eyes.record(part["form"], int(part["id"]))
        field = record.form.fields.get(part["key"]) if record is not None else None
        if record is None or field is None or record.rights.get(field.key) not in READABLE:
            return ""
        title = self.reader.text(field.title)
        if field.link_form is not None:
            words = say("page.map.there" if part["value"] else "page.map.blank")
        else:
            words = self._value(field, part["value"]) or say("page.map.blank")
        return say("page.map.read", name=title, value=words)

    def _of_step(self, path: str, value: str) -> str:
        """What a step tells of itself (`scope.TOLD`): `Invitation: will come`."""
        say = self.reader.say
        step, _, word = path.partition(".")
        node = self.graph.nodes.get(step)
        title = (self.reader.text(node.title) if node is not None else "") or step
        if word == "outcome":
            return say(
                "page.map.read",
                name=title,
                value=outcome_words(self.reader, self.graph, step, value),
            )
        if word == "done_at":
            value = worded(datetime.fromisoformat(value), self.reader.zone)
        elif word == "done_by":
            value = names_of(self.reader.session, [int(value)]).get(int(value), "")
        return say(f"page.map.told.{word}", step=title, value=value)

    def _value(self, field: Any, value: Any) -> str:
        try:
            taken = None if value is None else field.take(value, None, self.reader.zone)
        except Fault:
            return str(value)
        return shown(self.reader, field, taken, "read", {})
