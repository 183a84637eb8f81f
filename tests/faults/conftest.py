"""Faults are brought upon the small clinic of the runtime's tests."""

from ..runtime.conftest import clinic, sqlite_clinic  # noqa: F401
