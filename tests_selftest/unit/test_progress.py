"""A count says how fast it goes and how long it may take yet, once it has run long enough to know."""

from __future__ import annotations

import io

import pytest

from fixtures.plugins import progress
from fixtures.plugins.progress import TerminalProgress


def told(*steps: tuple[float, int], total: int = 100_000) -> list[str]:
    """What is printed when the count is *done* after so many seconds."""
    out, now = io.StringIO(), 0.0
    shown = TerminalProgress(out, clock=lambda: now)
    for at, done in steps:
        now = at
        shown("import", "rows", done, total)
    return [line.strip() for line in out.getvalue().splitlines()]


def test_rate_and_what_is_left_are_told() -> None:
    lines = told((0.0, 0), (1.0, 4_000), (10.0, 40_000), (25.0, 100_000))
    assert lines == [
        "… import · rows 0 of 100,000",
        "… import · rows 40,000 of 100,000 · 4,000/s, 15 s left",
        "… import · rows 100,000 of 100,000 · 4,000/s, 25 s in all",
    ]


def test_a_count_that_begins_again_is_measured_anew() -> None:
    assert told((0.0, 0), (10.0, 40_000), (20.0, 0), (30.0, 10_000))[-1].endswith("· 1,000/s, 1 min 30 s left")


def test_a_slow_count_tells_only_what_is_left() -> None:
    assert told((0.0, 0), (10.0, 1), total=20)[-1] == "… import · rows 1 of 20 · 3 min 10 s left"


def test_what_is_not_counted_has_no_rate() -> None:
    out = io.StringIO()
    TerminalProgress(out, clock=lambda: 5.0)("deploy", "waiting")
    assert out.getvalue().strip() == "… deploy · waiting"


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (190, "3 min 10 s"), (4800, "1 h 20 min")])
def test_times_are_spoken(seconds: float, text: str) -> None:
    assert progress.format_seconds(seconds) == text
