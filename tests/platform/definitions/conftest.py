"""Hypothesis without a clock: what a busy machine takes long over is not wrong."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
