"""`careloom demo` crashed at a point and run again ends as a load that nothing broke.

`make soak` crashes it at more points; `python -m kills.demo_load` kills it at random moments, on
either kind of database.
"""

import random
from collections.abc import Callable

import pytest
from kills.crash_points import POINTS
from kills.demo_load import Clinic, clinic, difference
from kills.longer import FEW, seed, times
from kills.nursery import KILLED

MOST = 25  # of each kind: a load has hundreds of points, and each takes two loads


@pytest.mark.timeout(3600)
def test_a_demo_load_that_crashes_goes_on_where_it_was(
    record_property: Callable[[str, object], None],
) -> None:
    wanted = min(times("POINTS"), MOST)
    points = POINTS if wanted > int(FEW["POINTS"]) else ("after_commit",)
    with clinic("sqlite:///{home}/careloom.db") as made:
        crashed = sum(crash(made, point, wanted) for point in points if made.passed[point])
    assert crashed >= wanted - 1
    record_property("crash points", crashed)


def crash(made: Clinic, point: str, most: int) -> int:
    """Crash at so many points of one name, spread over the whole load; how many it were."""
    chance, every, crashed = random.Random(shown := seed()), made.passed[point], 0
    step = every / most
    for part in range(most):
        number = min(every, int(part * step + chance.uniform(0, step)) + 1)
        with made.fresh() as site:
            died = site.ended(point, number).process.exitcode
            again = site.ended()
            assert again.process.exitcode == 0, again.words()
            wrong = difference(made.unbroken, site.outcome())
        at = f"{point} {number} of {every}, seed {shown}"
        # The worker's batches are cut by time, so one load has fewer points than another: on a busy
        # machine the last of them may not come.
        assert died == KILLED or number > 0.7 * every, at
        assert wrong == [], (at, wrong[:10])
        crashed += died == KILLED
    return crashed
