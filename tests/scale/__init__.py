"""More than one machine, for real: web processes, workers, PostgreSQL and Redis."""
