"""Databases that a whole module asks and none changes."""

from served import demo_home
from shared import shared_postgresql_url, shared_sqlite_url

__all__ = ["demo_home", "shared_postgresql_url", "shared_sqlite_url"]
