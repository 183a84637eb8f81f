"""Forms on pages: filled in, read, listed, brought in from files."""
