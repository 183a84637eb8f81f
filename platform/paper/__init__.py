"""HTML made into PDF: by a child process that has limits, and reaches nothing."""
