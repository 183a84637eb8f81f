"""The careloom command: the platform's verbs, and those each area brings along."""

from flask.cli import FlaskGroup

from .verbs.packs import packs
from .verbs.records import check_database, export_records, import_records
from .verbs.setup import setup
from .web.app import create_app

main = FlaskGroup(create_app=create_app, add_default_commands=False, help=__doc__)
for verb in (setup, packs, import_records, export_records, check_database):
    main.add_command(verb)
