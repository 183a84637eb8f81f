"""Hypothesis without a clock: what a busy machine takes long over is not wrong."""

from hypothesis import settings
from shared import shared_sqlite_url

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

__all__ = ["shared_sqlite_url"]
