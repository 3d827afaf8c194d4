"""kill -9 of a run that made its own world leaves no process behind, and the same command goes on in that world."""

from __future__ import annotations

import json
import random
import subprocess
import time
from pathlib import Path

import pytest

from tests_selftest.world.held import ROWS, begin_phases, gone, kill_group, processes_of, pytest_phases

pytestmark = pytest.mark.order("fourth")

# Of work before the kill: anywhere in the first phase. `make kills` is for every other moment and every other victim.
SECONDS = (1.0, 14.0)


def test_a_killed_run_leaves_nothing_behind_and_the_same_command_finishes(tmp_path: Path) -> None:
    world, reports = tmp_path / "world", tmp_path / "reports"
    arguments = ["--world", str(world), "--runs", str(reports), "--rows", str(ROWS), "-m", "phase1"]
    suite = begin_phases(*arguments)
    work_a_while(suite, reports, random.uniform(*SECONDS))
    running = processes_of(json.loads((world / "world.json").read_text())["world"])
    kill_group(suite)
    assert len(running) >= 3, "there was no Postgres and no two instances of Directus to leave behind"
    reached = len(verdicts(reports))
    assert reached > 0
    identity = json.loads((world / "world.json").read_text())["world"]
    assert gone(identity) == [], "a process outlived the kill"

    finished = pytest_phases(*arguments)

    assert finished.code == 0, finished
    assert json.loads((world / "world.json").read_text())["world"] == identity, "another world was made"
    assert gone(identity) == []
    assert len(verdicts(reports)) > reached


def work_a_while(suite: subprocess.Popen[bytes], reports: Path, seconds: float) -> None:
    """Let it work for *seconds* after its first verdict, or until it ends by itself."""
    deadline = time.monotonic() + 240
    while not verdicts(reports) and suite.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    end = time.monotonic() + seconds
    while suite.poll() is None and time.monotonic() < end:
        time.sleep(0.1)


def verdicts(reports: Path) -> list[str]:
    ledgers = list((reports / "ledger").glob("*.jsonl")) if reports.exists() else []
    return [line for ledger in ledgers for line in ledger.read_text().splitlines() if '"kind": "verdict"' in line]
