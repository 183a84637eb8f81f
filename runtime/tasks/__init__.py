"""Tasks: what a person is asked to do, who may take it, and by when."""
