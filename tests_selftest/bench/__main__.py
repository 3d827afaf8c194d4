"""
`make bench`: the ways rows can come into a Directus, side by side in one run, on a real one.

Every round measures every way, so that a machine that slows down slows all of them, and every other round goes through
them backwards, so that none is always the one before; what is printed are medians with the slowest and the fastest
round.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from fixtures.world.seed import people
from fixtures.world.seed.rows import Rows, local_rows
from tests_selftest.bench import big, files, large
from tests_selftest.bench.exports import exports
from tests_selftest.bench.stand import Stand
from tests_selftest.bench.ways import WAYS, Load, verification
from tests_selftest.bench.whole import BASELINE, checked_out

FEW, SOME, MANY = 300, 9000, 200_000
SIZES = {"script": FEW, "sequential": SOME, "raw": SOME, "import": SOME // 2, "api": SOME, "copy": MANY, "sql": MANY}
TOLD = {
    "script": "the runbook's script: GET each item, then POST it",
    "sequential": "batches of 100, one after the other",
    "raw": "batches of 100, four in flight, no safety: the API's ceiling",
    "import": "/utils/import, a file a collection",
    "api": "lane api",
    "copy": "plain COPY: Postgres' own floor",
    "sql": "lane sql",
}


def main(arguments: list[str]) -> int:
    """0 when every target is met."""
    parser = argparse.ArgumentParser(prog="python -m tests_selftest.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--only", nargs="*", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--big", action="store_true", help="1,000,000 rows through lane sql, 100,000 through lane api")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of --big, through lane sql")
    words = "the runbook in a production of 2,000,000 rows, beside an older commit"
    parser.add_argument("--large-production", action="store_true", help=words)
    parser.add_argument("--production-rows", type=int, default=large.ROWS, help="of --large-production")
    parser.add_argument("--baseline", default=large.BASELINE, help="of --large-production: the older commit")
    parser.add_argument("--lanes", nargs="*", choices=["sql", "api"], default=["sql", "api"], help="of --big")
    asked = parser.parse_args(arguments)
    if asked.large_production:
        return large.main(asked.production_rows, asked.baseline)
    if asked.big:
        return big.main(asked.rows, asked.lanes)
    began = time.monotonic()
    rows = flat(local_rows(7, MANY * 10 // 9, editor=people.key_of("local", "editor")))
    stand = Stand()
    try:
        stand.start({name: content for name, content in rows.items() if name not in files.WORKLOAD})
        with tempfile.TemporaryDirectory(prefix="bench-export-") as folder, checked_out(BASELINE) as baseline:
            loads = {
                size: Load(
                    stand, Path(folder) / str(size), files.write(Path(folder) / str(size), stand.snapshot, rows, size)
                )
                for size in sorted(set(SIZES.values()))
            }
            rates, verified, faster = _measure(stand, loads, asked.only, asked.rounds, baseline)
    finally:
        stand.stop()
    return _report(rates, verified, faster, asked.rounds, time.monotonic() - began)


def flat(rows: Rows) -> Rows:
    """The rows without their trees: what has no safety cannot import a tree, so nothing would be left to compare."""
    for name, column in (("sections", "parent"), ("amendments", "replaces")):
        for row in rows[name]:
            row[column] = None
    return rows


def _measure(
    stand: Stand, loads: dict[int, Load], chosen: list[str], rounds: int, baseline: Path
) -> tuple[dict[str, list[float]], list[float], list[float]]:
    """
    Rows per second by way, round by round; what verifying cost, as a share of lane api's time; and how many times as
    fast the export is by SQL as that of *baseline*, a tree, over REST.
    """
    rates: dict[str, list[float]] = {context: [] for context in chosen}
    verified: list[float] = []
    faster: list[float] = []
    for number in range(rounds):
        for context in chosen if number % 2 == 0 else reversed(chosen):
            load = loads[SIZES[context]]
            stand.empty()
            seconds = WAYS[context](load)
            assert stand.count() == load.rows, f"{context}: {stand.count()} rows of {load.rows}"
            rates[context].append(load.rows / seconds)
            _say(_line(number, context, load.rows, seconds))
            if context == "api":
                spent = verification(load)
                verified.append(spent / seconds)
                _say(_line(number, "verifying", load.rows, spent))
            if context == "sql":
                by_sql, by_rest = exports(load, baseline)
                faster.append(by_rest / by_sql)
                _say(_line(number, "export, SQL", load.rows, by_sql))
                _say(_line(number, "export, REST", load.rows, by_rest))
    return rates, verified, faster


def _line(number: int, what: str, rows: int, seconds: float) -> str:
    return f"  round {number + 1}  {what:<12} {rows:>7,} rows  {seconds:7.2f} s  {rows / seconds:9,.0f} rows/s"


def _report(
    rates: dict[str, list[float]], verified: list[float], faster: list[float], rounds: int, seconds: float
) -> int:
    middle = {context: median(found) for context, found in rates.items()}
    script = middle.get("script", 0)
    _say(f"\n{datetime.now(UTC):%Y-%m-%d} · {platform.machine()}, {_cores()} cores · medians of {rounds} rounds\n")
    _say("| way | rows | rows/s | slowest–fastest | × script |")
    _say("|---|---:|---:|---:|---:|")
    for context, found in ((context, rates[context]) for context in TOLD if context in rates):
        times = f"{middle[context] / script:,.1f}" if script else ""
        spread = f"{min(found):,.0f}–{max(found):,.0f}"
        _say(f"| {TOLD[context]} | {SIZES[context]:,} | {middle[context]:,.0f} | {spread} | {times} |")
    targets = [
        _target("lane api, of the API's ceiling", _ratio(rates, "api", "raw"), 0.85, "{:.0%}"),
        _target("lane api, times the script", _ratio(rates, "api", "script"), 12, "{:.1f} ×"),
        _target("lane sql, of plain COPY", _ratio(rates, "sql", "copy"), 0.65, "{:.0%}"),
        _target("lane sql, times the script", _ratio(rates, "sql", "script"), 400, "{:.0f} ×"),
    ]
    share = median(verified) if verified else None
    targets.append(_target("verifying every row, of lane api's time", share, 0.25, "{:.0%}", most=True))
    targets.append(
        _target(f"1.3's export by SQL, times {BASELINE}'s over REST", median(faster) if faster else None, 8, "{:.1f} ×")
    )
    _say(f"\n{seconds:.0f} s")
    return 0 if all(targets) else 1


def _ratio(rates: dict[str, list[float]], one: str, other: str) -> float | None:
    """The median of the ratios of each round: both were measured right after one another, or nearly so."""
    if not rates.get(one) or not rates.get(other):
        return None
    return float(median([a / b for a, b in zip(rates[one], rates[other], strict=True)]))


def _target(what: str, seen: float | None, wanted: float, form: str, *, most: bool = False) -> bool:
    if seen is None:
        return True
    met = seen <= wanted if most else seen >= wanted
    bound = "at most" if most else "at least"
    _say(f"{'PASS' if met else 'FAIL'}  {what}: {form.format(seen)} ({bound} {form.format(wanted)})")
    return met


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
