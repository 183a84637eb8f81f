"""Blueprint packs: whole ways of working as text, read, planned and applied through publishing."""
