"""Reports: a definition and its reader -> one select with the reader's rights in it."""
