"""The crash harness: real processes killed at random moments; nothing lost, nothing doubled."""
