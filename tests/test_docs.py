"""What the documents promise is there."""

import re
from pathlib import Path

import pytest

from careloom.platform.web.settings import SETTINGS, Setting

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(
    path for path in (*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/README.md")) if path.is_file()
)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_stands_in_the_readme(setting: Setting) -> None:
    assert f"| `{setting.name}` |" in README


def test_the_readme_names_no_setting_that_is_gone() -> None:
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    assert named == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_gate_runs_the_readmes_own_command() -> None:
    assert re.search(r"^make run\b", README, re.MULTILINE)
    assert re.search(r"^make test\b", README, re.MULTILINE)
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("exec make test")


def test_make_help_lists_every_verb() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    told = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    assert told == set(phony[1].split())
