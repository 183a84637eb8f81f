"""Records on paper: what a printout is, what it prints of a record, as a page and as PDF."""
