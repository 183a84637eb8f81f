"""Where definitions are worked on: drafts, their checks, putting them in force."""
