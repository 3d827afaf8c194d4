"""
`make bench ARGS=--large-production`: an import of some 3,000 rows into a production that holds millions of one kind.

    in production       residents' inquiries, made by SQL, about 300 bytes a row
    in the export       some 3,000 rows; eleven of them are inquiries

Three runs of the whole runbook: an older commit and this tree with these rows in production, and this tree with eleven.
Seconds are those the ledger keeps of every line. The older commit may stop before its end; then what it reached is
compared, and said.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests_selftest.bench.whole import ROOT, Told, checked_out, measured, say, verdict

ROWS, FEW = 2_000_000, 11
LOCAL_ROWS = 3000
LOCAL_INQUIRIES = 11
FIRST = 50_000_000
"""The first key of the inquiries that only local has, beyond all of production's."""

BASELINE = "65e0dd8"
COMPARED = ("1.3.4", "4.1.2", "4.2.2", "4.2.3", "4.3.A7")
"""Lines that read every row of production over the API in the older commit."""

MOST_COMPARED_S, TIMES_FASTER = 15.0, 10.0
SEARCH, MOST_SEARCH_S = "5.1.4", 10.0

PROOF = (
    "1.4.2", "1.4.3", "1.4.4", "3.3.2", "3.4.A5", "4.2.5", "4.3.1", "4.3.A1", "4.3.A2", "5.1.A7", "5.3.3", "5.3.A6",
)  # fmt: skip
"""Lines that dump production, restore the dump, or compare every row of it with its fingerprint: these may grow."""

MOST_OF_DUMP = 3.0
NOISE_S = 2.0
"""What any other line may take longer beside millions of rows: lines of the same tree differ by that between runs."""

MOST_MB = 300

_PRODUCTION = """
    INSERT INTO inquiries (id, name, email, question, status, date_created)
    SELECT n, 'Resident ' || n, 'resident' || n || '@example.org',
           'Inquiry ' || n || ': ' || repeat(md5(n::text) || ' ', 6),
           CASE WHEN n %% 3 = 0 THEN 'new' ELSE 'answered' END,
           timestamptz '2015-01-01 08:00+00' + (n - %(first)s::int) * interval '2 minutes'
    FROM generate_series(%(first)s::int, %(last)s::int) n
"""
_LOCAL = """
    INSERT INTO inquiries (id, name, email, question, status, date_created)
    SELECT %(first)s + n, 'Neighbour ' || n, 'neighbour' || n || '@example.org',
           'May the fence between our gardens be higher than six feet, and who decides?', 'new',
           timestamptz '2026-01-01 08:00+00' + n * interval '1 day'
    FROM generate_series(1, %(number)s) n
"""


_INDEX = "CREATE INDEX inquiries_newest ON inquiries (date_created, id)"
"""On both sides. The site lists the newest first: without an index 5.2.A2 rightly names that as a slow statement."""


_ROUNDS = 3
"""Dumps and restores, of which the median counts: one alone differed by a third from one run to the next."""


@dataclass
class Run:
    """One run, with what it was measured against."""

    name: str
    told: Told
    dump_s: float = 0.0
    megabytes: float = 0.0


def main(rows: int, baseline: str) -> int:
    """0 when every limit is met."""
    few = _run(ROOT, "this tree", FEW)
    now = _run(ROOT, "this tree", rows)
    good = [*_limits(now, few)]
    with checked_out(baseline) as tree:
        before = _run(tree, baseline, rows)
    say(_table(before, now, few))
    say(_lines(before, now, few))
    return 0 if all([*good, _is_faster(before, now, baseline)]) else 1


def _run(tree: Path, name: str, rows: int) -> Run:
    run = Run(name, Told(rows, 0))

    def prepared(world: Path) -> None:
        with _world(tree, world) as facts:
            superuser = facts["environment"]["SCRATCH_DATABASE_URL"]
            _fill(superuser, rows)
            run.megabytes = _size(superuser)
            binaries = Path(facts["environment"]["PG_BIN_DIR"])
            run.dump_s = statistics.median(_dumped_and_restored(superuser, binaries) for _ in range(_ROUNDS))

    run.told = measured(tree, LOCAL_ROWS, "api", prepared=prepared)
    run.told.rows = rows
    ended = "GO" if run.told.ended == 0 else f"ended with {run.told.ended} at {max(run.told.lines, default='nothing')}"
    say(
        f"{datetime.now(UTC):%H:%M:%S}  {name}, {rows:,} rows in production ({run.megabytes:.0f} MB): {ended},"
        f" {run.told.worked_s:.0f} s in the phases; memory {run.told.peak_mb:.0f} MB;"
        f" pg_dump -Fc | pg_restore of it {run.dump_s:.1f} s"
    )
    return run


