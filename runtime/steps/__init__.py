"""Steps: what each kind of a flow's step does when a token comes to it."""
