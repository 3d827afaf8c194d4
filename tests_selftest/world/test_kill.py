"""kill -9 at any moment leaves no process behind, and the same command brings the migration to its end."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests_selftest.world.held import ROOT, gone, kill_group, processes_of, pytest_phases

pytestmark = pytest.mark.order("third")

ROWS = 600
# Seconds of work before each kill; the ledger, not the clock, says later how far it had come.
MOMENTS = (9.0, 24.0, 33.0)


def test_killed_runs_leave_nothing_behind_and_the_last_one_finishes(tmp_path: Path) -> None:
    world, reports = tmp_path / "world", tmp_path / "reports"
    arguments = ["--world", str(world), "--runs", str(reports), "--rows", str(ROWS)]
    reached = []
    for moment in MOMENTS:
        suite = subprocess.Popen(
            [sys.executable, "-m", "pytest", "phases/", "-q", "-x", *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_ledger(suite, reports, moment + random.uniform(0, 3))
        kill_group(suite)
        identity = json.loads((world / "world.json").read_text())["world"]
        assert gone(identity) == [], "a process outlived the kill"
        reached.append(len(lines_passed(reports)))
    finished = pytest_phases(*arguments)
    assert finished.code == 0, finished
    identity = json.loads((world / "world.json").read_text())["world"]
    assert gone(identity) == []
    assert processes_of(identity) == []
    assert max(reached) > 20, f"every kill came before the work began: {reached}"


def wait_for_ledger(suite: subprocess.Popen[bytes], reports: Path, seconds: float) -> None:
    """Let it work for *seconds* after its first verdict of this run, or until it ends by itself."""
    began, deadline = len(lines_passed(reports)), time.monotonic() + 240
    while len(lines_passed(reports)) == began and suite.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    end = time.monotonic() + seconds
    while suite.poll() is None and time.monotonic() < end:
        time.sleep(0.1)


def lines_passed(reports: Path) -> list[str]:
    ledgers = list((reports / "ledger").glob("*.jsonl")) if reports.exists() else []
    return [line for ledger in ledgers for line in ledger.read_text().splitlines() if '"kind": "verdict"' in line]


@pytest.mark.parametrize("signal_name", ["SIGINT", "SIGTERM"])
def test_a_world_that_is_asked_to_stop_leaves_nothing(tmp_path: Path, signal_name: str) -> None:
    import signal

    from tests_selftest.world.held import hold

    held = hold(tmp_path / "world", tmp_path / "reports", rows=ROWS)
    identity = held.ready["world"]
    assert processes_of(identity) != []
    held.process.send_signal(getattr(signal, signal_name))
    held.process.wait(60)
    assert gone(identity) == []
