"""Stories of packs, played through the same doors as everything, in a database of their own."""
