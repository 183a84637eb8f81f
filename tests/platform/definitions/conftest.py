"""The databases that tests of definitions share."""

from shared import shared_sqlite_url

__all__ = ["shared_sqlite_url"]
