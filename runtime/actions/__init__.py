"""Actions: what a flow's step may do to records, without a person."""
