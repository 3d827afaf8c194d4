"""A small sample of `make fingerprint`: one flipped byte among twenty thousand rows, in little memory."""

from __future__ import annotations

from pathlib import Path

from fixtures.model.secret import Secret
from fixtures.systems.postgres.dump import PostgresTools
from tests_selftest.bench.fingerprint import MEMORY_MB, measure
from tests_selftest.contract.stage import Stage


def test_one_flipped_byte_is_found_and_named(platform: Stage, tmp_path: Path) -> None:
    """By key, and nothing else is; five ranges in the evidence, the suite's memory far below its budget."""
    assert platform.cluster is not None
    tools = PostgresTools.found(platform.cluster.bin)
    found = measure(Secret(platform.cluster.superuser_url), tools, tmp_path, rows=20_000, rounds=1)
    assert found.exact, found.found
    assert found.memory_mb < MEMORY_MB
    assert found.evidence_mb < 0.01
