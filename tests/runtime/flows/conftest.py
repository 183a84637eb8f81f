"""Pages are asked of the demo clinic."""

from served import demo_home, site
from shared import shared_sqlite_url

__all__ = ["demo_home", "shared_sqlite_url", "site"]
