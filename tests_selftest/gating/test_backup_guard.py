"""Nothing can write to production without a proven, fresh and whole backup taken before the first write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.backup import Artefact, Proof, RollbackPoint
from fixtures.operations.backups import write_guard
from fixtures.operations.backups.backup import BackupUnusable
from fixtures.systems.postgres.dump import PostgresTools, fingerprint
from tests_selftest.gating.conftest import CONFTEST, Pages

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
TOOLS = PostgresTools(Path("/nowhere/pg_dump"), Path("/nowhere/pg_restore"))
Change = Callable[[RollbackPoint], RollbackPoint]


def point(folder: Path, *, taken_at: datetime) -> RollbackPoint:
    path = folder / "x.dump"
    path.write_bytes(b"PGDMP and more")
    file = fingerprint(path)
    dump = Artefact("pg_dump", path.name, str(path), file.size_bytes, file.sha256, taken_at, 2)
    proof = Proof(taken_at, "1-1", 2, 10, "c" * 64, 1.0)
    return RollbackPoint("x", taken_at, "db", "18.4", dump, None, "none", "AVAILABLE", None, taken_at, {}, proof)


def judged(tmp_path: Path, *, taken: timedelta, wrote: timedelta | None = None, change: Change | None = None) -> None:
    """What happens when a write is asked for NOW; times are before now."""
    moment = [NOW - taken]
    ledger = Ledger(tmp_path / "ledger.jsonl", run="run-1", inputs="i", suite="s", clock=lambda: moment[0])
    ledger.add(Kind.OPENED, "migration")
    evidence = Evidence(tmp_path / "run-1", ledger)
    if wrote is not None and wrote > taken:
        moment[0] = NOW - wrote
        ledger.add(Kind.INTENT, "2.1.6")
    evidence.begin("1.4.4")
    made = point(tmp_path, taken_at=NOW - taken)
    evidence.write(change(made) if change else made)
    if wrote is not None and wrote <= taken:
        moment[0] = NOW - wrote
        ledger.add(Kind.INTENT, "2.1.6")
    write_guard.require_proven_backup(evidence, TOOLS, fresh_minutes=60, now=NOW)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def test_a_proven_and_fresh_backup_lets_writes_through(tmp_path: Path) -> None:
    judged(tmp_path, taken=minutes(59))


def test_once_something_was_written_the_age_at_that_moment_counts(tmp_path: Path) -> None:
    judged(tmp_path, taken=minutes(600), wrote=minutes(590))


@pytest.mark.parametrize(
    ("times", "change", "code"),
    [
        ({"taken": minutes(61)}, None, "MIG-044"),
        ({"taken": minutes(200), "wrote": minutes(130)}, None, "MIG-044"),
        ({"taken": minutes(10), "wrote": minutes(20)}, None, "MIG-043"),
        ({"taken": minutes(1)}, lambda made: replace(made, proof=None), "MIG-042"),
        ({"taken": minutes(1)}, lambda made: replace(made, dump=replace(made.dump, sha256="0" * 64)), "MIG-1"),
        ({"taken": minutes(1)}, lambda made: replace(made, dump=replace(made.dump, path="/gone")), "MIG-150"),
    ],
)
def test_every_other_backup_stops_the_write(
    tmp_path: Path, times: dict[str, Any], change: Change | None, code: str
) -> None:
    with pytest.raises(BackupUnusable, match=code):
        judged(tmp_path, **times, change=change)


HANDLES = ("production_operator", "production_sandbox", "frontend_delivery", "people", "writable_database_url")
ASKS = """def test_2_1_1(request):
    for handle in {handles!r}:
        with pytest.raises(Exception, match="MIG-041 There is no backup of production in this migration"):
            request.getfixturevalue(handle)
        print("refused", handle)
    with pytest.raises(Exception, match="PGS|HTTP|connection"):
        request.getfixturevalue("database")"""


def test_no_handle_that_writes_exists_without_a_backup(pages: Pages) -> None:
    """
    Every gate says it is open, and yet there is no rollback point: the handle itself refuses, before it asks anything
    of production, which is not there in this test.
    """
    pytester = pages()
    plugins = ("handles", "backup_guard", "deliveries", "repositories", "site")
    named = "".join(f'"fixtures.plugins.{name}",' for name in plugins)
    pytester.makeconftest(CONFTEST.replace("[\n", f"[{named}\n"))
    file = pytester.path / "phases" / "test_2_1_page.py"
    file.write_text(file.read_text().replace("def test_2_1_1():", ASKS.format(handles=HANDLES)))
    result = pytester.runpytest_subprocess("phases", "--target", "staging", "-m", "phase1 or phase2", "-s")
    result.stdout.fnmatch_lines([f"*refused {handle}*" for handle in HANDLES])
    assert result.ret == 0, result.stdout.str()
