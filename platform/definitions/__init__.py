"""Definitions: what users drew, kept in versions; the field types and how each kind is checked."""
