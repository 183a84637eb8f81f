"""What is done to the cluster while people work, and whether anything was lost by it."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kills.verdict import Verdict, judge

from .cluster import Cluster, Process
from .load import Front, People

ARRIVED_WITHIN = 1800  # seconds, for a machine that has much else to do
FIRST, SECOND = "scale_first", "scale_second"


def there_and_back(wait: str | None) -> list[dict[str, Any]]:
    """Two flows beside the pack's own, which end by themselves: each lead starts the first, that
    starts the second, which ends (after a wait), so that many instances are always in flight."""
    first: list[dict[str, Any]] = [
        {"key": "on", "kind": "action", "do": [{"key": "go", "action": "start", "flow": SECOND}]},
    ]
    second: list[dict[str, Any]] = [
        {
            "key": "said",
            "kind": "action",
            "do": [{"key": "back", "action": "raise", "event": "scale.back"}],
        }
    ]
    if wait:
        second.insert(0, {"key": "pause", "kind": "wait", "for": wait})
    end = {"key": "end", "kind": "end", "result": "arrived"}
    shared = {"format": 1, "subject": "lead_intake"}
    return [
        {**shared, "key": SECOND, "title": "Second", "steps": [*second, end]},
        {
            **shared,
            "key": FIRST,
            "title": "First",
            "start": {"on": "record:submitted"},
            "steps": [*first, end],
        },
    ]


@dataclass
class Figures:
    """What was seen. seconds: by what was waited for."""

    leads: int = 0
    tasks: int = 0
    arrived: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        seen = ", ".join(f"{what} {number}" for what, number in sorted(self.seen.items()))
        waits = ", ".join(f"{what} {wait:.1f} s" for what, wait in self.seconds.items())
        return (
            f"{self.leads} leads and {self.tasks} tasks acknowledged, {self.arrived} instances"
            f" arrived; answers: {seen}; {waits}"
        )


def restart(cluster: Cluster, process: Process, people: People) -> float:
    """A process leaves and comes back while people work; how long it took to leave."""
    took = process.stop()
    process.start(cluster.environment)
    process.wait()
    submitted(people, len(people.acknowledged.leads) + 1)
    return took


def rolling_restart(cluster: Cluster, people: People) -> dict[str, float]:
    """Each process in turn."""
    return {
        f"{process.name} left in": restart(cluster, process, people)
        for process in cluster.processes
    }


def flush(cluster: Cluster) -> None:
    """Redis forgets everything."""
    with cluster.redis.client() as redis:
        redis.flushall()


def submitted(people: People, leads: int) -> None:
    """Wait until so many are, or until nobody submits any more."""
    until(lambda: len(people.acknowledged.leads) >= leads or not people.at_work)


def settled(cluster: Cluster, people: People, front: Front, words: dict[str, float]) -> Figures:
    """Wait for all that follows, and ask whether it is whole; raises AssertionError when not."""
    since = time.monotonic()
    leads = len(people.acknowledged.leads)
    until(lambda: arrived(cluster) == 2 * leads and not left(cluster))
    words["all arrived within"] = time.monotonic() - since
    verdict = judge(cluster.url, people.acknowledged)
    verdict.lost += lost_tasks(cluster, people.completed)
    assert verdict.sound, told(verdict)
    assert leads == cluster.number("SELECT count(*) FROM form_lead_intake")
    one_each = "SELECT count(DISTINCT subject_id) FROM instance WHERE flow_key = '{}'"
    for flow in (FIRST, SECOND, "den_lead_followup"):
        assert cluster.number(one_each.format(flow)) == leads, flow
        assert cluster.number(f"SELECT count(*) FROM instance WHERE flow_key = '{flow}'") == leads
    cluster.careloom("check")
    return Figures(leads, len(people.completed), arrived(cluster), front.seen, words)


def arrived(cluster: Cluster) -> int:
    """Instances of the two flows that have ended as they should."""
    return cluster.number(
        f"SELECT count(*) FROM instance WHERE flow_key IN ('{FIRST}', '{SECOND}')"
        " AND state = 'ended' AND result = 'arrived'"
    )


def left(cluster: Cluster) -> int:
    """What somebody still has to follow up or to seal."""
    return cluster.number(
        "SELECT (SELECT count(*) FROM handoff) + (SELECT count(*) FROM event WHERE seq IS NULL)"
    )


def lost_tasks(cluster: Cluster, completed: dict[int, str | None]) -> list[str]:
    """Tasks that people were told are done, and are not, or otherwise."""
    with cluster.database.read() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT id, outcome FROM task WHERE state = 'done'"
        )
        done = {int(task): outcome for task, outcome in rows}
    return [
        f"task {task}: {outcome}"
        for task, outcome in completed.items()
        if task not in done or done[task] != outcome
    ]


def told(verdict: Verdict) -> str:
    """The first of what is wrong."""
    return "\n".join([*verdict.lost[:10], *verdict.doubled[:10], *verdict.stuck[:10]])


def until(holds: Callable[[], bool], seconds: float = ARRIVED_WITHIN) -> None:
    """Wait for it; AssertionError when it does not come."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)
