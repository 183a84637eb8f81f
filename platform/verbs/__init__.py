"""What the `careloom` command can be told to do."""
