"""The platform's own kinds of definition. A form's effect is its table, so they are named here."""

from ..definitions.calendars import CALENDAR
from ..definitions.form_check import check_form
from ..definitions.kinds import Kind, register
from ..definitions.listing import LIST
from ..definitions.role import ROLE
from ..definitions.schema_check import schema
from . import conditions  # noqa: F401  permissions ask it about forms
from .shape import shape_table

FORM = Kind("form", schema("form"), check_form, shape_table, order=30)

for kind in (CALENDAR, LIST, FORM, ROLE):
    register(kind)
