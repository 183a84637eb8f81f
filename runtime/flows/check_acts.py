"""Whether an action names what there is, and gives each field what it holds."""

from collections.abc import Iterator

from ...platform.definitions.form import Form
from ...platform.store.errors import Problem
from ..actions.act import Act
from .check_names import Names

Found = Iterator[Problem]


def act_problems(names: Names, act: Act, at: str) -> Found:
    """Every problem of one action."""
    yield from _CHECKS[act.action](names, act, at)


def _find(names: Names, act: Act, at: str) -> Found:
    form = names.form(act.form or "")
    if form is None:
        yield Problem(f"{at}/form", "E_NO_FORM", {"name": act.form})
    else:
        yield from names.values(form, act.values, f"{at}/where", find=True)


def _create(names: Names, act: Act, at: str) -> Found:
    form = names.form(act.form or "")
    if form is None:
        yield Problem(f"{at}/form", "E_NO_FORM", {"name": act.form})
    else:
        yield from _new(names, form, act, at)


def _new(names: Names, form: Form, act: Act, at: str) -> Found:
    """Values of a new record; those that must be there are."""
    yield from names.values(form, act.values, f"{at}/values")
    for field in form.fields.values():
        if field.required and field.key not in dict(act.values):
            yield Problem(f"{at}/values", "E_FLOW_VALUE_MISSING", {"name": field.key})


def _set(names: Names, act: Act, at: str) -> Found:
    form = names.subject
    if act.record is not None:
        made = names.makes(act.record)
        form = names.form(made) if made else None
        if form is None:
            yield Problem(f"{at}/record", "E_FLOW_NO_RECORD", {"name": act.record})
            return
    if form is None:
        return
    yield from names.values(form, act.values, f"{at}/values")
    for part, values in (("add", act.add), ("remove", act.remove)):
        yield from names.values(form, values, f"{at}/{part}")
        for key, _ in values:
            field = form.fields.get(key)
            if field is not None and field.type.expression != "list":
                yield Problem(f"{at}/{part}/{key}", "E_FLOW_NO_LIST", {"name": key})


def _assign(names: Names, act: Act, at: str) -> Found:
    assert names.subject and act.role and act.field
    yield from names.role(act.role, f"{at}/role")
    yield from names.field(names.subject, act.field, ("person",), f"{at}/field")
    if act.at is not None:
        yield from names.field(names.subject, act.at, ("datetime",), f"{at}/at")


def _start(names: Names, act: Act, at: str) -> Found:
    """The flow is there, is about such a record, and is given what it asks for."""
    flow = names.flow(act.flow or "")
    if flow is None:
        yield Problem(f"{at}/flow", "E_NO_FLOW", {"name": act.flow})
        return
    about = names.makes(act.record) if act.record else names.document["subject"]
    form = names.form(flow["subject"])
    if act.values:
        if form is not None:
            yield from _new(names, form, act, at)
    elif about != flow["subject"]:
        place = f"{at}/record" if act.record else f"{at}/flow"
        params = {"form": flow["subject"], "found": about or ""}
        yield Problem(place, "E_FLOW_OTHER_RECORD", params)
    wanted = {one["key"]: one["form"] for one in flow.get("given", ())}
    for key, formula in act.give:
        if key not in wanted:
            yield Problem(f"{at}/give/{key}", "E_FLOW_NOT_ASKED", {"name": key})
        else:
            yield from names.record(formula, wanted[key], f"{at}/give/{key}")
    for key in wanted.keys() - dict(act.give).keys():
        yield Problem(f"{at}/give", "E_FLOW_VALUE_MISSING", {"name": key})


def _raise(names: Names, act: Act, at: str) -> Found:
    if act.record is not None:
        yield from names.made(act.record, f"{at}/record")


def _unsend(names: Names, act: Act, at: str) -> Found:
    laid = names.shape.nodes.get(act.step or "")
    if laid is None or laid.kind != "notify":
        yield Problem(f"{at}/step", "E_FLOW_STEP_KIND", {"name": act.step})


_CHECKS = {
    "find": _find,
    "create": _create,
    "set": _set,
    "assign": _assign,
    "start": _start,
    "raise": _raise,
    "unsend": _unsend,
}
