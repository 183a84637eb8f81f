"""The builders plugged into the app: what designers call to work on definitions."""

from flask import Blueprint, Flask

from ..platform.web.navigation import Place, add_places
from .desk import drafts_api
from .rehearse import pages, rehearsals_api

PLACES = (Place("/rehearse", "play", "nav.rehearse", needs=pages.NEEDS, order=70),)

area = Blueprint("builders", __name__)
area.register_blueprint(drafts_api.area)
area.register_blueprint(rehearsals_api.area)
area.register_blueprint(pages.area)


def plug_in(app: Flask) -> None:
    """What the builders add to the house before their pages."""
    add_places(app, PLACES)


area.plug_in = plug_in  # type: ignore[attr-defined]
