"""
`make kills-rollback`: kill -9 of the suite at many moments of the rollback, several in a row, then the command again.

Whatever the moments were, production ends as it was before the migration: the text of pg_dump, every file on the disk,
the commits that serve. Moments are chosen by what the ledger has just taken down, and some time after it.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from fixtures.operations.rollback import repoint
from tests_selftest.world import into_a_new_one
from tests_selftest.world.held import HeldWorld, Run, hold
from tests_selftest.world.rollback_round_trip import Look, ask_render, live_commits, look, remove

FROZEN = "udo_production_migrated"
REACHED_WITHIN_S = 120.0
PROGRESS_EVERY_S = 0.004
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


INTO_A_NEW_ONE = (
    ("R.1.2", "verdict", 1, 0.1),
    ("R.3.1", "intent", 1, 0.3),
    ("R.5.1", "intent", 1, 0.3),  # the attempt
    ("R.5.1", "intent", 2, 0.05),  # its transaction has an id
    ("R.5.1", "intent", 2, 0.6),
    ("R.5.1", "done", 1, 0.1),
    ("R.5.2", "intent", 3, 0.05),  # the second old value that is kept
    ("R.5.2", "intent", 8, 0.05),  # the second variable
    ("R.5.2", "intent", 10, 0.2),  # the deploy; host and port are the same here
    ("R.5.2", "intent", 10, 9.0),
    ("R.6.2", "verdict", 1, 0.2),
    ("gate R", "verdict", 1, 0.01),
)
"""The same for a rollback into a new database."""


def moments(dice: random.Random, count: int, known: Sequence[tuple[str, str, int, float]]) -> Iterator[Moment]:
    """That many, each of *known* before one comes twice, in the order of the rollback within a round."""
    while count > 0:
        chosen = sorted(dice.sample(range(len(known)), min(count, len(known))))
        count -= len(chosen)
        for place in chosen:
            subject, kind, nth, most = known[place]
            yield Moment(subject, kind, nth, dice.uniform(0, most))


class Migrated:
    """
    A world whose migration has come to its end, and everything to put it there again.

    Attributes:
        new: The new, empty database to go back into; empty when it is restored in place.
    """

    def __init__(self, folder: Path, *, new_database: bool) -> None:
        self.folder = folder
        self.new: dict[str, Any] = {}
        self.world = hold(folder / "world", folder / "reports", rows=600)
        self.before, self.commits = self.observe(), live_commits(self.world)
        went = self.world.run()
        if went.code != 0:
            raise AssertionError(f"the migration did not come to its end\n{went}")
        self.migrated, self.after = live_commits(self.world), self.observe()
        self._variables = {each["envVar"]["key"]: each["envVar"]["value"] for each in self._of_backend("env-vars")}
        self._freeze()
        if new_database:
            self._make(1)

    def observe(self) -> Look:
        return look(self.world, self.folder / "world")

    def again(self) -> None:
        """Database, disk, ledger, variables and code as after the migration; another new database, if one is wanted."""
        if self.new:
            for name in repoint.CONNECTION_VARIABLES:
                self._of_backend(f"env-vars/{name}", {"value": self._variables[name]}, method="PUT")
            self._make(int(self.new["name"].rpartition("-")[2]) + 1)
        for name, commit in self.migrated.items():
            service = ask_render(self.world, f"/services?name={name}")[0]["service"]["id"]
            ask_render(self.world, f"/services/{service}", {"autoDeploy": "yes"}, method="PATCH")
            if live_commits(self.world)[name] != commit:
                ask_render(self.world, f"/services/{service}/deploys", {"commitId": commit})
        deadline = time.monotonic() + REACHED_WITHIN_S
        while live_commits(self.world) != self.migrated:
            if time.monotonic() > deadline:
                raise AssertionError("the migrated code does not serve again")
            time.sleep(1)
        self._copy(FROZEN, self.world.production_database)
        for name, place in self._folders().items():
            shutil.rmtree(place)
            shutil.copytree(self.folder / "frozen" / name, place)

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a rollback of this kind."""
        return {"ROLLBACK_POSTGRES": self.new["name"]} if self.new else {}

    def differences(self) -> list[str]:
        """What is not as it was before the migration, or, of an old database, as it was after it."""
        if self.new:
            return into_a_new_one.differences(self.world, self.folder / "world", self.new, self.before, self.after)
        return self.observe().differs(self.before)

    def _make(self, number: int) -> None:
        self.new = into_a_new_one.made(self.world, f"udo-db-new-{number}")

    def _of_backend(self, path: str, body: dict[str, str] | None = None, *, method: str = "") -> Any:
        name = self.world.environment["RENDER_BACKEND_SERVICE"]
        service = ask_render(self.world, f"/services?name={name}")[0]["service"]["id"]
        return ask_render(self.world, f"/services/{service}/{path}?limit=100", body, method=method)

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


