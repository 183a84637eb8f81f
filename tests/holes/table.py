"""Every hole there is."""

from . import (
    of_calls,
    of_exports,
    of_files,
    of_paper,
    of_people,
    of_records,
    of_rehearsals,
    of_requests,
    of_store,
)

HOLES = (
    *of_records.HOLES,
    *of_people.HOLES,
    *of_requests.HOLES,
    *of_files.HOLES,
    *of_paper.HOLES,
    *of_store.HOLES,
    *of_calls.HOLES,
    *of_exports.HOLES,
    *of_rehearsals.HOLES,
)
