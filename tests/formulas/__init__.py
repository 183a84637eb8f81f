"""One table of formula cases and random formulas, asked of four evaluators."""
