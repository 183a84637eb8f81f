"""The store: how rows are written, read and kept. SQLite and PostgreSQL are told apart here."""
