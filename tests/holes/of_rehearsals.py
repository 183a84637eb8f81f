"""Rehearsals: what goes along into a house that is made up, and what its page is believed."""

from .hole import Hole

HOLES = (
    Hole(
        "nothing that somebody signs in with goes along into a rehearsal",
        "platform/records/hollow.py",
        "{**row, **NO_SECRETS} for row",
        "row for row",
        (
            "platform/records/test_hollow.py::test_what_is_tried_out_finds_people_units_and_definitions_and_no_record[sqlite]",
        ),
    ),
    Hole(
        "what the page of a rehearsal carries has its shape",
        "builders/rehearse/pages.py",
        "    require_shape(ASKED, asked)\n    if asked",
        "    if asked",
        ("builders/test_rehearsal_pages.py::test_what_the_page_carries_is_looked_at",),
    ),
    Hole(
        "a page completes the task that it shows and no other",
        "builders/rehearse/pages.py",
        "if each.of and each.mark == mark",
        "if each.of",
        (
            "builders/test_rehearsal_pages.py::test_what_a_task_lacks_is_told_at_its_field_and_nothing_is_lost",
        ),
    ),
)
