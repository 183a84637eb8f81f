"""A report counts and sums values that are worked out when read like those that are kept."""

from decimal import Decimal

import make

from careloom.platform.definitions.kinds import register
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.submit import change
from careloom.platform.store.database import Database
from careloom.runtime.reports.check import REPORT
from careloom.runtime.reports.run import run_report

LEVELS = {"x_options": make.fixed("gold", "silver")}
GUEST = {"name": make.field(), "level": make.field("choice", **LEVELS), "owes": make.field("money")}
STAY = {
    "guest": make.link("guest"),
    "level": make.field("choice", x_value="guest.level", **LEVELS),
    "owes": make.field("money", x_value="guest.owes / 4"),
}


def test_a_report_groups_sums_and_narrows_by_live_values(database: Database) -> None:
    register(REPORT)
    make.organisation(database)
    make.publish(database, "form", make.form("guest", GUEST, x_label="name"))
    make.publish(database, "form", make.form("stay", STAY))
    measures = [{"key": kind, "title": kind, "kind": kind, "of": "owes"} for kind in ("sum", "max")]
    report = {"format": 1, "key": "owed", "title": "Owed", "form": "stay", "where": "owes > 1"}
    by = {"dimensions": [{"key": "level", "field": "level"}], "measures": measures}
    make.publish(database, "report", report | by)
    whole = [make.rule("all", "read")]
    forms = {"guest": whole, "stay": whole}
    make.publish(database, "role", make.role("reader", forms, ["reports.read:*"]))
    blind = {"guest": [make.rule("all", "read", owes="hidden")], "stay": whole}
    make.publish(database, "role", make.role("blind", blind, ["reports.read:*"]))
    guests = [
        make.record(database, "guest", name=name, level=level, owes=owes)
        for name, level, owes in (("a", "gold", "10"), ("b", "silver", "41"), ("c", "gold", "2"))
    ]
    for guest in (*guests, guests[0]):
        make.record(database, "stay", guest=str(guest.id))
    reader, other = (make.person(database, key, "G", key) for key in ("reader", "blind"))

    def asked(who: object) -> dict[object, list[object]]:
        with database.read() as session:
            answer = run_report(session, who, "owed", None)  # type: ignore[arg-type]
            return {group.keys[0]: list(group.numbers.values()) for group in answer.groups}

    assert asked(reader) == {
        "gold": [Decimal("5.00"), Decimal("2.50")],
        "silver": [Decimal("10.25"), Decimal("10.25")],
    }
    assert asked(other) == {}, "what they may not read is blank, and blank is not above one"
    database.write(lambda s: change(s, SYSTEM, "guest", guests[2].id, {"owes": "100"}))
    assert asked(reader)["gold"] == [Decimal("30.00"), Decimal("25.00")]
