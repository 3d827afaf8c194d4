"""Between 1.3 and 4.3 a file of the export is read at most six times, and a row decoded at most five times."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests_selftest.world import reading_counter, settings_recorder
from tests_selftest.world.held import ROWS, pytest_phases

pytestmark = pytest.mark.order("fourth")

PHASES = ("-m", "phase1 or phase2 or phase3 or phase4")
MOST_PASSES, MOST_DECODES = 6, 5
ALWAYS_READ = ("1.3.3", "4.1.2", "4.3.1", "4.3.A7")
"""Lines that must see the file itself: it is what was exported, its rows are valid, and they are in production."""


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_files_are_read_and_rows_decoded_a_few_times(lane: str, tmp_path: Path) -> None:
    world, counts, used = tmp_path / "world", tmp_path / "readings.json", tmp_path / "settings.json"
    run = pytest_phases(
        "-p", reading_counter.__name__, "-p", settings_recorder.__name__,
        "--world", str(world), "--runs", str(tmp_path / "reports"), "--rows", str(ROWS), *PHASES,
        IMPORT_LANE=lane, **{reading_counter.OUTPUT: str(counts), settings_recorder.OUTPUT: str(used)},
    )  # fmt: skip
    assert run.code == 0, run
    first = json.loads(used.read_text())
    assert {
        "user_map": "4.1",
        "conflict_policy": "4.1",
        "import_lane": "1.3",
        "flow_policy": "1.3",
    }.items() <= first.items()
    assert settings_recorder.too_early(first) == {}
    found: dict[str, dict[str, Any]] = json.loads(counts.read_text())
    table = shown(found)
    print(table)  # noqa: T201 - what a reader wants to see of it
    assert len(found) > 10, "no file was seen, so this proves nothing"
    for name, each in found.items():
        assert sum(line["passes"] for line in each["lines"].values()) <= MOST_PASSES, (name, table)
        assert [line for line in ALWAYS_READ if each["lines"].get(line, {}).get("passes", 0) < 1] == [], (name, table)
    # A row production has with other values is read once more by each comparison that names its columns.
    named = conflicts(world)
    assert {name: more for name, each in found.items() if (more := often(each)) > named[name]} == {}, table


def often(table: dict[str, Any]) -> int:
    """How many rows of a collection were decoded more than five times."""
    return sum(rows for times, rows in table["decoded"].items() if int(times) > MOST_DECODES)


def conflicts(world: Path) -> Counter[str]:
    """By collection, the conflicts of the plan this run has written."""
    (plan,) = world.rglob("migration/import-plan.json")
    return Counter(each["collection"] for each in json.loads(plan.read_text())["conflicts"])


def shown(found: dict[str, dict[str, Any]]) -> str:
    """A line of the runbook a line: passes of the file, and decodes of a row (mean, and of the row with most)."""
    lines = sorted({line for each in found.values() for line in each["lines"]})
    head = f"{'':8}" + "".join(f"{name[:14]:>15}" for name in found)
    body = [f"{line:8}" + "".join(f"{_cell(each['lines'].get(line)):>15}" for each in found.values()) for line in lines]
    return "\n".join([head, *body])


def _cell(counted: dict[str, float] | None) -> str:
    return f"{counted['passes']:.1f}p {counted['mean']:.1f}/{counted['most']:.0f}" if counted else "-"
