"""`make kills`: harm at many points of the import, in each lane, and of the schema apply; a line for each point."""

from __future__ import annotations

import argparse
import sys
import time

from tests_selftest.kills.kill_world import Ground
from tests_selftest.kills.points import points, tried, undisturbed
from tests_selftest.kills.tasks import TASKS


def main(arguments: list[str]) -> int:
    """0 when every point ended as an undisturbed run does."""
    parser = argparse.ArgumentParser(prog="python -m tests_selftest.kills", description=__doc__)
    parser.add_argument("tasks", nargs="*", choices=[[], *TASKS], default=[])
    parser.add_argument("--points", type=int, default=0, help="points of each task; its own number unless given")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--only", type=int, default=0, help="one point alone, by its number")
    asked = parser.parse_args(arguments)
    failed = 0
    for name in asked.tasks or list(TASKS):
        failed += _one(name, asked)
    return 1 if failed else 0


def _one(name: str, asked: argparse.Namespace) -> int:
    task, usual, lane = TASKS[name]
    ground = Ground(lane=lane)
    failed = reached = 0
    began = time.monotonic()
    try:
        ground.start()
        ground.prepare()
        peace = undisturbed(ground, task)
        count = asked.points or usual
        _say(f"\n{task.name}: {count} points over {peace.http} requests and {peace.postgres} pieces of SQL, "
             f"{peace.seconds:.1f} s undisturbed; seed {asked.seed}\n")  # fmt: skip
        for point in points(peace, count=count, seed=asked.seed):
            if asked.only in (0, point.number):
                outcome = tried(ground, task, peace, point)
                _say(f"{outcome}  {outcome.seconds:.1f} s")
                failed += not outcome.well
                reached += bool(outcome.hit)
                if not outcome.well:
                    _say("".join(f"       run: {run.code} {run.said[:400]}\n" for run in outcome.runs))
    finally:
        ground.stop()
    _say(f"\n{task.name}: {reached} harmed, {failed} wrong; {time.monotonic() - began:.0f} s")
    return failed


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
