"""What happened: one append-only log that is trail and mailbox at once."""
