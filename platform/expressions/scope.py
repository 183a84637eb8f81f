"""Types of values, and the names an expression may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Type:
    """A type: its name, what a list is a list of, what form a row is of, a number's scale.

    `scale` is the number of decimals of a stored number and matters to SQL only, where number
    columns are scaled integers; it never decides whether two types agree.
    """

    name: str
    of: Type | None = None
    form: str | None = None
    scale: int = 0

    @property
    def kind(self) -> str:
        """The name under which values compare: money compares with numbers."""
        return "number" if self.name == "money" else self.name

    def __str__(self) -> str:
        if self.name == "list" and self.of is not None:
            return f"list of {self.of}"
        return self.name


NUMBER = Type("number")
MONEY = Type("money", scale=2)
TEXT = Type("text")
TIME = Type("text", form="time")  # a time of day is the text "HH:MM"
BOOL = Type("bool")
DATE = Type("date")
DATETIME = Type("datetime")
DURATION = Type("duration")
PERSON = Type("person")
BLANK = Type("blank")
ANY = Type("any")

SIMPLE: dict[str, Type] = {
    t.name: t for t in (NUMBER, MONEY, TEXT, BOOL, DATE, DATETIME, DURATION, PERSON, BLANK, ANY)
}


def number(scale: int) -> Type:
    """A stored number with this many decimals."""
    return Type("number", scale=scale)


def row(form: str) -> Type:
    """A link to a record of a form (or to "unit", or to what the scope calls by this name)."""
    return Type("row", form=form)


def list_of(item: Type) -> Type:
    """A list: of text for several choices, of rows for a sub-form."""
    return Type("list", of=item)


def _no_links(form: str) -> Scope | None:
    return None


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may name.

    names: key -> type. labels: label -> key, for `{label}`. links: the scope of a linked or
    sub-form by the form name its type carries, None when there is none (or none the author may
    use). measure: the names belong to the rows being summed up, so they stand only inside SUM,
    COUNT, … (report measures). form: whose records it is about, where RELATED may name those that
    link to them: only where a database is asked.
    """

    names: Mapping[str, Type] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    links: Callable[[str], Scope | None] = _no_links
    measure: bool = False
    form: str | None = None
