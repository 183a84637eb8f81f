"""Timers: what falls due at a moment, set and taken inside the deed it belongs to."""
