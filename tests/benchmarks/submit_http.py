"""A lead submitted over HTTP at 16 connections, against a bare Flask + SQLAlchemy insert.

Ours is the API as a program uses it: access token, Idempotency-Key, permission, validation,
computed and encrypted values, history, event, and the handoff by which a flow starts. Each server
is one process of granian with 16 threads over the same durable PostgreSQL; the reference's table
has the same columns and indexes. With `--no-work` the flows are left to a worker elsewhere; the
second line has it inside the same process, starting an instance for each lead.
"""

from collections.abc import Iterator

from .measure import Result
from .serving import Asked, bare_run, careloom_run, clinic, in_turns, post

LEAD = {
    "channel": "hotline_400",
    "external_id": "bench-{n}",
    "name": "客户{n}",
    "mobile": "13800001234",
    "gender": "female",
    "age": 34,
    "city": "上海",
    "pack_kind": "dental",
    "project": ["den_implant_std"],
    "budget": "k10_30",
    "expected_time": "month",
    "demand": "右下后牙缺失，想了解种植",
    "received_at": "2026-03-03T10:00:00+08:00",
    "consent_privacy": True,
    "consent_marketing": False,
}
GOAL = "≤ 2 (half its rate)"


def results() -> Iterator[Result]:
    """Submitting alone, then with the flows that start beside it."""
    with clinic() as at, bare_run(at) as bare:
        ours = post("/api/records/lead_intake", LEAD, at.token("agent"))
        theirs = Asked(bare, post("/leads", LEAD), 201)
        for words, beside, goal in (
            (("--no-work",), "flows by a worker elsewhere", GOAL),
            ((), "its flow started beside it", ""),
        ):
            with careloom_run(at, *words) as server:
                costs = in_turns(Asked(server, ours, 201), theirs)
            what = f"submit over HTTP, 16 connections, {beside}"
            yield Result(what, costs[0], "bare Flask + SQLAlchemy insert", costs[1], goal)
