"""What people fill in: a lead that has called, and the results of the dental pack's follow-up."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

RESULTS = ("answered", "answered", "no_answer", "busy")
OUTCOMES = {
    "invite": ("booked", "refused", "later"),
    "objection": ("booked", "not_yet"),
    "no_show": ("rebooked", "not_yet"),
    "supervisor_call": ("rebooked", "not_yet"),
}
BOOKING = ("invite", "book", "urgent_book")
WRITTEN = "%Y-%m-%dT%H:%M:%SZ"


def lead(name: str, chance: Random) -> dict[str, Any]:
    """What comes in by telephone: a lead that starts the flow."""
    return {
        "channel": "hotline_400",
        "name": name,
        "mobile": f"1990{chance.randrange(10**7):07d}",
        "pack_kind": "dental",
        "project": ["den_scaling"],
        "received_at": datetime.now(UTC).strftime(WRITTEN),
        "consent_privacy": True,
    }


def result(step: str, chance: Random) -> dict[str, Any]:
    """What completes a task of a step: outcome (None where it has none), values, a comment."""
    outcome = chance.choice(OUTCOMES[step]) if step in OUTCOMES else None
    if step == "invite" and outcome != "booked":
        return {"outcome": outcome, "values": {}, "comment": "以后再说"}
    values: dict[str, Any] = {}
    if step in BOOKING:
        values = _booking(chance)
    elif step != "pool":
        values = _followup(chance)
    return {"outcome": outcome, "values": values}


def _booking(chance: Random) -> dict[str, Any]:
    """An appointment on some day to come."""
    start = datetime.now(UTC) + timedelta(days=chance.randrange(1, 9))
    return {"start_at": start.strftime(WRITTEN)}


def _followup(chance: Random) -> dict[str, Any]:
    """What the person writes down of a call."""
    now = datetime.now(UTC)
    return {
        "method": "call",
        "direction": "out",
        "started_at": now.strftime(WRITTEN),
        "result": chance.choice(RESULTS),
        "summary": "电话沟通",
        "grade_after": chance.choice("ABC"),
        "next_action": "call",
        "next_at": (now + timedelta(hours=2)).strftime(WRITTEN),
    }
