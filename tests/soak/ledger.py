"""What has been played of a soak, and with what sources: a line for each run in var/soak."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
AREAS = ("platform", "runtime", "builders")


@dataclass(frozen=True)
class Run:
    """One run: so many of a part, and what it counted itself."""

    sources: str
    part: str
    many: int
    seed: int
    passed: bool
    counted: int
    seconds: float


class Ledger:
    """The runs so far that were played with these sources."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.sources = sources()
        self._file = folder / "runs.jsonl"
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        found = [Run(**json.loads(line)) for line in lines]
        self.runs = [run for run in found if run.sources == self.sources]

    def add(self, run: Run) -> None:
        """Write it down at once."""
        self.runs.append(run)
        with self._file.open("a") as file:
            file.write(json.dumps(asdict(run)) + "\n")

    def of(self, part: str) -> list[Run]:
        """A part's runs that passed."""
        return [run for run in self.runs if run.part == part and run.passed]

    def done(self, part: str) -> int:
        """How many of a part have been played and held."""
        return sum(run.many for run in self.of(part))


def sources() -> str:
    """A short name for what the product is made of: another after any change to it."""
    told = hashlib.sha256()
    for area in AREAS:
        for path in sorted((ROOT / area).rglob("*")):
            if path.is_file() and path.suffix in (".py", ".json"):
                told.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return told.hexdigest()[:12]
