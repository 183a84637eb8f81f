"""Seeded holes: one defence at a time is taken away, and the tests must notice."""
