"""A sample of `make kills` and `make hostile` on one ground; the whole of both takes half an hour."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests_selftest.hostile.trial import Trial
from tests_selftest.kills.gate import Moment
from tests_selftest.kills.kill_world import IMPORTED, Ground
from tests_selftest.kills.points import By, Fault, Point, Task, Undisturbed, tried, undisturbed

IMPORT = Task("import", "import", IMPORTED)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    made = Ground()
    try:
        made.start()
        made.prepare()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def peace(ground: Ground) -> Undisturbed:
    return undisturbed(ground, IMPORT, times=1)


def test_a_killed_import_ends_as_in_peace(ground: Ground, peace: Undisturbed) -> None:
    upload, batch = peace.writes[3], peace.writes[len(peace.writes) // 2]
    points = [
        Point(1, Fault.SUITE, By.HTTP, upload, Moment.DURING),
        Point(2, Fault.CUT, By.HTTP, batch, Moment.AFTER),
    ]
    outcomes = [tried(ground, IMPORT, peace, point) for point in points]
    assert [str(each) for each in outcomes if not each.well or not each.hit] == []


def test_hostile_rows_are_refused_by_their_rule_and_the_good_ones_arrive(ground: Ground, peace: Undisturbed) -> None:
    seen, wrong = Trial(ground).rows(peace.after)
    assert len(seen) >= 80
    assert [str(each) for each in seen if not each.well] == []
    assert wrong == []
