"""
How long a fingerprint of a large table takes beside pg_dump of the same table, how much memory it needs, and whether
one flipped byte in it is found.

    python -m tests_selftest.bench.fingerprint [--rows 1000000] [--rounds 3]

Every measurement is a process of its own, so that its memory is its own; pg_dump and fingerprint take turns, and the
ratio is that of the medians of one run on one machine. A figure in seconds means nothing without both.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psycopg

from fixtures.embedded_postgres.home import postgres_binaries
from fixtures.embedded_postgres.server import scratch_server
from fixtures.model.fingerprint import Fingerprint, TableChange
from fixtures.model.secret import Secret
from fixtures.operations.preservation import fingerprint, row_changes
from fixtures.systems.postgres.dump import PostgresTools, scratch_database
from tests_selftest.bench.memory import own_peak_mb

MEMORY_MB = 300
"""Budget of the suite's own memory for a table of any size."""
CHILD_S = 900.0

_TABLE = """
    CREATE TABLE large (
        id serial PRIMARY KEY, slug varchar(255) NOT NULL, title text, body text, price numeric(12, 4), big bigint,
        rate double precision, told json, marks text, day date, at timestamptz, local timestamp, ref uuid, yes boolean
    );
    INSERT INTO large (slug, title, body, price, big, rate, told, marks, day, at, local, ref, yes)
    SELECT 'row-' || n, 'Title of ' || n, repeat(md5(n::text), 8), n / 7.0, 9007199254740993 + n, n / 3.0,
        json_build_object('n', n), 'a,b,' || n, date '2020-01-01' + n % 2000, timestamptz '2020-01-01' + n * interval '1 s',
        timestamp '2020-01-01' + n * interval '1 ms', md5('r' || n)::uuid, n % 2 = 0
    FROM generate_series(1, {rows}) n
"""  # noqa: E501
_FLIP = "UPDATE large SET body = overlay(body placing chr(ascii(substr(body, 100, 1)) # 1) from 100) WHERE id = {id}"


@dataclass(frozen=True)
class Measured:
    """Medians of all rounds in seconds, the highest memory of any process, and what was found of the flipped byte."""

    rows: int
    dump_s: float
    dump_mb: float
    take_s: float
    compare_s: float
    memory_mb: float
    evidence_mb: float
    row_files_mb: float
    flipped: str
    found: tuple[TableChange, ...]

    @property
    def exact(self) -> bool:
        """The one row, by its key, and nothing else."""
        rows = [(change.table, row.key, row.kind) for change in self.found for row in change.rows]
        return rows == [("large", (self.flipped,), "other values")] and not any(change.lost for change in self.found)

    def told(self) -> str:
        return "\n".join(
            (
                f"rows                      {self.rows:,} of 14 columns",
                f"pg_dump -Fc               {self.dump_s:.2f} s, {self.dump_mb:.0f} MB",
                f"fingerprint               {self.take_s:.2f} s, {self.take_s / self.dump_s:.2f} of pg_dump",
                f"comparing later           {self.compare_s:.2f} s, {self.compare_s / self.dump_s:.2f} of pg_dump",
                f"memory of the suite       {self.memory_mb:.0f} MB at most (budget {MEMORY_MB} MB)",
                f"evidence                  {self.evidence_mb:.2f} MB, and {self.row_files_mb:.1f} MB of row hashes",
                f"one flipped byte          {'found' if self.exact else 'NOT FOUND'}: row {self.flipped}",
            )
        )


def measure(server: Secret, tools: PostgresTools, folder: Path, *, rows: int, rounds: int) -> Measured:
    """Make a table, fingerprint and dump it in turns, flip one bit of one byte, and compare."""
    with scratch_database(server) as (_, url):
        with psycopg.connect(url.reveal(), autocommit=True) as connection:
            connection.execute(_TABLE.format(rows=rows))
            connection.execute("VACUUM ANALYZE large")
        dumps, takes, compares, memory = [], [], [], []
        dump = folder / "large.dump"
        for number in range(rounds):
            began = time.monotonic()
            size = tools.dump(url, dump).size_bytes
            dumps.append(time.monotonic() - began)
            place = folder / f"round-{number}"
            seconds, megabytes = _child("take", url, place)
            takes.append(seconds)
            memory.append(megabytes)
        flipped = str(rows * 2 // 3)
        with psycopg.connect(url.reveal(), autocommit=True) as connection:
            connection.execute(_FLIP.format(id=flipped))
        for _ in range(rounds):
            seconds, megabytes = _child("compare", url, place)
            compares.append(seconds)
            memory.append(megabytes)
        found = msgspec.json.decode((place / "changes.json").read_bytes(), type=list[TableChange])
    taken = place / "fingerprint.json"
    return Measured(
        rows=rows,
        dump_s=statistics.median(dumps),
        dump_mb=size / 1e6,
        take_s=statistics.median(takes),
        compare_s=statistics.median(compares),
        memory_mb=max(memory),
        evidence_mb=taken.stat().st_size / 1e6,
        row_files_mb=sum(path.stat().st_size for path in place.rglob("*.gz")) / 1e6,
        flipped=flipped,
        found=tuple(change for change in found if not change.intact),
    )


def _child(action: str, url: Secret, place: Path) -> tuple[float, float]:
    """Seconds and megabytes of one deed, told by the process that did it; the address goes in by its input."""
    place.mkdir(exist_ok=True)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            __name__ if __name__ != "__main__" else "tests_selftest.bench.fingerprint",
            action,
            place,
        ],
        input=url.reveal(),
        capture_output=True,
        text=True,
        timeout=CHILD_S,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    told = json.loads(done.stdout)
    return float(told["seconds"]), float(told["megabytes"])


def _do(action: str, place: Path) -> None:
    """In the process of its own: one deed, timed, and the most memory this process ever had."""
    url, began = Secret(sys.stdin.read()), time.monotonic()
    if action == "take":
        taken = fingerprint.record(url, place, lambda *_: None)
        (place / "fingerprint.json").write_bytes(msgspec.json.encode(taken))
    else:
        before = msgspec.json.decode((place / "fingerprint.json").read_bytes(), type=Fingerprint)
        found = row_changes.find_changes(before, place, url, lambda *_: None)
        (place / "changes.json").write_bytes(msgspec.json.encode(found))
    sys.stdout.write(json.dumps({"seconds": time.monotonic() - began, "megabytes": own_peak_mb()}))


def main(arguments: Sequence[str]) -> int:
    """Print the figures; 0 when the byte was found, by key, within the budget of memory."""
    if arguments[:1] in (["take"], ["compare"]):
        _do(arguments[0], Path(arguments[1]))
        return 0
    parser = argparse.ArgumentParser(prog="python -m tests_selftest.bench.fingerprint")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        server = Path(folder, "server")
        server.mkdir()
        with scratch_server(server) as url:
            tools = PostgresTools.found(postgres_binaries())
            measured = measure(url, tools, Path(folder), rows=chosen.rows, rounds=chosen.rounds)
    sys.stdout.write(measured.told() + "\n")
    return 0 if measured.exact and measured.memory_mb < MEMORY_MB else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
