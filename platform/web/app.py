"""The Flask application: the platform's own pages, then every area that plugs in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flask import Blueprint, Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from ..store.database import Database, open_database
from . import (
    accounts_api,
    body,
    context,
    csrf,
    definitions_api,
    errors,
    export_api,
    exports_api,
    files_api,
    headers,
    health,
    idempotency,
    invitation_pages,
    logs,
    me_api,
    me_pages,
    openapi,
    packs_api,
    packs_pages,
    people_api,
    people_pages,
    request,
    roles_api,
    roles_pages,
    second_factor_pages,
    shapes,
    sign_in,
    sign_ins_api,
    tokens_api,
    trail_api,
    trail_pages,
    units_api,
    units_pages,
    uploads,
    view_log,
)
from .areas import areas, plug_in
from .assets import add_assets, send_asset
from .routes import PUBLIC, Declaration, LateRule, declare, require_declarations
from .settings import Settings, settings_from

PARTS = (
    shapes,
    headers,
    logs,
    csrf,
    request,
    body,
    idempotency,
    errors,
    view_log,
    uploads,
    context,
)
ROOT = Path(__file__).resolve().parents[2]
OWN = (
    health.area,
    sign_in.area,
    second_factor_pages.area,
    invitation_pages.area,
    me_api.area,
    me_pages.area,
    people_api.area,
    accounts_api.area,
    roles_api.area,
    tokens_api.area,
    sign_ins_api.area,
    units_api.area,
    people_pages.area,
    units_pages.area,
    roles_pages.area,
    definitions_api.area,
    files_api.area,
    export_api.area,
    exports_api.area,
    openapi.area,
    packs_api.area,
    packs_pages.area,
    trail_api.area,
    trail_pages.area,
)


def create_app(
    database: Database | None = None,
    settings: Settings | None = None,
    plugged: Sequence[Blueprint] | None = None,
) -> Flask:
    """The application over a database; without one, over the one the environment names.

    plugged: the areas to plug in; every installed one when not given.

    Raises BadSetting, and Undeclared when a view declares no permission.
    """
    chosen = settings or settings_from()
    app = Flask("careloom", root_path=str(ROOT), static_folder=None, instance_path=str(chosen.home))
    app.url_rule_class = LateRule
    app.extensions["careloom.settings"] = chosen
    app.extensions["careloom.database"] = database or open_database(
        chosen.database_url, chosen.home
    )
    _configure(app, chosen)
    for part in PARTS:
        part.use(app)
    app.add_url_rule("/static/<path:filename>", endpoint="static", view_func=send_asset)
    declare(send_asset, Declaration(PUBLIC))
    add_assets(app)
    plug_in(app, [*OWN, *(areas() if plugged is None else plugged)])
    require_declarations(app)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.secret_key = settings.secret  # signs what a page says once to the next (flash)
    app.config.update(
        SESSION_COOKIE_NAME="careloom_flash",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure,
        MAX_CONTENT_LENGTH=settings.max_upload_mb * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=2_000,
    )
    if settings.public_url:
        host = settings.public_url.partition("://")[2]
        app.config["TRUSTED_HOSTS"] = [host.partition(":")[0], "localhost", "127.0.0.1"]
    app.url_map.strict_slashes = False
    if settings.proxies:
        count = settings.proxies
        proxied = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)
        app.wsgi_app = proxied  # type: ignore[method-assign]
