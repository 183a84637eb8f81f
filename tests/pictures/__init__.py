"""Pictures of the main pages, for people to look at."""
