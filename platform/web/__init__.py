"""The web face: who asks, in which transaction, and how it is answered."""
