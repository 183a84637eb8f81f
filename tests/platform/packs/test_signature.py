"""A pack's signature holds for every byte of it, and counts where its key is known."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.cli import ScriptInfo
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from visitors import Caller, Site, Visitor

import careloom.platform.records.kinds  # noqa: F401  registers the platform's kinds
from careloom.platform.cli import main
from careloom.platform.events.model import Event
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.packs.archive import files_at, zipped
from careloom.platform.packs.bring_in import bring_in
from careloom.platform.packs.library import shipped_pack
from careloom.platform.packs.plan import plan
from careloom.platform.packs.read import Pack, canonical, pack_of
from careloom.platform.packs.signature import SIGNATURE, is_key, named, sign, signer_of
from careloom.platform.packs.signers import Signed, distrust, signed, signers, trust
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Conflict, Malformed, NotFound

from .parcels import colours, files

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
Files = dict[str, bytes]


def sealed(made: Files, key: Ed25519PrivateKey = KEY) -> Files:
    return {**made, SIGNATURE: canonical(sign(made, key))}


def signed_pack(version: str = "1.0.0", key: Ed25519PrivateKey = KEY) -> Pack:
    return pack_of(sealed(files(version), key))


def faults(made: Files) -> list[tuple[str, str]]:
    with pytest.raises(Malformed) as refusal:
        pack_of(made)
    return [(problem.path, problem.code) for problem in refusal.value.problems]


def test_a_pack_says_who_vouches_for_it() -> None:
    assert signed_pack().signer == named(KEY.public_key()) == named(KEY)
    assert pack_of(files()).signer == ""
    assert signed_pack().objects == pack_of(files()).objects, "and nothing else is different"


def test_signing_the_same_again_gives_the_same_bytes() -> None:
    once = sealed(files())
    assert sealed({name: once[name] for name in reversed(list(once))}) == once


def _turned(content: bytes, bit: int) -> bytes:
    at = bit // 8 % len(content)
    return content[:at] + bytes([content[at] ^ (1 << bit % 8)]) + content[at + 1 :]


@given(
    st.sampled_from(sorted(sealed(files("1.0.0", colours("red"), colours("oak", key="wood"))))),
    st.integers(0, 10**6),
)
def test_no_bit_of_any_file_is_changed_unnoticed(name: str, bit: int) -> None:
    made = sealed(files("1.0.0", colours("red"), colours("oak", key="wood")))
    with pytest.raises(Malformed):
        signer_of({**made, name: _turned(made[name], bit)})


def test_each_file_that_was_changed_taken_out_or_put_in_is_named() -> None:
    made = sealed(files("1.0.0", colours("red"), colours("oak", key="wood")))
    made["lists/colour.json"] += b"\n"
    del made["lists/wood.json"]
    made["lists/tone.json"] = json.dumps(colours("dark", key="tone")).encode()
    assert faults(made) == [
        ("/lists/colour.json", "E_PACK_SIGNED_CHANGED"),
        ("/lists/tone.json", "E_PACK_SIGNED_EXTRA"),
        ("/lists/wood.json", "E_PACK_SIGNED_GONE"),
    ]


LAST = sign(files(), KEY)["signature"]  # whose last letter has four bits that say nothing


def _said(**other: Any) -> bytes:
    return canonical({**sign(files(), KEY), **other})


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        (_said(signer=named(OTHER)), "E_PACK_SIGNATURE"),
        (_said(signature=sign(files("1.0.1"), KEY)["signature"]), "E_PACK_SIGNATURE"),
        (_said(signature="AAAA"), "E_PACK_SIGNATURE"),
        (_said(signature=LAST[:-1] + chr(ord(LAST[-1]) + 1)), "E_PACK_SIGNATURE"),
        (_said(signature=LAST + "!"), "E_PACK_SIGNATURE"),
        (_said(signature=7), "E_PACK_SIGNATURE"),
        (_said(signer="A" * 44), "E_PACK_SIGNATURE"),
        (_said(signer="钥" * 43), "E_PACK_SIGNATURE"),
        (_said(files=[]), "E_PACK_SIGNATURE"),
        (_said(files={"pack.json": 7}), "E_PACK_SIGNATURE"),
        (_said(format=2), "E_PACK_SIGNATURE"),
        (_said(more=1), "E_PACK_SIGNATURE"),
        (b"[]", "E_PACK_SIGNATURE"),
        (b"{", "E_PACK_SYNTAX"),
        (b'{"format": 1, "format": 1}', "E_PACK_KEY_TWICE"),
        (b"\xff", "E_PACK_ENCODING"),
    ],
)
def test_a_signature_that_does_not_hold_is_refused_whoever_asks(
    signature: bytes, code: str
) -> None:
    ((path, found),) = faults({**files(), SIGNATURE: signature})
    assert (path.startswith(f"/{SIGNATURE}"), found) == (True, code)


def test_a_signature_of_another_pack_is_none_of_this_one() -> None:
    other = canonical(sign(files("1.0.1"), KEY))
    assert faults({**files(), SIGNATURE: other}) == [("/pack.json", "E_PACK_SIGNED_CHANGED")]


@pytest.mark.parametrize(
    "text",
    ["", "A" * 42, "A" * 44, "=" * 43, "A" * 42 + "B", "a b" + "A" * 40],
)
def test_what_is_no_public_key_is_told_from_one(text: str) -> None:
    assert is_key(named(KEY)) and not is_key(text)


def test_what_a_signature_is_worth_is_decided_here_and_now(database: Database) -> None:
    worth: list[Signed] = []

    def look() -> None:
        with database.read() as session:
            worth.append(signed(session, signed_pack()))

    look()
    database.write(lambda session: trust(session, SYSTEM, "总部", named(KEY)))
    look()
    database.write(lambda session: distrust(session, SYSTEM, "总部"))
    look()
    unknown = Signed("unknown", named(KEY))
    assert worth == [unknown, Signed("known", "总部"), unknown]
    with database.read() as session:
        assert signed(session, pack_of(files())) == Signed("unsigned")
        assert signed(session, shipped_pack("clinic")) == Signed("ours")
        told = [
            (event.name, event.data)
            for event in session.scalars(select(Event).where(Event.name.like("pack:%trusted")))
        ]
    data = {"name": "总部", "key": named(KEY)}
    assert told == [("pack:trusted", data), ("pack:distrusted", data)]


def test_names_and_keys_of_signers_are_there_once(database: Database) -> None:
    def trusted(name: str, key: str) -> None:
        database.write(lambda session: trust(session, SYSTEM, name, key))

    trusted("a", named(KEY))
    for name, key in (("a", named(OTHER)), ("b", named(KEY)), (" ", named(OTHER))):
        with pytest.raises(Conflict, match="E_PACK_SIGNER_TAKEN"):
            trusted(name, key)
    with pytest.raises(Malformed, match="E_PACK_KEY"):
        trusted("b", "no key")
    with pytest.raises(NotFound, match="E_PACK_NO_SIGNER"):
        database.write(lambda session: distrust(session, SYSTEM, "b"))
    with database.read() as session:
        assert [row.name for row in signers(session, SYSTEM)] == ["a"]


def test_a_pack_nobody_known_signed_waits_for_somebodys_word_which_is_kept(
    sqlite: Database,
) -> None:
    for one, code in ((pack_of(files()), "E_PACK_UNSIGNED"), (signed_pack(), "E_PACK_UNKNOWN")):
        with pytest.raises(Conflict) as refusal:
            bring_in(sqlite, SYSTEM, one)
        assert [problem.code for problem in refusal.value.problems] == [code]
    bring_in(sqlite, SYSTEM, pack_of(files()), unsigned=True)
    sqlite.write(lambda session: trust(session, SYSTEM, "总部", named(KEY)))
    bring_in(sqlite, SYSTEM, signed_pack("1.0.1"))
    with sqlite.read() as session:
        events = session.scalars(select(Event).where(Event.name == "pack:applied"))
        found = [(event.data["signed"], event.data["by"]) for event in events]
    assert found == [("unsigned", ""), ("known", "总部")]


def test_an_older_version_does_not_go_over_a_newer_one_though_well_signed(
    sqlite: Database,
) -> None:
    sqlite.write(lambda session: trust(session, SYSTEM, "总部", named(KEY)))
    bring_in(sqlite, SYSTEM, signed_pack("1.10.0"))
    with sqlite.read() as session:
        problems = plan(session, signed_pack("1.9.9")).problems
    assert [(each.path, each.code) for each in problems] == [("/pack.json/version", "E_PACK_OLDER")]


def test_the_page_says_who_signed_and_asks_for_a_yes_where_nobody_did(site: Site) -> None:
    site.role("packer", "packs.read", "packs.apply", "definitions.publish")
    visitor: Visitor = site.visitor()
    site.person("ada", "G", "packer")
    visitor.sign_in("ada")
    site.database.write(lambda session: trust(session, SYSTEM, "总部", named(KEY)))
    csrf = visitor.csrf("/packs")

    def shown(made: Files) -> tuple[str, str]:
        data = {"file": (BytesIO(zipped(made)), "paint.zip"), "csrf": csrf}
        page = visitor.client.post("/packs/plan", data=data).text
        return page, page.split('name="upload" value="', 1)[1].split('"', 1)[0]

    page, upload = shown(sealed(files(), OTHER))
    assert named(OTHER) in page and 'name="despite_signature"' in page
    assert visitor.post("/packs/apply", csrf=csrf, upload=upload).status_code == 409
    page, upload = shown(sealed(files()))
    assert "总部" in page and 'name="despite_signature"' not in page
    assert visitor.post("/packs/apply", csrf=csrf, upload=upload).status_code == 303


def test_a_program_hears_what_the_signature_is_worth_and_says_its_yes(site: Site) -> None:
    token = site.token(site.person("ada", "G", "packer"))
    call = Caller(site, token)
    data = {"file": (BytesIO(zipped(sealed(files()))), "paint.zip")}
    planned: Any = site.app.test_client().post("/api/packs/plan", data=data, headers=token).json
    assert planned["signed"] == {"state": "unknown", "by": named(KEY)}
    refused: Any = call("POST", "/api/packs/apply", {"plan": planned["id"]})
    assert (refused.status_code, refused.json["problems"][0]["code"]) == (409, "E_PACK_UNKNOWN")
    yes = {"plan": planned["id"], "despite_signature": True}
    assert call("POST", "/api/packs/apply", yes).status_code == 200


def _of_seed(number: int) -> str:
    return named(Ed25519PrivateKey.from_private_bytes(number.to_bytes(32)))


@pytest.mark.parametrize("public", [_of_seed(33), _of_seed(3124), _of_seed(15886)])
def test_a_key_that_looks_like_an_option_is_trusted_and_listed(site: Site, public: str) -> None:
    assert public.startswith("-")
    info = ScriptInfo(create_app=lambda: site.app)
    done = CliRunner().invoke(main, ["packs", "trust", "house", public], obj=info)
    assert done.exit_code == 0, done.output
    assert CliRunner().invoke(main, ["packs", "signers"], obj=info).output == f"house  {public}\n"


@pytest.mark.parametrize("zip_it", [False, True])
def test_the_command_line_makes_a_key_signs_and_lets_come_in(
    site: Site, tmp_path: Path, zip_it: bool
) -> None:
    def careloom(*words: str, typed: str = "") -> Result:
        runner = CliRunner(env={"LANG": "en_GB.UTF-8"})
        info = ScriptInfo(create_app=lambda: site.app)
        return runner.invoke(main, ["packs", *words], obj=info, input=typed)

    folder, key = tmp_path / "paint", tmp_path / "house.pem"
    for name, content in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    path = folder
    if zip_it:
        path = tmp_path / "paint.zip"
        path.write_bytes(zipped(files_at(folder)))
    made = careloom("key", str(key))
    public = made.output.strip().rsplit(" ", 1)[1]
    assert is_key(public) and key.stat().st_mode & 0o777 == 0o600
    assert careloom("key", str(key)).exit_code == 1, "no key is written over"
    assert careloom("add", str(path), "--yes").exit_code == 1, "nobody signed it"
    assert careloom("add", str(path), typed="n\n").exit_code == 1, "nor says anybody yes"
    assert careloom("sign", str(path), "--key", str(key)).exit_code == 0
    assert careloom("sign", str(path), "--key", str(key)).exit_code == 0, "anew, as well"
    assert careloom("add", str(path), "--yes").exit_code == 1, "by a key that nobody knows"
    assert careloom("trust", "house", public).exit_code == 0
    assert careloom("signers").output.split() == ["house", public]
    done = careloom("add", str(path), "--yes")
    assert (done.exit_code, "Signed by" in done.output) == (0, True), done.output
    (tmp_path / "none.pem").write_text("no key")
    assert careloom("sign", str(path), "--key", str(tmp_path / "none.pem")).exit_code == 1
    assert careloom("distrust", "house").exit_code == 0
    assert careloom("signers").output == ""
