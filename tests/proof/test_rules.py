"""What the gate itself promises: bandit and our own rules are run, versions are pinned; T67, T79.
And T80: whoever else is on the machine reads no backup.
"""

import json
import re
from pathlib import Path

from careloom.platform.records.backup import back_up
from careloom.platform.store.database import Database
from careloom.platform.store.open_bodies import open_bodies

ROOT = Path(__file__).parents[2]


def test_bandit_and_our_own_rules_are_part_of_the_gate() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(r"^test:.*\n(?:\t.*\n)*\t\$\(MAKE\) .*check", makefile, re.M)
    assert re.search(r"^check:.* rules\b", makefile, re.M)
    rules = makefile.partition("\nrules:")[2].partition("\n\n")[0]
    assert "bandit" in rules and "--error" in rules and "--test .ci/rules" in rules
    told = (ROOT / ".ci" / "rules" / "house.yml").read_text("utf-8")
    samples = "".join(path.read_text("utf-8") for path in (ROOT / ".ci" / "rules").glob("house.*"))
    for rule in re.findall(r"- id: (\S+)", told):
        assert f"ruleid: {rule}" in samples, f"{rule} has no sample"


def test_every_package_is_pinned() -> None:
    for name in ("constraints.txt", "semgrep.txt"):
        lines = (ROOT / ".ci" / name).read_text("utf-8").splitlines()
        assert lines and all(re.fullmatch(r"[\w.\-]+==[\w.\-+]+", line) for line in lines), name
    package = json.loads((ROOT / "package.json").read_text("utf-8"))
    for part in ("dependencies", "devDependencies"):
        for name, version in package.get(part, {}).items():
            assert re.fullmatch(r"[\w.\-]+", version), f"{name}: {version}"


def test_a_backup_is_its_owners_alone(sqlite: Database, tmp_path: Path) -> None:
    file = tmp_path / "careloom.backup"
    back_up(sqlite, open_bodies("", sqlite.home), file)
    assert file.stat().st_mode & 0o077 == 0
