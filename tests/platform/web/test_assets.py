"""Built files in the pages: which tags, how they are sent, what is said when they are missing."""

import gzip
import json
from pathlib import Path

import pytest
from flask import Flask

from careloom.platform.web.assets import AssetsMissing, add_assets, send_asset

MANIFEST = {
    "runtime/src/main.ts": {
        "file": "assets/staff-1.js",
        "isEntry": True,
        "imports": ["_shared.js"],
        "css": ["assets/staff-2.css"],
    },
    "runtime/src/fill.ts": {"file": "assets/fill-3.js", "isEntry": True, "imports": ["_shared.js"]},
    "_shared.js": {"file": "assets/shared-4.js"},
    "runtime/src/icons.svg": {"file": "assets/icons-5.svg"},
}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """An application over a small build."""
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "staff-1.js").write_text("let a = 1")
    (tmp_path / "assets" / "staff-1.js.gz").write_bytes(gzip.compress(b"let a = 1"))
    made = Flask("assets", static_folder=None)
    made.add_url_rule("/static/<path:filename>", endpoint="static", view_func=send_asset)
    add_assets(made, tmp_path)
    return made


def vite(app: Flask, entry: str) -> str:
    with app.test_request_context():
        return str(app.jinja_env.globals["vite"](entry, "n1"))  # type: ignore[operator]


def test_an_entry_brings_its_style_what_it_imports_and_its_script_with_the_nonce(
    app: Flask,
) -> None:
    tags = vite(app, "staff").split("\n")
    assert tags == [
        '<link rel="stylesheet" href="/static/assets/staff-2.css">',
        '<link rel="modulepreload" href="/static/assets/shared-4.js" nonce="n1">',
        '<script type="module" src="/static/assets/staff-1.js" nonce="n1"></script>',
    ]


def test_a_file_with_its_hash_in_its_name_is_kept_for_a_year_and_sent_packed(app: Flask) -> None:
    client = app.test_client()
    packed = client.get("/static/assets/staff-1.js", headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in packed.headers["Cache-Control"]
    assert gzip.decompress(packed.data) == b"let a = 1"
    plain = client.get("/static/assets/staff-1.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers and plain.data == b"let a = 1"
    assert plain.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", ["../secret.txt", "assets/../../secret.txt", "source/var/key"])
def test_nothing_outside_the_build_is_sent(app: Flask, tmp_path: Path, path: str) -> None:
    (tmp_path.parent / "secret.txt").write_text("no")
    assert app.test_client().get(f"/static/{path}").status_code == 404


def test_in_development_the_modules_come_from_vite_and_no_other_source_is_sent(app: Flask) -> None:
    app.config["VITE_ORIGIN"] = "http://127.0.0.1:5173"
    assert 'src="http://127.0.0.1:5173/runtime/src/main.ts"' in vite(app, "staff")
    client = app.test_client()
    assert client.get("/static/source/runtime/src/icons.svg").status_code == 200
    assert client.get("/static/source/setup.cfg").status_code == 404


def test_a_build_that_is_missing_is_named(app: Flask, tmp_path: Path) -> None:
    (tmp_path / ".vite" / "manifest.json").unlink()
    with pytest.raises(AssetsMissing, match="make build"):
        vite(app, "staff")
