"""The small clinic, on each database in turn."""

import pytest

from careloom.platform.store.database import Database

from .clinic import Clinic, clinic_in


@pytest.fixture
def clinic(database: Database) -> Clinic:
    """Two branches, their people, three forms and the flow follow_up."""
    return clinic_in(database)


@pytest.fixture
def sqlite_clinic(sqlite: Database) -> Clinic:
    """The same on SQLite only, for what does not depend on the kind."""
    return clinic_in(sqlite)
