"""Vite's files in the pages: hashed names from its manifest, or its server in development.

{{ vite('staff', nonce) }}   the stylesheet, the modules to fetch ahead and the module script
{{ sprite() }}               the address of the icon sprite
"""

import json
import mimetypes
import os
from pathlib import Path
from typing import Any, cast

from flask import Flask, Response, current_app, request, send_from_directory, url_for
from markupsafe import Markup
from werkzeug.security import safe_join

ENTRIES = {
    "staff": "runtime/src/main.ts",
    "fill": "runtime/src/fill.ts",
    "lists": "runtime/src/lists.ts",
    "paper": "runtime/src/paper.ts",
    "design": "builders/src/main.ts",
}
SPRITE = "runtime/src/icons.svg"
BRAND = "runtime/src/brand.svg"
ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "templates" / "static"

# The registry of many a Windows says text/plain, and browsers then refuse the module.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("image/svg+xml", ".svg")


class AssetsMissing(RuntimeError):
    """The browser side was not built, or has no such entry."""


class Assets:
    """The manifest, read once (in debug mode again whenever it was written anew)."""

    def __init__(self, folder: Path = STATIC) -> None:
        self.folder = folder
        self.manifest_file = folder / ".vite" / "manifest.json"
        self._manifest: dict[str, dict[str, Any]] | None = None
        self._written = 0

    def manifest(self) -> dict[str, dict[str, Any]]:
        try:
            written = self.manifest_file.stat().st_mtime_ns
        except FileNotFoundError:
            raise AssetsMissing("The browser side is not built: run `make build`.") from None
        if self._manifest is None or (current_app.debug and written != self._written):
            self._manifest = json.loads(self.manifest_file.read_text("utf-8"))
            self._written = written
        return self._manifest

    def chunks(self, key: str) -> dict[str, dict[str, Any]]:
        """The entry's chunks, what it imports first and itself last, each once."""
        found: dict[str, dict[str, Any]] = {}

        def walk(name: str, above: frozenset[str]) -> None:
            if name in found or name in above:
                return
            chunk = self.manifest()[name]
            for below in chunk.get("imports", ()):
                walk(below, above | {name})
            found[name] = chunk

        try:
            walk(key, frozenset())
        except KeyError:
            raise AssetsMissing(f"The manifest has no entry {key!r}.") from None
        return found

    def address(self, source: str) -> str:
        """The address of a file that sources import by name, as the sprite is."""
        if _vite_origin():
            return url_for("static", filename="source/" + source)
        try:
            return url_for("static", filename=self.manifest()[source]["file"])
        except KeyError:
            raise AssetsMissing(f"The manifest has no file {source!r}.") from None

    def tags(self, name: str, nonce: str = "") -> Markup:
        """Stylesheets, modules to fetch ahead and the module script of one entry."""
        key = ENTRIES[name]
        origin = _vite_origin()
        if origin:
            script = Markup('<script type="module" src="{}/{}" nonce="{}"></script>')
            return Markup("\n").join(script.format(origin, p, nonce) for p in ("@vite/client", key))
        chunks = self.chunks(key)
        sheets = dict.fromkeys(sheet for chunk in chunks.values() for sheet in chunk.get("css", ()))
        tags = [Markup('<link rel="stylesheet" href="{}">').format(_static(s)) for s in sheets]
        ahead = Markup('<link rel="modulepreload" href="{}" nonce="{}">')
        script = Markup('<script type="module" src="{}" nonce="{}"></script>')
        for chunk_key, chunk in chunks.items():
            shape = script if chunk_key == key else ahead
            tags.append(shape.format(_static(chunk["file"]), nonce))
        return Markup("\n").join(tags)


def _static(file: str) -> str:
    return url_for("static", filename=file)


def _vite_origin() -> str:
    """The development server's origin, when one is named (CARELOOM_VITE)."""
    return cast(str, current_app.config.get("VITE_ORIGIN", ""))


def send_asset(filename: str) -> Response:
    """A built file, kept for a year (its name holds its hash), packed if the browser takes it."""
    source = filename.removeprefix("source/")
    if _vite_origin() and source in (SPRITE, BRAND):  # browsers refuse a sprite of another origin
        return send_from_directory(ROOT, source)
    folder = cast(Assets, current_app.extensions["careloom.assets"]).folder
    hashed = filename.startswith("assets/")
    for coding, ending in (("br", ".br"), ("gzip", ".gz")) if hashed else ():
        packed = safe_join(str(folder), filename + ending)
        if request.accept_encodings.quality(coding) > 0 and packed and os.path.isfile(packed):
            kind = mimetypes.guess_type(filename)[0]
            answer = send_from_directory(folder, filename + ending, mimetype=kind)
            answer.headers["Content-Encoding"] = coding
            break
    else:
        answer = send_from_directory(folder, filename)
    if hashed:
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        answer.vary.add("Accept-Encoding")
    return answer


def add_assets(app: Flask, folder: Path = STATIC) -> Assets:
    """Give the app's templates vite(), sprite() and brand_icon().

    The view that serves /static/<path:filename> (endpoint "static") is declared by the app,
    which knows who may ask; it calls send_asset.
    """
    assets = Assets(folder)
    app.extensions["careloom.assets"] = assets
    app.config.setdefault("VITE_ORIGIN", os.environ.get("CARELOOM_VITE", ""))
    app.jinja_env.globals["vite"] = assets.tags
    app.jinja_env.globals["sprite"] = lambda: assets.address(SPRITE)
    app.jinja_env.globals["brand_icon"] = lambda: assets.address(BRAND)
    return assets