@contextmanager
def _world(tree: Path, root: Path) -> Iterator[Mapping[str, Any]]:
    """The rehearsal's world of *tree*, up until the end of the block, and what it told."""
    argv = [sys.executable, "-m", "fixtures.world", "up", "--root", str(root), "--rows", str(LOCAL_ROWS)]
    process = subprocess.Popen(argv, cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        ready = next((event for event in map(json.loads, process.stdout) if event["event"] != "progress"), None)
        if ready is None or ready["event"] != "ready":
            raise RuntimeError(f"the world of {tree} did not come up: {ready}")
        yield ready
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(60)


def _fill(superuser: str, rows: int) -> None:
    """The rows of both sides, past every client, with sequences ahead of them as Directus keeps them."""
    with psycopg.connect(superuser, dbname="udo_production", autocommit=True) as production:
        row = production.execute("SELECT coalesce(max(id), 0) + 1, count(*) FROM inquiries").fetchone()
        first, there = (int(each) for each in row or (1, 0))
        production.execute(_PRODUCTION, {"first": first, "last": first + rows - there - 1})
        production.execute("SELECT setval(pg_get_serial_sequence('inquiries', 'id'), max(id)) FROM inquiries")
        production.execute(_INDEX)
        production.execute("VACUUM ANALYZE inquiries")
    with psycopg.connect(superuser, dbname="udo_local", autocommit=True) as local:
        row = local.execute("SELECT count(*) FROM inquiries").fetchone()
        local.execute(_LOCAL, {"first": FIRST, "number": LOCAL_INQUIRIES - int(row[0] if row else 0)})
        local.execute("SELECT setval(pg_get_serial_sequence('inquiries', 'id'), max(id)) FROM inquiries")
        local.execute(_INDEX)


def _size(superuser: str) -> float:
    with psycopg.connect(superuser) as connection:
        row = connection.execute("SELECT pg_database_size('udo_production')").fetchone()
    return int(row[0]) / 1e6 if row else 0.0


def _dumped_and_restored(superuser: str, binaries: Path) -> float:
    """Seconds of `pg_dump -Fc | pg_restore` of production into an empty database."""
    name = "dumped_and_restored"
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    source = psycopg.conninfo.make_conninfo(superuser, dbname="udo_production")
    target = psycopg.conninfo.make_conninfo(superuser, dbname=name)
    began = time.monotonic()
    dump = subprocess.Popen([binaries / "pg_dump", "-Fc", "-d", source], stdout=subprocess.PIPE)
    subprocess.run([binaries / "pg_restore", "--no-owner", "-d", target], stdin=dump.stdout, check=False,
                   stderr=subprocess.DEVNULL)  # fmt: skip
    assert dump.wait() == 0, "pg_dump failed, so nothing can be measured against it"
    seconds = time.monotonic() - began
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    return seconds


def _limits(now: Run, few: Run) -> Iterator[bool]:
    good = few.told.ended == now.told.ended == 0
    say(
        f"{'PASS' if good else 'FAIL'}  this tree: every line passed, with {few.told.rows:,} and {now.told.rows:,} rows"
    )
    yield good
    yield verdict(f"{', '.join(COMPARED)} together", _sum(now, COMPARED), MOST_COMPARED_S, "s")
    yield verdict(SEARCH, _sum(now, [SEARCH]), MOST_SEARCH_S, "s")
    grown = {line: seconds - few.told.lines.get(line, 0.0) for line, seconds in now.told.lines.items()}
    proof = sum(max(0.0, seconds) for line, seconds in grown.items() if line in PROOF)
    yield verdict("dump, proof and fingerprint grew by", proof / now.dump_s, MOST_OF_DUMP, "× dump and restore")
    others = {line: seconds for line, seconds in grown.items() if line not in PROOF}
    worst = max(others, key=lambda line: others[line])
    yield verdict(f"of all other lines, {worst} grew most, by", others[worst], NOISE_S, "s")
    yield verdict("memory of the suite's process", now.told.peak_mb, MOST_MB, "MB")


def _is_faster(before: Run, now: Run, baseline: str) -> bool:
    left = [line for line in COMPARED if line not in before.told.lines]
    if left:
        say(f"NOTE  {baseline} did not reach {', '.join(left)}; they are left out of its sum, not of this tree's")
    mine, theirs = _sum(now, COMPARED), _sum(before, COMPARED)
    return verdict(
        f"of {baseline}'s {theirs:.1f} s, these are", mine / theirs if theirs else 1.0, 1 / TIMES_FASTER, "×"
    )


def _sum(run: Run, lines: Sequence[str]) -> float:
    return sum(run.told.lines.get(line, 0.0) for line in lines)


def _table(*runs: Run) -> str:
    """Seconds by task group."""
    groups: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(runs))
    for place, run in enumerate(runs):
        for line, seconds in run.told.lines.items():
            groups[line.rpartition(".")[0]][place] += seconds
    lines = [f"{'group':<8}" + "".join(f"{run.name:>16}" for run in runs)]
    lines.append(f"{'':<8}" + "".join(f"{f'{run.told.rows:,} rows':>16}" for run in runs))
    lines += [f"{group:<8}" + "".join(f"{each:>14.1f} s" for each in groups[group]) for group in sorted(groups)]
    return "\n".join(lines)


def _lines(before: Run, now: Run, few: Run) -> str:
    """The lines in which the rows of production tell, on either side."""
    named = {*COMPARED, SEARCH, *PROOF}
    for run in (before, now):
        named |= {line for line, seconds in run.told.lines.items() if seconds - few.told.lines.get(line, 0.0) > 1.0}
    runs = (before, now, few)
    cells = {
        line: "".join(f"{run.told.lines[line]:>14.1f} s" if line in run.told.lines else f"{'-':>16}" for run in runs)
        for line in sorted(named)
    }
    return "\n".join(f"{line:<8}{cells[line]}{'  proof' if line in PROOF else ''}" for line in cells)