def killed(world: HeldWorld, moment: Moment, settings: dict[str, str]) -> tuple[str, list[str]]:
    """
    Begin the rollback and kill it at this moment: what it had come to by then, or how it ended before; and, where it
    stopped by itself, which the same command after a kill never should, its last words.
    """
    said = world.reports.parent / "said"
    ledger = next(path for path in (world.reports / "ledger").glob("????????????.jsonl"))
    # What a run killed before has done already does not come again: then a few events of this run are waited for.
    came, begun = _seen(ledger, moment) >= moment.nth, _lines(ledger)
    process = world.begin("-m", "rollback", said=said, **settings)
    deadline = time.monotonic() + REACHED_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        if _lines(ledger) - begun >= SOME if came else _seen(ledger, moment) >= moment.nth:
            break
        time.sleep(PROGRESS_EVERY_S)
    end = time.monotonic() + moment.late_s
    while process.poll() is None and time.monotonic() < end:
        time.sleep(PROGRESS_EVERY_S)
    alive = process.poll() is None
    if alive:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    stopped = not alive and process.returncode != 0
    last = said.read_text(encoding="utf-8", errors="replace")[-1500:].splitlines() or ["it said nothing"]
    return "killed" if alive else f"had ended ({process.returncode})", last if stopped else []


def _lines(ledger: Path) -> int:
    return ledger.read_bytes().count(b"\n")


def _seen(ledger: Path, moment: Moment) -> int:
    wanted = (f'"kind": "{moment.kind}"', f'"subject": "{moment.subject}"')
    return sum(all(word in line for word in wanted) for line in ledger.read_text(encoding="utf-8").splitlines())


def wrong(at: Migrated, run: Run) -> list[str]:
    """What is not as it was before the migration, in words."""
    found = at.differences()
    commits = live_commits(at.world)
    found += [] if commits == at.commits else [f"{commits} serve"]
    said = "ROLLED BACK" in run.text and run.code == 0
    return found if said else [*found, f"the last run ended with {run.code}", run.text[-1500:]]


def main(arguments: list[str]) -> int:
    """0 when every series of kills ended where the migration had begun, and no run stopped that nobody killed."""
    parser = argparse.ArgumentParser(prog="python -m tests_selftest.kills.rollback", description=__doc__)
    parser.add_argument("--new-database", action="store_true", help="back into a new database")
    parser.add_argument("--points", type=int, default=0, help="how many; each known moment once unless given")
    parser.add_argument("--in-a-row", type=int, default=3, help="kills before the command is left to its end")
    parser.add_argument("--seed", type=int, default=20261122)
    asked = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    at = Migrated(folder, new_database=asked.new_database)
    failed = reached = 0
    try:
        known = INTO_A_NEW_ONE if asked.new_database else MOMENTS
        chosen = list(moments(random.Random(asked.seed), asked.points or len(known), known))
        for begin in range(0, len(chosen), asked.in_a_row):
            if begin:
                at.again()
            began = time.monotonic()
            for number, moment in enumerate(chosen[begin : begin + asked.in_a_row], start=begin + 1):
                ended, last = killed(at.world, moment, at.settings)
                reached += ended == "killed"
                failed += bool(last)
                _say(f"{number:>3}  {moment!s:<44} {ended}", *last)
            run = at.world.run("-m", "rollback", **at.settings)
            found = wrong(at, run)
            failed += bool(found)
            _say(f"     then to its end: {'as before, to the last byte' if not found else 'WRONG'}"
                 f"  {time.monotonic() - began:.0f} s", *found)  # fmt: skip
        named = {"RENDER_POSTGRES": at.new["name"]} if at.new else {}
        forward = at.world.run(**named)
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
