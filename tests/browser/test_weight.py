"""What the pages weigh, and that their style keeps to the oldest browsers they promise."""

import gzip
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "templates" / "static"
KB = 1000
TOO_NEW = (":has(", "@container", "color-mix(", "@layer", "oklch(", "dvh", ":is(")


def script_weight(*entries: str) -> int:
    """Packed bytes of the entries' scripts and all they import, each once."""
    manifest = STATIC / ".vite" / "manifest.json"
    if not manifest.exists():
        pytest.skip("the browser side is not built (make build)")
    chunks = json.loads(manifest.read_text())
    names: dict[str, None] = {}

    def walk(name: str) -> None:
        if name not in names:
            names[name] = None
            for below in chunks[name].get("imports", ()):
                walk(below)

    for entry in entries:
        walk(entry)
    files = [(STATIC / chunks[name]["file"]).read_bytes() for name in names]
    return sum(len(gzip.compress(content, 9)) for content in files)


def test_a_page_to_fill_in_weighs_at_most_25_kb_of_script() -> None:
    assert script_weight("runtime/src/main.ts", "runtime/src/fill.ts") <= 25 * KB


def test_any_other_staff_page_weighs_less_than_10_kb_of_script() -> None:
    assert script_weight("runtime/src/main.ts", "runtime/src/lists.ts") <= 10 * KB


@pytest.mark.parametrize("path", sorted((ROOT / "runtime" / "src" / "style").glob("*.css")))
def test_style_uses_nothing_newer_than_chrome_87_and_safari_14(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
    assert [word for word in TOO_NEW if word in text] == []
    assert not re.search(r"\{[^{}@]*&", text), "nesting"


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")))
def test_no_template_holds_words_of_its_own_or_inline_style(path: Path) -> None:
    text = re.sub(
        r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->", "", path.read_text("utf-8"), flags=re.S
    )
    assert " style=" not in text and "onclick" not in text
    allowed = {"中文", "EN", "Careloom", " English"}
    found = re.findall(r"[\u4e00-\u9fff]+", text)
    assert [word for word in found if word not in allowed] == []


def test_both_languages_have_words_for_the_same_keys() -> None:
    for room in ("pages", "nav", "views"):
        zh, en = (
            json.loads((ROOT / "templates" / "words" / tongue / f"{room}.json").read_text("utf-8"))
            for tongue in ("zh-CN", "en")
        )
        assert zh.keys() == en.keys()
        gaps = re.compile(r"\{\w+\}")
        for key in zh:
            assert set(gaps.findall(zh[key])) == set(gaps.findall(en[key])), key


def test_every_word_the_pages_ask_for_is_there() -> None:
    known = {
        key
        for path in (ROOT / "templates" / "words" / "zh-CN").glob("*.json")
        for key in json.loads(path.read_text("utf-8"))
    }
    asked = set()
    for path in (ROOT / "templates").rglob("*.html"):
        asked |= set(re.findall(r"say\('((?:page|nav)\.[a-z_.]+)'[,)]", path.read_text("utf-8")))
    for path in (*ROOT.glob("runtime/**/*.py"), ROOT / "platform" / "web" / "packs_pages.py"):
        asked |= set(
            re.findall(r'say\(\s*(?:\w+\(?\)?, )?"(page\.[a-z_.]+)"', path.read_text("utf-8"))
        )
    assert asked - known == set()
