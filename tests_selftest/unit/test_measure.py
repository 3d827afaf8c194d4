"""What Render measured of an instance is judged by the load it carries, not by its start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fixtures.operations.site.measure import without_the_start
from fixtures.systems.render.shapes import Series

STARTED = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(("measured", "judged"), [((0.99, 0.4, 0.95), (0.4, 0.95)), ((0.99,), (0.99,)), ((), ())])
def test_the_minute_of_the_start_is_left_out_unless_it_is_all_there_is(
    measured: tuple[float, ...], judged: tuple[float, ...]
) -> None:
    values = tuple((STARTED + timedelta(minutes=place), value) for place, value in enumerate(measured))
    left = without_the_start(Series({"instance": "a"}, "cpu", values)).values
    assert tuple(value for _, value in left) == judged
