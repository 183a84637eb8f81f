"""Where a flow is tried out before it is in force: nothing is written and nobody is told."""
