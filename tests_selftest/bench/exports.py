"""The export of 1.3 by SQL beside the one over REST, of the same rows; where REST is exact both are the same bytes."""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from fixtures.checks.rows.profile import profile
from fixtures.model.export import CollectionCount, DataExport, Inventory
from fixtures.model.secret import Secret
from fixtures.operations.source import data_export
from tests_selftest.bench.files import WORKLOAD
from tests_selftest.bench.ways import Load


def exports(load: Load) -> tuple[float, float]:
    """Seconds by SQL and over REST, of the rows that are in the database now."""
    with tempfile.TemporaryDirectory(prefix="bench-exports-") as folder:
        by_sql, fast = _exported(load, Path(folder) / "sql", load.stand.url)
        by_rest, slow = _exported(load, Path(folder) / "rest", None)
        assert by_sql.rows == by_rest.rows == load.rows, (by_sql.rows, by_rest.rows, load.rows)
        for one, other in zip(by_sql.files, by_rest.files, strict=True):
            assert one.beyond_rest or one.sha256 == other.sha256, f"{one.collection}: other bytes"
    return fast, slow


def _exported(load: Load, folder: Path, database: Secret | None) -> tuple[DataExport, float]:
    snapshot = load.stand.snapshot
    profiles = tuple(profile(snapshot, name) for name in WORKLOAD)
    counts = tuple(CollectionCount(each.name, 0, 0) for each in profiles)
    inventory = Inventory(datetime.now(UTC), profiles, counts)
    began = time.perf_counter()
    found = data_export.export_data(
        inventory, load.stand.operator, folder, lambda *_: None, schema=snapshot, database=database
    )
    return found, time.perf_counter() - began
