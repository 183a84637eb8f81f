"""How long the suites of faults go on: a short form in the gate, a long one in `make soak`.

CARELOOM_SEED    what chance begins with; printed, so that a run can be had again
CARELOOM_POINTS  crash points of each deed, and cuts of its wire: a number, or `all`
CARELOOM_RACES   rounds of each race
CARELOOM_DRILLS  backups restored, on each kind of database
CARELOOM_WRITES  by each of twenty processes, into one SQLite file at once
CARELOOM_HERD    recalls that are due at once
CARELOOM_CUTS    times all connections of PostgreSQL are cut, and it is restarted
"""

import os
import random

FEW = {"POINTS": "2", "RACES": "4", "DRILLS": "1", "CUTS": "3", "WRITES": "5"}
FEW |= {"HERD": "40"}


def times(name: str) -> int:
    """How often; `all` is more than there ever are."""
    wanted = os.environ.get(f"CARELOOM_{name}") or FEW[name]
    return 10**6 if wanted == "all" else int(wanted)


def seed() -> int:
    """The one that is given, or another each time."""
    given = os.environ.get("CARELOOM_SEED")
    return int(given) if given else random.randrange(10**6)
