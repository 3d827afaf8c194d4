"""`make alarms`: each fault of the table, done to a rehearsal of its own; the lines that turn red, and no others."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

from tests_selftest.alarms import page
from tests_selftest.alarms.alarm import Alarm
from tests_selftest.alarms.ring import Heard, ring
from tests_selftest.alarms.table import ALARMS
from tests_selftest.alarms.templates import Templates


def main(arguments: list[str]) -> int:
    """0 when every fault turned exactly its lines red."""
    parser = argparse.ArgumentParser(prog="python -m tests_selftest.alarms", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="beginnings of names, such as 4.3 or 4.3.A2")
    parser.add_argument("--jobs", type=int, default=2, help="rehearsals side by side")
    parser.add_argument("--write", action="store_true", help="docs/reference/alarms.md, when all were heard")
    asked = parser.parse_args(arguments)
    chosen = [alarm for alarm in ALARMS if not asked.only or any(alarm.name.startswith(each) for each in asked.only)]
    began = time.monotonic()
    heard = _rung(chosen, asked.jobs)
    wrong = [each for each in heard if not each.well]
    spent = time.monotonic() - began
    say(f"\n{len(heard)} faults in {spent:.0f} s, {spent / len(heard):.1f} s each: {len(heard) - len(wrong)} heard,"
        f" {len(wrong)} wrong")  # fmt: skip
    say(page.unproven(each.alarm for each in heard))
    if asked.write and not wrong:
        page.write(heard)
    return 1 if wrong else 0


def _rung(chosen: list[Alarm], jobs: int) -> list[Heard]:
    free: SimpleQueue[Templates] = SimpleQueue()
    made = [Templates(say) for _ in range(min(jobs, len(chosen)))]
    groups = {alarm.groups[0] for alarm in chosen}

    def one(alarm: Alarm) -> Heard:
        templates = free.get()
        try:
            found = ring(templates, alarm)
        finally:
            free.put(templates)
        say(str(found))
        return found

    try:
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda each: each.prepare(groups), made))
            for each in made:
                free.put(each)
            return list(pool.map(one, chosen))
    finally:
        for each in made:
            each.close()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
