"""What a soak is made of: each part's run, how much of it is wanted, how long one of it takes.

A part is played in runs of a few each, so that little is lost when it is broken off.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

#: what stands in the words for how many, and for what chance begins with
MANY, SEED = "{many}", "{seed}"


@dataclass(frozen=True)
class Part:
    """One kind of fault. setting: the variable that says how many are wanted (none: once); most:
    in one run; each: seconds that one took on two busy cores; counts: what the run says of itself,
    by a number after or before such words."""

    name: str
    setting: str
    wanted: int
    most: int
    each: float
    words: tuple[str, ...]
    counts: str
    given: Mapping[str, str] = field(default_factory=dict)

    def how_many(self, environment: Mapping[str, str]) -> int:
        """As many as the environment wants, else as the table says."""
        return int(environment.get(self.setting) or self.wanted) if self.setting else 1

    def command(self, many: int, seed: int) -> list[str]:
        """The program and its words for a run of so many."""
        return [sys.executable, "-m", *(_filled(word, many, seed) for word in self.words)]

    def environment(self, many: int, seed: int) -> dict[str, str]:
        """What the run is told besides; CARELOOM_SEED is what a test draws from."""
        told = {name: _filled(word, many, seed) for name, word in self.given.items()}
        return {**os.environ, "PYTHONPATH": "tests", "CARELOOM_SEED": str(seed), **told}


def _filled(word: str, many: int, seed: int) -> str:
    return word.replace(MANY, str(many)).replace(SEED, str(seed))


def _kills(database: str, each: float) -> Part:
    words = ("kills", "--kills", MANY, "--database", database, "--seed", SEED)
    return Part(f"kills {database}", "KILLS", 1000, 200, each, words, r"^kills (\d+), lost 0")


def _demo(database: str, each: float) -> Part:
    words = ("kills.demo_load", "--kills", MANY, "--database", database, "--seed", SEED)
    return Part(f"demo kills {database}", "DEMO_KILLS", 200, 50, each, words, r"killed (\d+) times")


def _tests(*words: str) -> tuple[str, ...]:
    return ("pytest", "-q", "--timeout", "0", *words)


FLUSHED = ("scale", "--instances", "400", "--flushes", MANY, "--seed", SEED)
REST = ("busy", "no_connection", "full_disk", "redis_away", "stopped", "locked", "clock")

PARTS = (
    _kills("sqlite", 1.6),
    _kills("postgresql", 2.5),
    _demo("sqlite", 12.0),
    _demo("postgresql", 16.0),
    Part(
        "races",
        "RACES",
        84,
        14,
        12.5,
        _tests("tests/faults/test_races.py"),
        r"^races: (\d+)",
        {"CARELOOM_RACES": MANY},
    ),
    *(
        Part(
            f"crash points {database}",
            "",
            1,
            1,
            900.0,
            _tests("tests/faults/test_crash_points.py", "-k", database),
            r"^crash points: (\d+)",
            {"CARELOOM_POINTS": "all"},
        )
        for database in ("sqlite", "postgresql")
    ),
    Part(
        "crash points demo",
        "",
        1,
        1,
        600.0,
        _tests("tests/faults/test_demo_load.py"),
        r"^crash points: (\d+)",
        {"CARELOOM_POINTS": "all"},
    ),
    Part(
        "wire, power and disk",
        "",
        1,
        1,
        600.0,
        _tests(
            *(
                f"tests/faults/test_{name}.py"
                for name in (
                    "wire",
                    "given_up",
                    "power",
                    "upgrade_crash",
                    "bad_disk",
                    "not_understood",
                )
            )
        ),
        r"^crash points: (\d+)",
        {"CARELOOM_POINTS": "all"},
    ),
    Part(
        "cuts",
        "CUTS",
        50,
        25,
        5.0,
        _tests("tests/faults/test_cuts.py"),
        r"^cuts: (\d+)",
        {"CARELOOM_CUTS": MANY},
    ),
    Part(
        "drills",
        "DRILLS",
        25,
        5,
        32.0,
        _tests("tests/faults/test_drills.py"),
        r"^drills: (\d+)",
        {"CARELOOM_DRILLS": MANY},
    ),
    Part(
        "herd",
        "HERD",
        3500,
        3500,
        0.05,
        _tests("tests/faults/test_herd.py"),
        r"^recalls: (\d+)",
        {"CARELOOM_HERD": MANY},
    ),
    Part("flushes", "FLUSHES", 100, 20, 12.0, FLUSHED, r"flushes (\d+)"),
    Part(
        "the rest",
        "",
        1,
        1,
        180.0,
        _tests(*(f"tests/faults/test_{name}.py" for name in REST)),
        r"(\d+) passed",
        {"CARELOOM_WRITES": "200"},
    ),
)
