"""The careloom command: the platform's verbs, and those each area brings along."""

from flask.cli import FlaskGroup

from .verbs.backup import backup, restore
from .verbs.jobs import jobs
from .verbs.keys import keys
from .verbs.packs import packs
from .verbs.people import people, tokens
from .verbs.records import check_database, export_records, import_records
from .verbs.run import run, show_settings
from .verbs.setup import setup
from .verbs.stories import stories
from .verbs.units import units
from .web.app import create_app

main = FlaskGroup(create_app=create_app, add_default_commands=False, help=__doc__)
VERBS = (
    setup,
    run,
    show_settings,
    units,
    people,
    tokens,
    packs,
    stories,
    import_records,
    export_records,
    check_database,
    jobs,
    keys,
    backup,
    restore,
)
for verb in VERBS:
    main.add_command(verb)
