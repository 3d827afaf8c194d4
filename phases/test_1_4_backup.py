"""1.4  Production Database Backup

Purpose     A proven backup allows a rollback to production as it is before the migration's first write.
Needs       nothing; run it just before phase 2, because its gate grows stale
Writes      backups/ in the backend's working copy, and an export on Render; nothing in the database
On failure  fix the backup and run it again; nothing may be written before it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.checks.backups import backup as backup_checks
from fixtures.checks.backups import file_store as file_checks
from fixtures.checks.rows import text_encoding
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.backup import ExportOutcome, RollbackPoint
from fixtures.model.file_store import FileStore
from fixtures.model.finding import format_findings
from fixtures.model.fingerprint import Fingerprint
from fixtures.operations.backups import backup, file_store, render_export

if TYPE_CHECKING:
    from fixtures.evidence.store import Evidence
    from fixtures.model.secret import Secret
    from fixtures.operations.backups.backup import BackupStorage
    from fixtures.process.progress import Progress
    from fixtures.settings import Settings
    from fixtures.systems.directus import DirectusObserver
    from fixtures.systems.postgres.observer import PostgresObserver
    from fixtures.systems.render import RenderObserver, RenderOperator

pytestmark = task_group("1.4")


@action("1.4.1", dry_run=True)
def test_the_database_can_be_reached(
    render: RenderObserver,
    production: DirectusObserver,
    database: PostgresObserver,
    settings: Settings,
    evidence: Evidence,
) -> None:
    """Access Render dashboard"""
    found = render.database(settings.render_postgres)
    assert found.available, f'Render reports database "{found.name}" as {found.status}, suspended: {found.suspended}'
    findings = text_encoding.production_not_in_utf8(database.encoding())
    assert not findings, format_findings(findings)
    seen, findings = backup.same_database(production, database, repointed_to=evidence.ledger.repointed_to)
    if backup.current_point(evidence) is None:
        # Before an export of Render is waited for, which ends without an answer over such an object.
        findings += backup_checks.unreadable_objects(database.unreadable())
    assert not findings, format_findings(findings)
    evidence.note(
        f'Render\'s database "{found.name}" is {found.status} (Postgres {database.version()},'
        f" {database.size_bytes():,} bytes) and is {seen}."
    )


@action("1.4.2", dry_run=True)
def test_render_makes_a_backup(
    render_operator: RenderOperator,
    database: PostgresObserver,
    backup_storage: BackupStorage,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Create manual backup snapshot"""
    point = backup.current_point(evidence)
    there = render_operator.database(settings.render_postgres)
    outcome = render_export.existing_export(point) or render_export.request_export(
        render_operator,
        there,
        database,
        backup_storage,
        progress,
        deadline_s=settings.backup_deadline_s,
        poll_s=settings.poll_s,
    )
    findings = render_export.unconfirmed(outcome, render_operator, there) if point is None else []
    assert not findings, format_findings(findings)
    evidence.write(outcome)
    evidence.note(render_export.summarize_export(outcome, kept=point is not None))


@action("1.4.3")
def test_the_backup_is_intact(backup_storage: BackupStorage, evidence: Evidence, progress: Progress) -> None:
    """Verify backup integrity"""
    outcome = evidence.read(ExportOutcome, of="1.4")
    if outcome.artefact is None:
        evidence.note(f"{outcome.reason}; the own dump of 1.4.4 is the backup.")
        return
    findings = backup.verify_file(outcome.artefact)
    assert not findings, format_findings(findings)
    if backup.current_point(evidence) is None:
        findings = backup.export_problems(
            outcome.artefact, backup_storage, progress, before=outcome.before, after=outcome.after
        )
        assert not findings, format_findings(findings)
        if backup_storage.scratch:
            evidence.note("Every row of it was loaded and counted; the dump of 1.4.4 is the one proven by its content.")
    evidence.note(backup.summarize_file(outcome.artefact))


@action("1.4.4", dry_run=True)
def test_pg_dump_writes_a_backup(
    render: RenderObserver,
    database: PostgresObserver,
    database_url: Secret,
    backup_storage: BackupStorage,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """(Alternative) CLI backup if needed"""
    point = backup.current_point(evidence)
    if point is None:
        found = render.database(settings.render_postgres)
        export = render_export.export_outcome(evidence)
        point, held = backup.create_rollback_point(
            database_url,
            found,
            database,
            backup_storage,
            evidence.group_folder,
            progress,
            export=export.artefact,
            export_reason=export.reason,
            recovery=render.recovery(found.id),
        )
        evidence.write(held)
        evidence.write(point)
    findings = backup.verify(point, backup_storage.tools)
    assert not findings, format_findings(findings)
    evidence.note(backup.summarize(point))


@acceptance("1.4.A1")
def test_a_backup_exists(evidence: Evidence) -> None:
    """Production database backup created successfully"""
    point = evidence.read(RollbackPoint, of="1.4")
    assert point.dump.size_bytes > 0
    assert point.dump.tables > 0
    findings = backup.verify(point)
    assert not findings, format_findings(findings)
    assert point.export is not None or point.export_reason


@acceptance("1.4.A2")
def test_the_backup_is_verified(
    production: DirectusObserver,
    render: RenderObserver,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Backup verified and documented"""
    point = evidence.read(RollbackPoint, of="1.4")
    assert point.proof, "the dump was not restored into a scratch database"
    assert backup.read_manifest(point) == point
    evidence.note(backup.summarize(point))
    if backup.current_point(evidence) is None:
        service = render.service(settings.render_backend)
        evidence.write(file_store.read(production, render, service, progress))
    files = evidence.read(FileStore, of="1.4")
    evidence.note(file_checks.summarize(files))
    findings = file_checks.on_ephemeral_disk(files)
    assert not findings, format_findings(findings)


@acceptance("1.4.A3")
def test_the_timestamp_is_recorded(evidence: Evidence) -> None:
    """Backup timestamp recorded for rollback reference"""
    point, held = evidence.read(RollbackPoint, of="1.4"), evidence.read(Fingerprint, of="1.4")
    first_write = evidence.ledger.first_write
    assert point.taken_at == held.taken_at
    assert first_write is None or point.taken_at < first_write
    evidence.note(f"Rollback point {point.id}, taken {point.taken_at:%Y-%m-%d %H:%M:%SZ}, before the first write.")


@acceptance("1.4.A4", closes=True)
def test_production_may_be_changed(
    render: RenderObserver, database: PostgresObserver, settings: Settings, evidence: Evidence
) -> None:
    """Ready to proceed with schema changes"""
    point, held = evidence.read(RollbackPoint, of="1.4"), evidence.read(Fingerprint, of="1.4")
    assert render.database(settings.render_postgres).available
    assert set(point.counts) - set(point.outside) <= set(database.tables())
    assert set(point.outside) == set(held.outside)
    assert point.counts == held.counts
    assert held.rows > 0
    evidence.note(
        f"{held.rows:,} rows of all {len(held.tables)} tables are recorded by hash, of snapshot {held.snapshot_id};"
        " phases 3, 4 and 5 verify that they are still there."
    )
    for sentence in point.scope:
        evidence.note(sentence)


@gate("1.4")
def test_gate(unpassed_lines: list[str]) -> None:
    """There is a proven backup; the migration may make its first write."""

    assert unpassed_lines == []
