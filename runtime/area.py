"""The runtime plugged into the app: its pages and API, its kinds of definition, and the worker."""

from flask import Blueprint, Flask

from ..platform.definitions.kinds import register
from ..platform.events.log import subscribe
from ..platform.outbound.client import Client
from ..platform.packs.story import PLAYERS
from ..platform.records import kinds  # noqa: F401  forms, lists, roles, calendars
from ..platform.records.check import CHECKS
from ..platform.records.trail import SUBJECTS
from ..platform.web.areas import beside
from ..platform.web.navigation import Place, add_places
from ..platform.web.person_links import PERSON_LINKS
from ..platform.web.uploads import KEY as FILES
from .channels import connection_api, connection_pages
from .channels.connections import RIGHT as CONNECT
from .demo.verbs import demo
from .flows import api as flows_api
from .flows import (
    call_api,
    hand_api,
    hand_pages,
    held_pages,
    instance_pages,
    mending_api,
    mending_pages,
    message_pages,
    raise_pages,
)
from .flows import pages as work_pages
from .flows.asides import about_record
from .flows.check import FLOW
from .flows.follow import CONSUMER, wants
from .flows.soundness import CHECKS as FLOW_CHECKS
from .flows.trail import SUBJECT, instances_seen
from .forms import api as records_api
from .forms import export_pages, import_pages, life_pages, list_pages
from .forms import pages as record_pages
from .forms.asides import ASIDES
from .forms.carry import start_resuming
from .forms.view_kind import VIEW
from .printouts import pages as print_pages
from .printouts.check import PRINTOUT
from .reports import api as reports_api
from .reports import pages as report_pages
from .reports.check import REPORT
from .reports.dashboard import DASHBOARD
from .stories.stage import prove
from .work.dispatch import EVENTS
from .work.queues import ring_in
from .work.verbs import work
from .work.worker import start_worker

PARTS = (
    work_pages,
    hand_pages,
    held_pages,
    raise_pages,
    instance_pages,
    mending_pages,
    message_pages,
    record_pages,
    life_pages,
    list_pages,
    export_pages,
    import_pages,
    print_pages,
    report_pages,
    records_api,
    reports_api,
    flows_api,
    hand_api,
    call_api,
    mending_api,
    connection_api,
    connection_pages,
)
PLACES = (
    Place("/", "list-checks", "nav.tasks", order=10),
    Place("/records", "clipboard-list", "nav.records", order=20),
    Place("/reports", "chart-column", "nav.reports", order=30),
    Place("/connections", "external-link", "nav.connections", needs=CONNECT, order=80),
)

area = Blueprint("runtime", __name__, cli_group=None)
area.cli.add_command(work)
area.cli.add_command(demo)
for part in PARTS:
    area.register_blueprint(part.area)


def plug_in(app: Flask) -> None:
    """What the runtime adds to the house before its pages."""
    register(FLOW)
    register(REPORT)
    register(DASHBOARD)
    register(VIEW)
    register(PRINTOUT)
    for tell in (about_record, raise_pages.awaited, print_pages.about_record):
        if tell not in ASIDES:
            ASIDES.append(tell)
    if held_pages.about_person not in PERSON_LINKS:
        PERSON_LINKS.append(held_pages.about_person)
    subscribe(CONSUMER, EVENTS, wants)
    for check in FLOW_CHECKS:
        if check not in CHECKS:
            CHECKS.append(check)
    SUBJECTS[SUBJECT] = instances_seen
    if prove not in PLAYERS:
        PLAYERS.append(prove)
    add_places(app, PLACES)
    allowed = app.extensions["careloom.settings"].outbound
    beside(app, lambda database: start_worker(database, Client(allowed)))
    beside(app, lambda database: start_resuming(database, app.extensions[FILES]))
    redis_url = app.extensions["careloom.settings"].redis_url
    if redis_url:
        ring_in(redis_url)


area.plug_in = plug_in  # type: ignore[attr-defined]
