"""
`make kills-rollback`: kill -9 of the suite at many moments of the way back, several in a row, then the command again.

Whatever the moments were, production ends as it was before the migration: the text of pg_dump, every file on the disk,
the commits that serve. Moments are chosen by what the ledger has just taken down, and some time after it.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests_selftest.world.held import ROOT, HeldWorld, Run, hold
from tests_selftest.world.there_and_back import Look, ask_render, live_commits, look, remove

FROZEN = "udo_production_migrated"
REACHED_WITHIN_S = 120.0
LOOK_S = 0.004
SOME = 4
"""Events of a run after which it is killed, when what was to be waited for came in a run before."""


@dataclass(frozen=True)
class Moment:
    """*late_s* after the ledger took down the *nth* event of this kind about this subject."""

    subject: str
    kind: str
    nth: int
    late_s: float

    def __str__(self) -> str:
        return f"{self.kind} of {self.subject}{f' ({self.nth})' if self.nth > 1 else ''} +{self.late_s:.2f} s"


MOMENTS = (
    # subject, kind, nth, at most so much later
    ("R.1.2", "verdict", 1, 0.1),
    ("R.2.1", "intent", 1, 0.1),
    ("R.3.1", "intent", 1, 0.3),
    ("R.3.1", "intent", 2, 4.0),
    ("R.3.1", "done", 2, 6.0),
    ("R.4.1", "intent", 1, 0.05),
    ("R.4.1", "intent", 6, 0.1),
    ("R.5.1", "intent", 1, 0.3),  # the attempt
    ("R.5.1", "intent", 2, 0.05),  # its transaction has an id
    ("R.5.1", "intent", 2, 0.25),
    ("R.5.1", "intent", 2, 0.6),
    ("R.5.1", "done", 1, 0.1),
    ("R.5.2", "intent", 1, 7.0),
    ("R.6.2", "verdict", 1, 0.2),
    ("R.6.4", "verdict", 1, 0.1),
    ("gate 3.3", "revoked", 1, 0.2),
    ("R.7.1", "verdict", 1, 0.02),
    ("gate R", "verdict", 1, 0.01),
)


def moments(dice: random.Random, count: int) -> Iterator[Moment]:
    """That many, each of `MOMENTS` before one comes twice, in the order of the way back within a round."""
    while count > 0:
        chosen = sorted(dice.sample(range(len(MOMENTS)), min(count, len(MOMENTS))))
        count -= len(chosen)
        for place in chosen:
            subject, kind, nth, most = MOMENTS[place]
            yield Moment(subject, kind, nth, dice.uniform(0, most))


class Migrated:
    """A world whose migration has come to its end, and everything to put it there again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = hold(folder / "world", folder / "reports", rows=600)
        self.before, self.commits = self.look(), live_commits(self.world)
        went = self.world.run()
        if went.code != 0:
            raise AssertionError(f"the migration did not come to its end\n{went}")
        self.migrated = live_commits(self.world)
        self._freeze()

    def look(self) -> Look:
        return look(self.world, self.folder / "world")

    def again(self) -> None:
        """Database, disk, ledger and code as after the migration."""
        for name, commit in self.migrated.items():
            service = ask_render(self.world, f"/services?name={name}")[0]["service"]["id"]
            ask_render(self.world, f"/services/{service}", {"autoDeploy": "yes"}, method="PATCH")
            if live_commits(self.world)[name] != commit:
                ask_render(self.world, f"/services/{service}/deploys", {"commitId": commit})
        deadline = time.monotonic() + REACHED_WITHIN_S
        while live_commits(self.world) != self.migrated:
            if time.monotonic() > deadline:
                raise AssertionError("the migrated code does not serve again")
            time.sleep(0.2)
        self._copy(FROZEN, self.world.production_database)
        for name, place in self._folders().items():
            shutil.rmtree(place)
            shutil.copytree(self.folder / "frozen" / name, place)

    def _freeze(self) -> None:
        self._copy(self.world.production_database, FROZEN)
        for name, place in self._folders().items():
            shutil.copytree(place, self.folder / "frozen" / name)

    def _folders(self) -> dict[str, Path]:
        return {"disk": self.folder / "world" / "disk", "ledger": self.folder / "reports" / "ledger"}

    def _copy(self, source: str, target: str) -> None:
        """CREATE DATABASE … TEMPLATE, as soon as nobody is in the source for a moment."""
        owner = "udo_production"
        with psycopg.connect(self.world.environment["SCRATCH_DATABASE_URL"], autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target)))
            for left in range(40, -1, -1):
                server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (source,))
                try:
                    server.execute(
                        sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                            *map(sql.Identifier, (target, source, owner))
                        )
                    )
                    break
                except psycopg.errors.ObjectInUse:
                    if not left:
                        raise
                    time.sleep(0.05)


