"""The export of 1.3 by SQL beside an older commit's over REST, of the same rows; both must be the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from fixtures.checks.rows.profile import profile
from fixtures.model.export import CollectionCount, Inventory
from fixtures.operations.source import data_export
from tests_selftest.bench.files import WORKLOAD
from tests_selftest.bench.ways import Load

_REST_EXPORT = Path(__file__).parent / "plugin" / "rest_export.py"
_DEADLINE_S = 600.0


def exports(load: Load, baseline: Path) -> tuple[float, float]:
    """
    Seconds by SQL and over REST, of the rows that are in the database now.

    Args:
        baseline: The tree of the commit whose export over REST is measured, in a process of its own.
    """
    with tempfile.TemporaryDirectory(prefix="bench-exports-") as folder:
        by_sql, fast = _by_sql(load, Path(folder) / "sql")
        by_rest, slow = _over_rest(load, Path(folder) / "rest", baseline)
    assert by_sql == by_rest, f"other bytes: {by_sql}, {by_rest}"
    return fast, slow


def _by_sql(load: Load, folder: Path) -> tuple[dict[str, str], float]:
    """The SHA-256 of each collection's file, and the seconds."""
    snapshot = load.stand.snapshot
    profiles = tuple(profile(snapshot, name) for name in WORKLOAD)
    inventory = Inventory(datetime.now(UTC), profiles, tuple(CollectionCount(each.name, 0, 0) for each in profiles))
    began = time.perf_counter()
    found = data_export.export_data(
        inventory, load.stand.operator, folder, lambda *_: None, schema=snapshot, database=load.stand.url
    )
    seconds = time.perf_counter() - began
    assert found.rows == load.rows, (found.rows, load.rows)
    return {each.collection: each.sha256 for each in found.files}, seconds


def _over_rest(load: Load, folder: Path, tree: Path) -> tuple[dict[str, str], float]:
    told = subprocess.run(
        [sys.executable, str(_REST_EXPORT), str(folder), *WORKLOAD],
        cwd=tree,
        env={"PYTHONPATH": str(tree)},
        input=json.dumps({"url": load.stand.address, "token": load.stand.token}),
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
    assert told.returncode == 0, told.stderr[-2000:]
    found = json.loads(told.stdout)
    return found["sha256"], found["seconds"]
