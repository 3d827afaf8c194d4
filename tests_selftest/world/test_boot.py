"""The world boots, survives a kill of its holder, is the same after it, and leaves neither process nor port behind."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.process.supervise import marked
from tests_selftest.world.held import ROWS

pytestmark = pytest.mark.order("fifth")

ROOT = Path(__file__).resolve().parents[2]
BOOT_DEADLINE_S = 420.0
END_DEADLINE_S = 30.0


class Holder:
    """`python -m fixtures.world up`, and the last event it told."""

    def __init__(self, folder: Path) -> None:
        argv = [sys.executable, "-m", "fixtures.world", "up", "--root", str(folder), "--rows", str(ROWS)]
        self.process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.told: dict[str, Any] = {}
        timer = threading.Timer(BOOT_DEADLINE_S, self.process.kill)
        timer.start()
        for line in self.process.stdout or ():
            self.told = json.loads(line)
            if self.told["event"] != "progress":
                break
        timer.cancel()

    def end(self) -> int:
        """Let go, as a holder that dies does; the exit code."""
        if self.process.stdin:
            self.process.stdin.close()
        return self.process.wait(END_DEADLINE_S)


def becomes_empty(variable: str) -> bool:
    deadline = time.monotonic() + END_DEADLINE_S
    while marked(variable) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not marked(variable)


def ports_of(told: dict[str, Any]) -> set[int]:
    text = json.dumps([told["environment"], told["control"], told["site"]])
    return {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", text)}


def triggered(ports: set[int]) -> set[int]:
    found = set()
    for port in ports:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found.add(port)
    return found


def close(ports: set[int]) -> bool:
    """Whether they close in time: Postgres' own children end only when they notice that it is gone."""
    deadline = time.monotonic() + END_DEADLINE_S
    while triggered(ports) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not triggered(ports)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "world"
    subprocess.run(
        [sys.executable, "-m", "fixtures.world", "remove", "--root", str(tmp_path / "world")], cwd=ROOT, check=True
    )


def test_a_world_boots_survives_a_kill_and_comes_back_the_same(folder: Path) -> None:
    first = Holder(folder)
    assert first.told["event"] == "ready", first.told
    assert first.told["state"] == "fresh"
    marker = f"WORLD_ID={first.told['world']}"
    ports = ports_of(first.told)
    assert len(ports) == 8
    assert triggered(ports) == ports
    environment = first.told["environment"]
    sections = f"{environment['DIRECTUS_URL']}/items/sections?limit=1"
    assert httpx.get(sections).status_code == 200
    assert httpx.get(first.told["site"]).status_code == 200

    second = Holder(folder)
    assert (second.told["event"], second.told["code"]) == ("failed", "WLD-003")
    assert second.end() == 1

    first.process.kill()
    first.process.wait(END_DEADLINE_S)
    assert becomes_empty(marker)
    assert close(ports)

    third = Holder(folder)
    assert third.told["event"] == "ready", third.told
    assert third.told["state"] == "resumed"
    assert third.told["environment"] == environment
    assert third.told["people"] == first.told["people"]
    assert httpx.get(sections).status_code == 200

    third.process.send_signal(signal.SIGINT)
    assert third.process.wait(END_DEADLINE_S) == 0
    assert becomes_empty(marker)
    assert close(ports)


def test_boots_that_are_broken_off_leave_nothing_and_do_not_matter(folder: Path) -> None:
    for after_s in (0.7, 3.0):
        argv = [sys.executable, "-m", "fixtures.world", "up", "--root", str(folder), "--rows", str(ROWS)]
        process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        time.sleep(after_s)  # the moment is the point of the test, not a wait for something
        process.kill()
        process.wait(END_DEADLINE_S)
        state = folder / "world.json"
        if state.exists():
            assert becomes_empty(f"WORLD_ID={json.loads(state.read_text())['world']}")
    again = Holder(folder)
    assert again.told["event"] == "ready", again.told
    ports = ports_of(again.told)
    again.process.send_signal(signal.SIGTERM)
    assert again.process.wait(END_DEADLINE_S) == 0
    assert becomes_empty(f"WORLD_ID={again.told['world']}")
    assert close(ports)
