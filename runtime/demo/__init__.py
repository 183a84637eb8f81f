"""Three months of leads for the demo clinic: every state a lead can be in, all made up."""