def killed(world: HeldWorld, moment: Moment) -> str:
    """Begin the way back and kill it at this moment; what it had come to by then, or how it ended before."""
    ledger = next(path for path in (world.reports / "ledger").glob("????????????.jsonl"))
    # What a run killed before has done already does not come again: then a few events of this run are waited for.
    came, begun = _seen(ledger, moment) >= moment.nth, _lines(ledger)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "phases/", "-m", "rollback", "-q", "--target", "staging", "--runs",
         str(world.reports)],
        cwd=ROOT, env={**os.environ, **world.environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + REACHED_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        if _lines(ledger) - begun >= SOME if came else _seen(ledger, moment) >= moment.nth:
            break
        time.sleep(LOOK_S)
    end = time.monotonic() + moment.late_s
    while process.poll() is None and time.monotonic() < end:
        time.sleep(LOOK_S)
    alive = process.poll() is None
    if alive:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return "killed" if alive else f"had ended ({process.returncode})"


def _lines(ledger: Path) -> int:
    return ledger.read_bytes().count(b"\n")


def _seen(ledger: Path, moment: Moment) -> int:
    wanted = (f'"kind": "{moment.kind}"', f'"subject": "{moment.subject}"')
    return sum(all(word in line for word in wanted) for line in ledger.read_text(encoding="utf-8").splitlines())


def wrong(at: Migrated, run: Run) -> list[str]:
    """What is not as it was before the migration, in words."""
    found = at.look().differs(at.before)
    commits = live_commits(at.world)
    found += [] if commits == at.commits else [f"{commits} serve"]
    said = "ROLLED BACK" in run.text and run.code == 0
    return found if said else [*found, f"the last run ended with {run.code}", run.text[-1500:]]


def main(arguments: list[str]) -> int:
    """0 when every series of kills ended where the migration had begun."""
    parser = argparse.ArgumentParser(prog="python -m tests_selftest.kills.way_back", description=__doc__)
    parser.add_argument("--points", type=int, default=len(MOMENTS))
    parser.add_argument("--in-a-row", type=int, default=3, help="kills before the command is left to its end")
    parser.add_argument("--seed", type=int, default=20261122)
    asked = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    at = Migrated(folder)
    failed = reached = 0
    try:
        chosen = list(moments(random.Random(asked.seed), asked.points))
        for begin in range(0, len(chosen), asked.in_a_row):
            if begin:
                at.again()
            began = time.monotonic()
            for number, moment in enumerate(chosen[begin : begin + asked.in_a_row], start=begin + 1):
                ended = killed(at.world, moment)
                reached += ended == "killed"
                _say(f"{number:>3}  {moment!s:<44} {ended}")
            run = at.world.run("-m", "rollback")
            found = wrong(at, run)
            failed += bool(found)
            _say(f"     then to its end: {'as before, to the last byte' if not found else 'WRONG'}"
                 f"  {time.monotonic() - began:.0f} s", *found)  # fmt: skip
        forward = at.world.run()
        _say(f"     and forward again: {'GO' if forward.code == 0 else f'WRONG {forward}'}")
        failed += forward.code != 0
    finally:
        at.world.stop()
        remove(folder / "world")
        shutil.rmtree(folder, ignore_errors=True)
    _say(f"{reached} of {len(chosen)} points killed, {failed} wrong; seed {asked.seed}")
    return 1 if failed else 0


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
