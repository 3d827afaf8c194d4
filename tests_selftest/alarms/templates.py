"""
One rehearsal, kept as it was before each task group, and put back for each fault.

The world is copied while it is stopped: its folder, the files of its Postgres, the ledger and the evidence. They have
the same paths when they are put back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fixtures import runbook
from fixtures.embedded_postgres.home import home_for, postgres_binaries, remove_home
from tests_selftest.world.held import ROOT, ROWS, hold

RUN_DEADLINE_S = 300.0


@dataclass(frozen=True)
class Ended:
    """One `pytest phases/`: its exit code and what it printed."""

    code: int
    text: str


class Templates:
    """A folder for one rehearsal; `close` removes all of it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._place = Path(tempfile.mkdtemp(prefix="alarms-"))
        self.world, self.reports = self._place / "world", self._place / "reports"
        self._home = home_for(self.world, postgres_binaries())
        self._say = say

    def prepare(self, groups: set[str]) -> None:
        """Run the rehearsal up to the last of *groups*, and keep the state before each of them."""
        self._boot()
        left, passed = set(groups), list[str]()
        for group in runbook.GROUPS:
            if group.id in left:
                if passed:
                    self._pass(passed)
                    passed = []
                self._copy(self._place, self._home.data, self._kept(group.id))
                left.discard(group.id)
            if not left:
                return
            passed.append(group.id)

    def _boot(self) -> None:
        """The world is made, and stopped again."""
        self._say("a rehearsal is made")
        hold(self.world, self.reports, rows=ROWS).stop()

    def _pass(self, groups: list[str]) -> None:
        self._say(f"the rehearsal passes {groups[0]} to {groups[-1]}")
        ended = self.run(groups)
        if ended.code != 0:
            raise RuntimeError(f"without a fault, {', '.join(groups)} did not pass:\n{ended.text[-4000:]}")

    def put_back(self, group: str) -> None:
        """The rehearsal as it was before *group*."""
        for path in (self.world, self.reports, self._home.data):
            shutil.rmtree(path, ignore_errors=True)
        self._copy(self._kept(group), self._kept(group) / "data", self._place, back=True)

    def run(self, groups: list[str] | tuple[str, ...], *options: str, **variables: str) -> Ended:
        """`pytest` over the modules of these groups."""
        argv = [sys.executable, "-m", "pytest", *(str(_module(each)) for each in groups), "--target", "rehearsal"]
        argv += ["--world", str(self.world), "--runs", str(self.reports), "--rows", str(ROWS), "-q", "--color=no"]
        done = subprocess.run(
            [*argv, *options],
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "200", **variables},
            capture_output=True,
            text=True,
            timeout=RUN_DEADLINE_S,
            check=False,
        )
        return Ended(done.returncode, done.stdout + done.stderr)

    def close(self) -> None:
        argv = [sys.executable, "-m", "fixtures.world", "remove", "--root", str(self.world)]
        subprocess.run(argv, cwd=ROOT, capture_output=True, check=False)
        remove_home(self._home)
        shutil.rmtree(self._place, ignore_errors=True)

    def _kept(self, group: str) -> Path:
        return self._place / "kept" / group

    def _copy(self, of: Path, data: Path, to: Path, *, back: bool = False) -> None:
        """Copies the three parts; `cp` keeps owners, and shares blocks where the file system can."""
        to.mkdir(parents=True, exist_ok=True)
        for source, target in (
            (of / "world", to / "world"),
            (of / "reports", to / "reports"),
            (data, self._home.data if back else to / "data"),
        ):
            if source.exists():
                subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)


def _module(group: str) -> Path:
    (found,) = (ROOT / "phases").glob(f"test_{group.replace('.', '_')}_*.py")
    return found.relative_to(ROOT)
