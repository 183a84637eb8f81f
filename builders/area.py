"""The builders plugged into the app: what designers call to work on definitions."""

from flask import Blueprint

from .desk import drafts_api
from .rehearse import rehearsals_api

area = Blueprint("builders", __name__)
area.register_blueprint(drafts_api.area)
area.register_blueprint(rehearsals_api.area)
