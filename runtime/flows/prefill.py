"""What a task's form begins with, and how the person's values join it."""

import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import DBAPIError

from ...platform.records.shape import shape_of
from ...platform.store.away import of_the_store
from ..actions.act import plain
from ..actions.commands import Named
from ..actions.sight import Sight
from ..steps.graph import TaskStep

log = logging.getLogger(__name__)


def prefilled(sight: Sight, step: TaskStep, names: Mapping[str, Named]) -> dict[str, Any]:
    """JSON-shaped values by field key, worked out as things stand now; blank ones left out.

    An expression that cannot be worked out leaves its field to the person; a database that does not
    answer is no such thing.
    """
    if step.form is None:
        return {}
    fields = shape_of(sight.session, step.form).form.fields
    values: dict[str, Any] = {}
    for key, formula in step.prefill:
        try:
            value = plain(formula.run(sight.env(names)))
        except Exception as error:
            if isinstance(error, DBAPIError) or of_the_store(error):
                raise
            log.exception("prefill %s", formula.at)
            continue
        if key in fields and value not in (None, "", [], 0):
            values[key] = fields[key].give(value)
    return values


def merged(
    sight: Sight, step: TaskStep, names: Mapping[str, Named], values: Mapping[str, Any]
) -> dict[str, Any]:
    """The person's values over the prefilled ones; links stay as the flow filled them in, for
    the task is about that record and no other."""
    assert step.form
    fields = shape_of(sight.session, step.form).form.fields
    filled = prefilled(sight, step, names)
    links = {key: value for key, value in filled.items() if fields[key].link_form is not None}
    return {**filled, **values, **links}


def edited(step: TaskStep, names: Mapping[str, Named], own: int | None = None) -> int | None:
    """The earlier record that the task changes instead of making a new one. own: the one that came
    of the task before it was taken back."""
    if own is not None:
        return own
    named = names.get(step.edits or "")
    return named.id if named is not None and named.form == step.form else None
