"""kill -9 of a run that made its own world leaves no process behind, and the same command goes on in that world."""

from __future__ import annotations

import json
import random
import subprocess
import time
from pathlib import Path

import pytest

from fixtures import runbook
from tests_selftest.world.held import ROWS, begin_phases, gone, kill_group, processes_of, pytest_phases

pytestmark = pytest.mark.order("fourth")

# Code and backup: git, the command line of Directus, dumps, deploys, a browser. The story kills an import, `make kills`
# everything else.
MARKED = ("-m", "phase1 or phase2")
LINES = sum(len(runbook.lines_of(group.id)) + 1 for group in runbook.GROUPS if group.id < "3")
DEADLINE_S = 240.0


def test_a_killed_run_leaves_nothing_behind_and_the_same_command_finishes(tmp_path: Path) -> None:
    world, reports = tmp_path / "world", tmp_path / "reports"
    arguments = ["--world", str(world), "--runs", str(reports), "--rows", str(ROWS), *MARKED]
    suite = begin_phases(*arguments)
    try:
        reached = work_until(random.randint(1, LINES - 10), suite, reports)
        identity = json.loads((world / "world.json").read_text())["world"]
        running = processes_of(identity)
    finally:
        kill_group(suite)
    assert len(running) >= 3, f"no Postgres and no two instances of Directus were left alone at {reached}"
    assert gone(identity) == [], f"a process outlived the kill at {reached}"

    finished = pytest_phases(*arguments)

    assert finished.code == 0, (reached, finished)
    assert finished.outcomes["passed"] == LINES
    assert json.loads((world / "world.json").read_text())["world"] == identity, "another world was made"
    assert gone(identity) == []


def work_until(lines: int, suite: subprocess.Popen[bytes], reports: Path) -> list[str]:
    """Wait until the run has judged so many lines; the last three of them."""
    began, deadline = len(verdicts(reports)), time.monotonic() + DEADLINE_S
    while len(verdicts(reports)) - began < lines:
        assert suite.poll() is None, f"it ended by itself before line {lines}"
        assert time.monotonic() < deadline, f"line {lines} was not reached within {DEADLINE_S:.0f} s"
        time.sleep(0.02)
    return verdicts(reports)[-3:]


def verdicts(reports: Path) -> list[str]:
    """The lines that were judged so far, by id."""
    ledgers = (reports / "ledger").glob("*.jsonl") if reports.exists() else []
    lines = [line for ledger in ledgers for line in ledger.read_text().splitlines() if '"kind": "verdict"' in line]
    return [json.loads(line)["subject"] for line in lines if line.endswith("}")]
