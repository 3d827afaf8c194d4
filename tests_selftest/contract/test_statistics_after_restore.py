"""After a restore that becomes production the planner has its statistics, in place and in a new database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import psycopg
import pytest

from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.backup import RollbackPoint
from fixtures.model.secret import Secret
from fixtures.operations.backups import backup
from fixtures.operations.backups.backup import BackupStorage
from fixtures.operations.code.deploy import WaitPolicy
from fixtures.operations.preservation import fingerprint
from fixtures.operations.rollback import statistics, summaries
from fixtures.operations.rollback.new_database import NewDatabase
from fixtures.operations.rollback.operators import RollbackOperators
from fixtures.operations.rollback.rollback_steps import RollbackSteps
from fixtures.plugins.session import NO_WRITE_ERRORS
from fixtures.systems.directus import DirectusOperator
from fixtures.systems.postgres.dump import PostgresTools
from fixtures.systems.postgres.fingerprint import SnapshotReader
from fixtures.systems.postgres.observer import PostgresObserver
from fixtures.systems.render import Connection, RenderOperator
from tests_selftest.contract.spare import run, silent, spare
from tests_selftest.contract.test_rollback_in_place import SCHEMA

OWN = """
    CREATE TABLE visits (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    INSERT INTO visits SELECT n, '2025-03-03' FROM generate_series(1, 50) n;
    CREATE SCHEMA audit; CREATE TABLE audit.log (id int); INSERT INTO audit.log SELECT generate_series(1, 50);
"""


def known(url: Secret) -> set[str]:
    """The tables the planner knows the values of."""
    with psycopg.connect(url.reveal()) as connection:
        rows = connection.execute(
            "SELECT DISTINCT schemaname || '.' || tablename FROM pg_stats WHERE schemaname IN ('public', 'audit')"
        ).fetchall()
    return {str(name) for (name,) in rows}


@contextmanager
def migration(
    production: Secret, server: Secret, tools: PostgresTools, folder: Path, new: NewDatabase | None
) -> Iterator[RollbackSteps]:
    """A migration with its backup, as the rollback finds it; nobody wrote since."""
    storage = BackupStorage(folder / "backups", tools, server)
    storage.folder.mkdir()
    ledger = Ledger(folder / "ledger" / "l.jsonl", run="run-1", inputs="i", suite="s")
    ledger.add(Kind.OPENED, "migration")
    evidence = Evidence(folder / "run-1", ledger, no_write_errors=NO_WRITE_ERRORS)
    evidence.begin("1.4.4")
    with SnapshotReader(production) as reader:
        held = fingerprint.read(reader, evidence.group_folder, silent)
        made = backup.dump(production, storage, silent, snapshot=reader.id, taken_at=held.taken_at)
    evidence.write(held)
    evidence.write(
        RollbackPoint(
            description="", taken_at=held.taken_at, database="udo-db", server_version="18.0", dump=made, export=None,
            export_reason="", recovery="", recovery_since=None, proven_at=datetime.now(UTC), counts=held.counts,
        )
    )  # fmt: skip
    with PostgresObserver(production) as database:
        operators = RollbackOperators(
            cast("RenderOperator", None), cast("DirectusOperator", None), database, production, storage, new
        )
        steps = RollbackSteps(evidence, operators, {}, "udo-db", folder, WaitPolicy(30.0, 0.1), 0, silent)
        evidence.begin("R.1.2")
        assert steps.live_edits() == []
        evidence.begin("R.5.1")
        yield steps


def test_a_database_restored_in_place_has_statistics_of_what_was_restored(
    server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    with (
        spare(server, SCHEMA + OWN) as production,
        migration(production, server, tools, tmp_path, None) as steps,
    ):
        told = summaries.summarize_database(steps.restore_database())
        assert known(production) >= {"public.boards", "public.visits", "public.visits_2025"}
        assert "audit.log" not in known(production)  # it was left alone
    assert "of 8 tables are up to date (ANALYZE)" in told


def test_a_new_database_has_statistics_of_every_schema(server: Secret, tools: PostgresTools, tmp_path: Path) -> None:
    with spare(server, SCHEMA + OWN) as production, spare(server, "SELECT 1") as empty:
        new = NewDatabase("udo-db-2", Connection(empty, empty, Secret("")))
        with migration(production, server, tools, tmp_path, new) as steps:
            told = summaries.summarize_database(steps.restore_database())
        assert known(empty) >= {"public.boards", "public.visits", "audit.log"}
    assert "of 9 tables are up to date (ANALYZE)" in told


def test_a_restore_that_was_found_done_has_them_too(server: Secret, tools: PostgresTools, tmp_path: Path) -> None:
    """Killed between the commit and ANALYZE: the next run restores nothing and analyzes."""
    with (
        spare(server, SCHEMA) as production,
        migration(production, server, tools, tmp_path, None) as steps,
    ):
        steps.restore_database()
        run(production, "DELETE FROM pg_statistic")
        assert known(production) == set()
        steps.restore_database()
        assert "public.boards" in known(production)


def test_a_table_of_another_owner_is_named_and_stops_no_other(server: Secret) -> None:
    run(server, "CREATE ROLE analyst LOGIN PASSWORD 'of analyst'")
    try:
        with spare(server, SCHEMA) as url:
            run(url, "ALTER TABLE boards OWNER TO analyst")
            parts = psycopg.conninfo.conninfo_to_dict(url.reveal()) | {"user": "analyst", "password": "of analyst"}
            told = statistics.refresh(Secret(psycopg.conninfo.make_conninfo("", **parts)), into="", progress=silent)
            assert known(url) == {"public.boards"}
            run(url, "DROP OWNED BY analyst")
    finally:
        run(server, "DROP ROLE analyst")
    assert "of 1 tables are up to date (ANALYZE); of 6 others they are left to autovacuum" in told
    assert "directus_activity: permission denied" in told


@pytest.mark.parametrize("into", ["", "udo-db-2"])
def test_a_failure_is_only_reported(server: Secret, into: str) -> None:
    unreachable = Secret(psycopg.conninfo.make_conninfo(server.reveal(), dbname="gone"))
    assert "are left to autovacuum: " in statistics.refresh(unreachable, into=into, progress=silent)
