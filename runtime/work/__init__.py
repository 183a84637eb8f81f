"""Work: reads what happened and what is due, and calls down. The top of the runtime."""
