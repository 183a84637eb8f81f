"""The packs that come with Careloom, against those that are installed."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.cli import ScriptInfo
from visitors import Site

from careloom.platform.cli import main
from careloom.platform.definitions.publish import publish_document
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.packs import library
from careloom.platform.packs.apply import apply_pack
from careloom.platform.packs.library import at_hand, shipped_pack

from .parcels import colours, files


@pytest.fixture
def ship(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has Careloom come with one pack: its version, its lists."""
    monkeypatch.setattr(library, "SHIPPED", tmp_path)

    def put(version: str, *lists: dict[str, Any]) -> None:
        for name, content in files(version, *lists).items():
            (tmp_path / "paint" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "paint" / name).write_bytes(content)

    return put


def newer(site: Site) -> list[tuple[str, str | None]]:
    with site.database.read() as session:
        return [(pack.version, here) for pack, here in at_hand(session)]


def bring_in(site: Site) -> None:
    site.database.write(lambda session: apply_pack(session, SYSTEM, shipped_pack("paint")))


def test_a_pack_is_at_hand_until_it_is_installed_as_it_is(site: Site, ship: Any) -> None:
    ship("1.0.0", colours("red"))
    assert newer(site) == [("1.0.0", None)]
    bring_in(site)
    assert newer(site) == []
    ship("1.0.0", colours("red", "blue"))
    assert newer(site) == [("1.0.0", "1.0.0")]
    bring_in(site)
    assert newer(site) == []
    ship("1.1.0", colours("red", "blue"))
    assert newer(site) == [("1.1.0", "1.0.0")]
    bring_in(site)
    ship("1.0.0", colours("red"))
    assert newer(site) == []  # an older one never goes over a newer


def test_what_was_changed_here_and_stays_is_no_update(site: Site, ship: Any) -> None:
    ship("1.0.0", colours("red"))
    bring_in(site)
    site.database.write(lambda s: publish_document(s, SYSTEM, "list", colours("red", "mine")))
    assert newer(site) == []
    ship("1.0.0", colours("red", "theirs"))
    assert newer(site) == []  # both changed: ours is kept, and bringing it in changes nothing


def test_setup_and_the_page_say_which_pack_is_newer(site: Site, ship: Any) -> None:
    site.person("ada", "G", "packer")
    visitor = site.visitor()
    visitor.sign_in("ada")
    ship("1.0.0", colours("red"))
    assert "有更新" not in visitor.client.get("/packs").text
    assert "careloom packs plan" not in set_up(site)
    bring_in(site)
    ship("1.0.0", colours("red", "blue"))
    assert "有更新" in visitor.client.get("/packs").text
    assert "careloom packs plan paint" in set_up(site)


def set_up(site: Site) -> str:
    runner = CliRunner(env={"LANG": "en_GB.UTF-8"})
    answer = runner.invoke(main, ["setup"], obj=ScriptInfo(create_app=lambda: site.app))
    assert answer.exit_code == 0, answer.output
    return answer.output
