"""A sample of `make kills` and `make hostile` on one ground; the whole of both takes half an hour."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests_selftest.hostile.corpus import FILES
from tests_selftest.hostile.trial import Trial
from tests_selftest.kills.gate import Moment
from tests_selftest.kills.ground import IMPORTED, Ground
from tests_selftest.kills.points import By, Fault, Point, Task, tried, undisturbed


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    made = Ground()
    try:
        made.start()
        made.prepare()
        yield made
    finally:
        made.stop()


def test_hostile_rows_are_refused_by_their_rule_and_the_good_ones_arrive(ground: Ground) -> None:
    trial = Trial(ground)
    seen, wrong = trial.rows()
    assert len(seen) >= 80
    assert [str(each) for each in seen if not each.well] == []
    assert wrong == []
    assert str(trial.broken(FILES[1])).startswith("ok")


def test_a_killed_import_ends_as_in_peace(ground: Ground) -> None:
    task = Task("import", "import", IMPORTED)
    peace = undisturbed(ground, task, times=1)
    upload, batch = peace.writes[3], peace.writes[len(peace.writes) // 2]
    points = [
        Point(1, Fault.DIRECTUS, By.HTTP, upload, Moment.DURING, late_s=0.004),
        Point(2, Fault.SUITE, By.HTTP, upload, Moment.DURING),
        Point(3, Fault.CUT, By.HTTP, batch, Moment.AFTER),
    ]
    outcomes = [tried(ground, task, peace, point) for point in points]
    assert [str(each) for each in outcomes if not each.well or not each.hit] == []
