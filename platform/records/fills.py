"""x-fill: values that come with a choice, copied into fields that are blank.

They come from the record that a link leads to, as far as the actor may read it, or from the `data`
of the item chosen out of a shared list. Copied, not looked up: a price that changes later leaves
what was agreed alone.
"""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from sqlalchemy.orm import Session

from ..definitions.faults import Fault
from ..definitions.fields import Field, settle
from ..definitions.form import Form
from ..definitions.published import published
from ..definitions.schema_check import pointer
from ..store.errors import Problem
from ..store.kept import kept
from .choices import choices_of

Follow = Callable[[str, Any], Mapping[str, Any] | None]
#: the field that is chosen in, and target -> what it is called there
Fill = tuple[Field, Mapping[str, str]]


def fills_of(session: Session, form: Form) -> tuple[Fill, ...]:
    """What a form fills in, in the order of its fields."""
    return kept(session, ("fills", form.key, form.version), lambda: _fills(form))


def _fills(form: Form) -> tuple[Fill, ...]:
    every = (its.schema.get("x-fill") for its in form.ordered)
    return tuple((form.fields[one["from"]], one["map"]) for one in every if one is not None)


def fill_in(
    session: Session,
    form: Form,
    values: dict[str, Any],
    before: Mapping[str, Any] | None,
    follow: Follow,
    zone: tzinfo,
) -> list[Problem]:
    """Fill in, in place, what is blank of what comes with a choice that is new in this record.

    What somebody has blanked since stays blank until they choose anew.
    """
    problems: list[Problem] = []
    for source, targets in fills_of(session, form):
        chosen = values.get(source.key)
        if chosen is None or (before is not None and before.get(source.key) == chosen):
            continue
        blank = {key: name for key, name in targets.items() if values.get(key) is None}
        if not blank:
            continue
        found = _found(session, source, chosen, follow, zone)
        for key, name in blank.items():
            try:
                value = found(form.fields[key], name)
            except Fault as fault:
                problems.append(Problem(pointer(key), fault.code, fault.params))
                continue
            if value is not None:
                values[key] = value
    return problems


def _found(
    session: Session, source: Field, chosen: Any, follow: Follow, zone: tzinfo
) -> Callable[[Field, str], Any]:
    """Gives what is found under a name, as a field takes it; raises Fault when it does not."""
    if source.link_form is not None:
        record = follow(source.link_form, chosen) or {}
        return lambda its, name: settle(its, record.get(name), zone)
    data = data_of(session, source).get(chosen, {})
    return lambda its, name: taken(session, its, data.get(name), zone)


def taken(session: Session, its: Field, given: Any, zone: tzinfo) -> Any:
    """What an item's data says, as the field's value. Raises Fault."""
    if given is None:
        return None
    text = its.storage == "scaled" and isinstance(given, int | float)
    return its.take(str(given) if text else given, choices_of(session, its), zone)


def data_of(session: Session, source: Field) -> Mapping[str, Mapping[str, Any]]:
    """Item -> its data, of the list that is chosen from; none for other fields."""
    options = source.options
    if options is None or options["source"] != "list":
        return {}
    key = options["list"]
    return kept(
        session,
        ("list data", key),
        lambda: {
            item["key"]: item.get("data", {})
            for item in published(session, "list", key).document["items"]
        },
    )
