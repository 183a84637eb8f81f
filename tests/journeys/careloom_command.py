"""The `careloom` command as a person runs it: a process, a data folder, an exit status."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
PATIENCE = 180


@dataclass(frozen=True)
class Command:
    """Careloom's command over one data folder and one database."""

    home: Path
    url: str

    def environment(self) -> dict[str, str]:
        settings = {"CARELOOM_HOME": str(self.home), "CARELOOM_DATABASE_URL": self.url}
        return os.environ | settings | {"LANG": "zh_CN.UTF-8"}

    def run(self, *words: str, status: int = 0) -> str:
        """Run a verb to its end; what it printed. Fails when it ends with another status."""
        done = subprocess.run(
            [str(BIN / "careloom"), *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == status, f"{words}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Run a verb beside the test."""
        return subprocess.Popen(
            [str(BIN / "careloom"), *words],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def bring(self, file: Path, *words: str, status: int = 0) -> dict[str, Any]:
        """`careloom import lead_intake FILE`: what it answered."""
        answer: dict[str, Any] = json.loads(
            self.run("import", "lead_intake", str(file), *words, status=status)
        )
        return answer
