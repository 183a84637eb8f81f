"""A pack is read strictly: each fault with its file and where inside."""

import pytest

from careloom.platform.packs.read import FOLDERS, pack_of
from careloom.platform.store.errors import Malformed
from careloom.platform.web.words import knows

from .parcels import colours, files, pack, story


def faults(**more: bytes) -> list[tuple[str, str]]:
    with pytest.raises(Malformed) as refusal:
        pack_of(files("1.0.0", **more))
    return [(problem.path, problem.code) for problem in refusal.value.problems]


def test_a_good_pack_is_read() -> None:
    read = pack("1.2.3", colours("red"), stories__holds=story(), data__some=b"[]")
    assert (read.key, read.version) == ("paint", "1.2.3")
    assert list(read.objects) == [("list", "colour")]
    assert list(read.stories) == ["holds"] and read.beside == {"data/some.json": "[]"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xff\xfe{}", "E_PACK_ENCODING"),
        (b"\xef\xbb\xbf{}", "E_PACK_ENCODING"),
        ("{'中'}".encode("gbk"), "E_PACK_ENCODING"),
        (b"{", "E_PACK_SYNTAX"),
        (b"", "E_PACK_SYNTAX"),
        (b'{"key": "x", "key": "x"}', "E_PACK_KEY_TWICE"),
        (b'{"key": NaN}', "E_PACK_NUMBER"),
        (b'{"key": -Infinity}', "E_PACK_NUMBER"),
        (b'{"key": 1e400}', "E_PACK_NUMBER"),
        (b'{"key": ' + b"9" * 5_000 + b"}", "E_PACK_NUMBER"),
        (b"[" * 70 + b"]" * 70, "E_PACK_DEEP"),
        (b"[" * 100_000 + b"]" * 100_000, "E_PACK_DEEP"),
        (b'{"key": "a\\u0000"}', "E_PACK_LETTER"),
        (b'{"key": "\\ud800"}', "E_PACK_LETTER"),
        (b'"' + b"x" * 3_000_000 + b'"', "E_PACK_FILE_SIZE"),
        (b"[]", "E_PACK_OBJECT"),
        (b'{"key": "other"}', "E_PACK_NAME"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_not_understood_is_told(content: bytes, code: str) -> None:
    ((path, told),) = faults(lists__bad=content)
    assert told == code and path.startswith("/lists/bad.json")


@pytest.mark.parametrize(
    "name", ["secrets__x", "lists__deeper__x", "x", "data__deeper__x", "stories__deeper__x"]
)
def test_a_file_in_a_place_that_a_pack_has_not_is_told(name: str) -> None:
    assert faults(**{name: b"{}"}) == [(f"/{name.replace('__', '/')}.json", "E_PACK_PLACE")]


@pytest.mark.parametrize(
    ("manifest", "path"),
    [
        (b'{"format": 2, "key": "a", "title": "A", "version": "1.0.0"}', "/format"),
        (b'{"format": 1, "key": "A-b", "title": "A", "version": "1.0.0"}', "/key"),
        (b'{"format": 1, "key": "a", "title": "A", "version": "1"}', "/version"),
        (b'{"format": 1, "key": "a", "title": "A", "version": "1.0.0", "run": "rm"}', ""),
        (
            b'{"format": 1, "key": "a", "title": "A", "version": "1.0.0", "requires": {"b": "1"}}',
            "/requires/b",
        ),
        (b"[]", ""),
    ],
)
def test_a_manifest_is_checked(manifest: bytes, path: str) -> None:
    with pytest.raises(Malformed) as refusal:
        pack_of({"pack.json": manifest})
    assert refusal.value.problems[0].path == f"/pack.json{path}"


def test_without_a_manifest_it_is_no_pack() -> None:
    with pytest.raises(Malformed):
        pack_of({"lists/x.json": b"{}"})


@pytest.mark.parametrize(
    ("scene", "path", "code"),
    [
        ({"when": [{"key": "a", "jump": 1}]}, "/scenes/0/when/0", "E_STORY_VERB"),
        ({"when": [{"key": "a", "turn": "1m", "claim": "x"}]}, "/scenes/0/when/0", "E_STORY_VERB"),
        ({"when": [{"key": "a", "turn": "soon"}]}, "/scenes/0/when/0/turn", "E_PATTERN"),
        ({"when": [{"key": "a", "submit": "form"}]}, "/scenes/0/when/0/values", "E_MISSING"),
        ({"when": [{"turn": "1m"}]}, "/scenes/0/when/0/key", "E_MISSING"),
        (
            {"then": [{"key": "a", "count": "x", "is": 1, "at": 2}]},
            "/scenes/0/then/0",
            "E_UNKNOWN_KEY",
        ),
        (
            {"when": [{"key": "a", "turn": "1m"}, {"key": "a", "turn": "1m"}]},
            "/scenes/0/when/1/key",
            "E_STORY_TWICE",
        ),
        (
            {"when": [{"key": "a", "turn_to": "2026-13-41T10:00"}]},
            "/scenes/0/when/0/turn_to",
            "E_STORY_MOMENT",
        ),
    ],
)
def test_a_story_that_is_not_understood_is_told(
    scene: dict[str, object], path: str, code: str
) -> None:
    whole = {"key": "one", "when": [], "then": [], **scene}
    found = faults(stories__wrong=story("wrong", scenes=[whole]))
    assert found == [(f"/stories/wrong.json{path}", code)]


def test_a_zone_that_is_nowhere_is_told() -> None:
    found = faults(stories__wrong=story("wrong", time_zone="Mars/Olympus"))
    assert found == [("/stories/wrong.json/time_zone", "E_STORY_ZONE")]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("kind", sorted({*FOLDERS.values(), "role"}))
def test_each_kind_that_a_pack_brings_has_its_name(kind: str, language: str) -> None:
    assert knows(language, f"kind.{kind}") and knows(language, f"page.packs.kind.{kind}")
