"""The one way out: addresses that people name, checked, and called with limits."""
