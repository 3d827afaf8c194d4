"""What Render measured of an instance is judged by the load it carries, not by its start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fixtures.operations.site.measure import exclude_startup
from fixtures.systems.render.values import Series

STARTED = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


def judged(measured: tuple[float, ...], *, since: datetime) -> tuple[float, ...]:
    values = tuple((STARTED + timedelta(minutes=place), value) for place, value in enumerate(measured))
    return tuple(value for _, value in exclude_startup(Series({"instance": "a"}, "cpu", values), since=since).values)


@pytest.mark.parametrize(("measured", "left"), [((0.99, 0.4, 0.95), (0.4, 0.95)), ((0.99,), (0.99,)), ((), ())])
def test_the_minute_of_the_start_is_left_out_unless_it_is_all_there_is(
    measured: tuple[float, ...], left: tuple[float, ...]
) -> None:
    assert judged(measured, since=STARTED - timedelta(hours=1)) == left


@pytest.mark.parametrize("within", [-30, 0, 40, 3600])
def test_what_ran_before_the_window_began_is_judged_by_all_its_minutes(within: int) -> None:
    """Its first point is that of the window's first minute, by the clock or by the window."""
    assert judged((0.99, 0.4), since=STARTED + timedelta(seconds=within)) == (0.99, 0.4)
