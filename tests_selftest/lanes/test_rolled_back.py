"""R.4.1 and R.5.1 on a real Directus and Postgres: a deletion or a restore that answered success and did nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.backup import Artefact, RollbackPoint
from fixtures.model.export import AssetInventory
from fixtures.model.key_map import FILES
from fixtures.model.rollback import DatabaseRollback, FilesRollback
from fixtures.operations.imports import import_inputs
from fixtures.operations.rollback import rollback_data, rollback_files
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.lanes.project import PICTURE, Project, _asset

FILE = {
    "id": "aaaaaaaa-2222-4222-8222-222222222222",
    "title": "A picture",
    "filename_download": "a.png",
    "type": "image/png",
}


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    ledger = Ledger(tmp_path / "ledger" / "l.jsonl", run="run-1", inputs="i", suite="s")
    ledger.add(Kind.OPENED, "migration")
    return Evidence(tmp_path / "run-1", ledger)


@pytest.fixture
def imported(project: Project, evidence: Evidence, tmp_path: Path) -> Iterator[Path]:
    """A file this migration has uploaded, with its bytes in the export."""
    folder = tmp_path / "migration"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / FILE["id"]).write_bytes(PICTURE)
    evidence.begin("1.3.2")
    evidence.write(AssetInventory((_asset(FILE),), {}, {}))
    evidence.begin("R.4.1")
    import_inputs.journal(evidence.ledger).record_intent(FILES, [FILE["id"]])
    project.operator.upload_file(FILE, folder / "files" / FILE["id"])
    yield folder
    project.ask("DROP RULE IF EXISTS kept ON directus_files")
    project.ask("DELETE FROM directus_files")


def removed(project: Project, evidence: Evidence, folder: Path) -> FilesRollback:
    return rollback_files.remove_added(
        project.operator, evidence, folder, before=(), subject="R.4.1", progress=lambda *_: None
    )


def codes(project: Project, evidence: Evidence, done: FilesRollback) -> list[str]:
    found = rollback_files.undeleted(project.operator, evidence, done, before=())
    return [f"{each.code} {each.where}" for each in found]


def test_a_file_that_is_gone_and_one_that_was_kept_pass(project: Project, evidence: Evidence, imported: Path) -> None:
    kept = FilesRollback((), (FILE["id"],), "no other copy of them is known")
    assert codes(project, evidence, kept) == []
    done = removed(project, evidence, imported)
    assert (done.removed, done.kept) == ((FILE["id"],), ())
    assert codes(project, evidence, done) == []


def test_a_file_that_stays_although_its_deletion_was_answered_with_success_is_red_at_r_4_1(
    project: Project, evidence: Evidence, imported: Path
) -> None:
    project.ask("CREATE RULE kept AS ON DELETE TO directus_files DO INSTEAD NOTHING")
    done = removed(project, evidence, imported)
    assert done.removed == (FILE["id"],), "Directus says so"
    assert codes(project, evidence, done) == [f"MIG-728 production · directus_files · {FILE['id']}"]


@pytest.mark.usefixtures("imported")
def test_a_file_nobody_tried_to_remove_is_red_at_r_4_1(project: Project, evidence: Evidence) -> None:
    assert codes(project, evidence, FilesRollback((), ()))[0].startswith("MIG-728")


def point(counts: dict[str, int]) -> RollbackPoint:
    """A rollback point of these tables."""
    at = datetime(2026, 11, 1, tzinfo=UTC)
    dump = Artefact("pg_dump", "before.dump", "/backups/before.dump", 1, "0" * 64, at, len(counts))
    return RollbackPoint("Pre-migration backup", at, "udo", "17", dump, None, "free plan", "", None, at, counts)


def transaction(project: Project, *, end: str) -> str:
    """The id of a transaction that ended in this way."""
    with psycopg.connect(project.url.reveal(), autocommit=True) as connection:
        connection.execute("BEGIN")
        found = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
        connection.execute(end)
    assert found is not None
    return str(found[0])


def test_a_restore_that_left_another_database_is_red_at_r_5_1(project: Project) -> None:
    with PostgresObserver(project.url) as database:
        was = point(dict.fromkeys(database.tables(), 1))
        done = DatabaseRollback("before.dump", "", transaction(project, end="COMMIT"), 1, 1.0)

        def found(done: DatabaseRollback, was: RollbackPoint = was) -> list[tuple[str, str]]:
            seen = rollback_data.not_restored(done, was, database, project.url, migrated=["articles", "comments"])
            assert {each.code for each in seen} <= {"MIG-729"}
            return [(each.where, each.observed) for each in seen]

        assert found(done) == []
        assert found(replace(done, backup="other.dump")) == [("database · backup", "other.dump")]
        undone = transaction(project, end="ROLLBACK")
        assert found(replace(done, transaction=undone)) == [(f"database · transaction {undone}", "aborted")]
        counts = {name: 1 for name in was.counts if name != "articles"}
        assert found(done, replace(was, counts=counts)) == [("database · 1 table(s): articles", "there")]
        lost = replace(was, counts={**was.counts, "chapters": 3})
        assert found(done, lost) == [("database · 1 table(s): chapters", "not there")]
