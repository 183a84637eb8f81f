"""Pages are asked of the demo clinic; figures of a small one whose leads are FX1's."""

from served import demo_home, site
from shared import shared_postgresql_url, shared_sqlite_url

from .fx1 import fx1

__all__ = ["demo_home", "fx1", "shared_postgresql_url", "shared_sqlite_url", "site"]
