"""`make hostile`: every hostile row and every broken file of the corpus against a real Directus, in each lane."""

from __future__ import annotations

import argparse
import sys

from tests_selftest.hostile.corpus import FILES
from tests_selftest.hostile.trial import Seen, Trial
from tests_selftest.kills.kill_world import Ground


def main(arguments: list[str]) -> int:
    """0 when each case met its rule or arrived, and every row around them is there."""
    parser = argparse.ArgumentParser(prog="python -m tests_selftest.hostile", description=__doc__)
    parser.add_argument("lanes", nargs="*", default=["api", "sql"])
    failed = 0
    for lane in parser.parse_args(arguments).lanes:
        ground = Ground(lane={"IMPORT_LANE": lane})
        try:
            ground.start()
            ground.prepare()
            trial = Trial(ground)
            rows, wrong = trial.rows(trial.clean())
            files = [trial.broken(one) for one in FILES]
        finally:
            ground.stop()
        failed += _told(lane, [*rows, *files], wrong)
    return 1 if failed else 0


def _told(lane: str, seen: list[Seen], wrong: list[str]) -> int:
    bad = sum(not each.well for each in seen) + len(wrong)
    lines = [f"\nlane {lane}: {len(seen)} cases\n", *map(str, seen), *(f"BAD {each}" for each in wrong)]
    lines.append(f"\nlane {lane}: {bad} wrong; every good row {'is there' if not wrong else 'is NOT there'}")
    sys.stdout.write("\n".join(lines) + "\n")
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
