"""The application over each kind of database, and its administrator."""

from pathlib import Path

import pytest
from visitors import Caller, Site, build

from careloom.platform.store.database import Database
from careloom.platform.web.settings import settings_from


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return build(database, settings_from({"CARELOOM_HOME": str(tmp_path / "home")}))


@pytest.fixture
def admin(site: Site) -> Caller:
    return Caller(site, site.token(site.person("admin", "G", "everything")))
