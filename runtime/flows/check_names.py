"""What a flow names beside its expressions: forms, fields, roles, calendars, earlier records."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy.orm import Session

from ...platform.definitions.fields import MANY, Field
from ...platform.definitions.form import Form
from ...platform.definitions.form_scope import read_known
from ...platform.definitions.known import known
from ...platform.definitions.schema_check import missing
from ...platform.store.errors import Problem
from ..actions.commands import When, Who
from ..actions.formula import Formula, RowsFormula
from .fits import fits
from .shape import Document, Shape, lay_out, makes

Found = Iterator[Problem]
Values = Iterable[tuple[str, Formula]]


class Names:
    """One document, with the forms, roles and calendars that will be in force."""

    def __init__(self, session: Session, document: Document) -> None:
        self.session = session
        self.document = document
        self.shape: Shape = lay_out(document)
        self.forms: dict[str, Form | None] = {}
        self.subject = self.form(document["subject"])

    def form(self, key: str) -> Form | None:
        """The form of that key as it will be in force."""
        if key not in self.forms:
            found = known(self.session, "form", key)
            self.forms[key] = None if found is None else read_known(key, found)
        return self.forms[key]

    def flow(self, key: str) -> Document | None:
        """The flow of that key as it will be in force; this very one too."""
        return self.document if key == self.document["key"] else known(self.session, "flow", key)

    def makes(self, key: str) -> str | None:
        """The form of the record that a step or action produces under this key."""
        return makes(self.document, self.shape, key)

    def made(self, key: str, at: str) -> Found:
        """A step or action of this key makes a record."""
        if self.makes(key) is None:
            yield Problem(at, "E_FLOW_NO_RECORD", {"name": key})

    def steps(self, keys: Iterable[str], at: str, kinds: tuple[str, ...]) -> Found:
        """Each is a step of one of these kinds."""
        for number, key in enumerate(keys):
            laid = self.shape.nodes.get(key)
            if laid is None or laid.kind not in kinds:
                yield Problem(f"{at}/{number}", "E_FLOW_STEP_KIND", {"name": key})

    def role(self, key: str, at: str) -> Found:
        if known(self.session, "role", key) is None:
            yield Problem(at, "E_NO_ROLE", {"name": key})

    def calendar(self, key: str | None, at: str) -> Found:
        if key is not None and known(self.session, "calendar", key) is None:
            yield Problem(at, "E_NO_CALENDAR", {"name": key})

    def when(self, when: When | None, at: str) -> Found:
        """Its calendar is there; what decides it is a moment or a day."""
        if when is None:
            return
        yield from self.calendar(when.calendar, f"{at}/calendar")
        for formula in when.formulas:
            found = formula.typed.type.name if formula.typed is not None else "any"
            if found not in ("datetime", "date", "blank", "any"):
                yield Problem(formula.at, "E_FLOW_NO_MOMENT", {"found": found})

    def field(self, form: Form, key: str, widgets: tuple[str, ...], at: str) -> Found:
        field = form.fields.get(key)
        if field is None:
            yield Problem(at, "E_NO_FIELD", missing(key, form.fields))
        elif field.live:
            yield Problem(at, "E_FOLLOWS_LIVE", {"name": key})
        elif field.type.name not in widgets:
            yield Problem(at, "E_FIELD_KIND", {"name": key, "widgets": ", ".join(widgets)})

    def who(self, who: Who, at: str) -> Found:
        assert self.subject
        if who.role is not None:
            yield from self.role(who.role, f"{at}/role")
        elif who.field is not None and who.field not in self._assigned():
            yield from self.field(self.subject, who.field, ("person",), f"{at}/field")
        if who.otherwise is not None:
            yield from self.who(who.otherwise, f"{at}/otherwise")

    def _assigned(self) -> set[str]:
        return {
            act["key"]
            for laid in self.shape.nodes.values()
            for act, _ in laid.acts()
            if act["action"] == "assign"
        }

    def values(self, form: Form, values: Values, at: str, find: bool = False) -> Found:
        """Each key is a field that may be written (or compared), each value of its type."""
        for key, formula in values:
            field = form.fields.get(key)
            place = f"{at}/{key}"
            if field is None:
                yield Problem(place, "E_NO_FIELD", missing(key, form.fields))
            elif not find and (field.value or field.type.generated):
                yield Problem(place, "E_FLOW_COMPUTED", {"name": key})
            elif find and (field.storage in MANY or field.encrypted or field.live):
                yield Problem(place, "E_FLOW_NOT_FOUND_BY", {"name": key})
            elif isinstance(formula, RowsFormula):
                yield from self._rows(field, formula, place)
            elif formula.typed is not None and not fits(formula.typed.type, field):
                found = str(formula.typed.type)
                yield Problem(place, "E_FLOW_TYPE", {"name": key, "found": found})

    def _rows(self, field: Field, formula: RowsFormula, at: str) -> Found:
        """The field is a sub-form, and each of the values one of its rows' fields."""
        if field.rows is None:
            yield Problem(at, "E_FIELD_KIND", {"name": field.key, "widgets": "subform"})
        else:
            yield from self.values(field.rows, formula.values, f"{at}/values")

    def record(self, formula: Formula, form: str | None, at: str) -> Found:
        """An expression gives a record, of that form where one is named."""
        if formula.typed is None:
            return
        type_: Any = formula.typed.type
        its = (type_.form or "").partition("+")[0]
        if type_.name != "row" or not its or form not in (None, its):
            params = {"form": form or "", "found": str(type_)}
            yield Problem(at, "E_FLOW_OTHER_RECORD", params)
