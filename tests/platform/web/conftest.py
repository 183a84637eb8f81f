"""The application over a fresh database."""

from pathlib import Path

import pytest
from visitors import Site, build

from careloom.platform.store.database import Database
from careloom.platform.web.app import create_app
from careloom.platform.web.settings import Settings, settings_from


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_from({"CARELOOM_HOME": str(tmp_path / "home")})


@pytest.fixture
def site(sqlite: Database, settings: Settings) -> Site:
    """Over SQLite: what the web does mostly does not depend on the database."""
    return build(sqlite, settings)


@pytest.fixture
def either_site(database: Database, settings: Settings) -> Site:
    """Over each kind of database in turn."""
    return build(database, settings)


@pytest.fixture
def whole(site: Site) -> Site:
    """With every area that is installed, as it is served."""
    app = create_app(site.database, site.app.extensions["careloom.settings"])
    return Site(app, site.database, site.at)
