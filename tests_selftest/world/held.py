"""A world held open by a test, acted on by real `pytest phases/` processes from outside, as a person would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psycopg

ROOT = Path(__file__).resolve().parents[2]
PHASES = (sys.executable, "-m", "pytest", "phases/", "-q", "--color=no")
BOOT_DEADLINE_S = 420.0
RUN_DEADLINE_S = 420.0
ROWS = 600
"""Of every world of the self-tests, so that its seed is built once."""


@dataclass(frozen=True, repr=False)
class Run:
    """One finished `pytest phases/`: its exit code, its outcomes by word, and what it printed."""

    code: int
    outcomes: dict[str, int]
    text: str

    def __repr__(self) -> str:
        """What a failed assertion shows: the end of the run in its own words."""
        return f"exit {self.code}, {self.outcomes}\n{self.text[-6000:]}"

    __str__ = __repr__


@dataclass
class HeldWorld:
    """`python -m fixtures.world up` whose ready line was read."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    reports: Path
    last: deque[str] = field(default_factory=lambda: deque(maxlen=20))

    @property
    def environment(self) -> dict[str, str]:
        return {str(k): str(v) for k, v in self.ready["environment"].items()}

    def run(self, *arguments: str, **variables: str) -> Run:
        """`pytest phases/ --target staging` against this world, configured by variables alone."""
        return pytest_phases(
            "--target", "staging", "--runs", str(self.reports), *arguments, **{**self.environment, **variables}
        )

    def begin(self, *arguments: str, said: Path | None = None, **variables: str) -> subprocess.Popen[bytes]:
        """The same, not waited for: whoever begins it ends it."""
        target = ("--target", "staging", "--runs", str(self.reports))
        return begin_phases(*target, *arguments, said=said, **{**self.environment, **variables})

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One call of the back door: traffic, faults, mailbox."""
        data = json.dumps(body).encode() if body is not None else None
        request = Request(f"{self.ready['control']}/{path}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        with urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement in the production database, as its superuser: an independent look, or an accident."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    @property
    def superuser_url(self) -> str:
        server, _, _ = self.environment["SCRATCH_DATABASE_URL"].rpartition("/")
        return f"{server}/{self.production_database}"

    @property
    def production_database(self) -> str:
        return str(self.ready.get("production_database", "udo_production"))

    def stop(self) -> None:
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait(60)


def hold(folder: Path, reports: Path, *, rows: int) -> HeldWorld:
    """Boot a world in *folder* and keep it until `stop`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fixtures.world", "up", "--root", str(folder), "--rows", str(rows)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: deque[str] = deque(maxlen=30)
    timer = threading.Timer(BOOT_DEADLINE_S, process.kill)
    timer.start()
    try:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            event = json.loads(line) if line.startswith("{") else {}
            if event.get("event") == "ready":
                held = HeldWorld(process, event, reports)
                threading.Thread(target=held.last.extend, args=(process.stdout,), daemon=True).start()
                return held
            if event.get("event") == "failed":
                break
    finally:
        timer.cancel()
    process.kill()
    raise AssertionError("the world did not come up:\n" + "\n".join(lines))


def pytest_phases(*arguments: str, **variables: str) -> Run:
    """Run the phases in a process of their own and wait for the end."""
    done = subprocess.run(
        [*PHASES, *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **variables},
        capture_output=True,
        text=True,
        timeout=RUN_DEADLINE_S,
        check=False,
    )
    text = done.stdout + done.stderr
    return Run(done.returncode, outcomes(text), text)


def begin_phases(*arguments: str, said: Path | None = None, **variables: str) -> subprocess.Popen[bytes]:
    """Begin a run of the phases; what it prints goes into the file *said*, or nowhere."""
    with (said or Path(os.devnull)).open("wb") as output:
        return subprocess.Popen(
            [*PHASES, *arguments], cwd=ROOT, env={**os.environ, **variables}, stdout=output, stderr=subprocess.STDOUT
        )


def outcomes(text: str) -> dict[str, int]:
    """{"passed": 222, "not reached": 3}: pytest's closing line by words."""
    closing = next((line for line in reversed(text.splitlines()) if re.search(r" in [0-9.]+s", line)), "")
    found = re.findall(r"(\d+) ([a-z]+(?: [a-z]+)?)(?=,| in )", closing)
    return {word: int(number) for number, word in found}


def processes_of(world: str) -> list[str]:
    """Every process that carries the world's mark in its environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if f"WORLD_ID={world}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append(f"{entry.name} {(entry / 'cmdline').read_bytes().replace(bytes(1), b' ').decode()[:90]}")
        except OSError:
            continue
    return found


def gone(world: str, *, within_s: float = 30.0) -> list[str]:
    """What is still running of a world after *within_s* seconds; empty when it went."""
    end = time.monotonic() + within_s
    while (left := processes_of(world)) and time.monotonic() < end:
        time.sleep(0.2)
    return left


def kill_group(process: subprocess.Popen[Any]) -> None:
    """kill -9, nothing softer; only the process itself, so that its children must find out alone."""
    process.kill()
    process.wait()
