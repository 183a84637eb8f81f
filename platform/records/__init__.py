"""The one door to a form's table: every write and every read of a record goes through here."""
