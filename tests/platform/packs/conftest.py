"""The application, for the pages and the API of packs."""

from pathlib import Path

import pytest
from visitors import Site, build

from careloom.platform.store.database import Database
from careloom.platform.web.settings import settings_from


@pytest.fixture
def site(sqlite: Database, tmp_path: Path) -> Site:
    """With an administrator's role `packer`, who may apply packs, and `looker`, who may not."""
    made = build(sqlite, settings_from({"CARELOOM_HOME": str(tmp_path / "home")}))
    made.role("packer", "packs.read", "packs.apply", "definitions.publish")
    made.role("looker", "packs.read")
    return made
