"""How large an expression, and how long its evaluation, may be. The browser gets the same."""

CHARACTERS = 4_000
NODES = 500
DEPTH = 40
STEPS = 20_000  # one per node of a body per row; no wall clock, so every evaluator stops alike
ROWS = 1_000
SEARCH = 100  # steps that one LOOKUP counts as: 200 questions to the database at most
TEXT_BYTES = 32 * 1024
POWER = 64
DIGITS = 28  # in all; a number is below 10**28 and has at most 28 decimals
HOPS = 2
COMPUTED_FIELDS = 200
