"""3.1  Production Schema Export

Purpose     Production's data model is exported as it is now, so that it can be compared with local's.
Needs       1.4 backup · 2.3 both services live
Writes      migration/schema-production.json in the backend's working copy, which git ignores
On failure  nothing in production changed; correct what is named and run the same command again
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.checks.rows import audit as audited
from fixtures.checks.schema import comparable
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.finding import format_findings
from fixtures.model.snapshot import Snapshot
from fixtures.operations import unfinished
from fixtures.operations.schema import schema_documents, schema_plan
from fixtures.operations.source import directus_configuration, schema_export
from fixtures.operations.verification import audit

if TYPE_CHECKING:
    from fixtures.evidence.store import Evidence
    from fixtures.process.progress import Progress
    from fixtures.settings import Settings
    from fixtures.systems.directus import DirectusObserver
    from fixtures.systems.postgres.observer import PostgresObserver

pytestmark = task_group("3.1")


@action("3.1.1", dry_run=True)
def test_production_can_be_reached(
    production: DirectusObserver, database: PostgresObserver, evidence: Evidence
) -> None:
    """Access production backend"""
    who = production.me()
    assert production.is_admin(), f"{who['email']} is no administrator: Directus would hide parts of the schema"
    assert database.tables()
    evidence.note(
        f"Production answers as Directus {production.version} to {who['email']}, an administrator; "
        f"its database (Postgres {database.version()}) can be read."
    )


@action("3.1.2", dry_run=True)
def test_the_schema_is_exported(production: DirectusObserver, evidence: Evidence) -> None:
    """Export production schema"""
    snapshot = production.snapshot()
    evidence.write(snapshot)
    findings = comparable.malformed_parts(snapshot)
    assert not findings, format_findings(findings)
    evidence.note(
        f"Exported {len(snapshot.collections)} collections, {len(snapshot.fields)} fields and "
        f"{len(snapshot.relations)} relations of production."
        if snapshot.collections
        else "Production has no collection yet: everything in local's schema is new."
    )
    configuration = directus_configuration.observe(production)
    evidence.write(configuration)
    evidence.note(directus_configuration.summarize(configuration))


@action("3.1.3", dry_run=True)
def test_the_schema_is_on_disk(settings: Settings, evidence: Evidence) -> None:
    """Download production schema to local"""
    path = settings.migration_dir / schema_documents.PRODUCTION_SCHEMA
    size = schema_documents.write_snapshot(path, evidence.read(Snapshot, of="3.1"))
    assert size == path.stat().st_size > 0
    evidence.note(f"migration/{path.name}, {size:,} bytes.")


@action("3.1.4", dry_run=True)
def test_the_export_is_valid(
    production: DirectusObserver,
    database: PostgresObserver,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Validate production schema export"""
    path = settings.migration_dir / schema_documents.PRODUCTION_SCHEMA
    assert path.stat().st_size > 0
    snapshot = schema_export.read_snapshot(path)
    findings = [
        *schema_export.snapshot_problems(snapshot, production, side="production"),
        *schema_plan.catalog_mismatches(database, snapshot),
    ]
    assert not findings, format_findings(findings)
    evidence.note(f"The database's own catalog agrees on all {len(snapshot.tables)} tables.")
    # 3.4.6 and 5.3.4 would stop at them, after the schema was changed.
    found = audit.references(database, snapshot, lambda text, done, of: progress("orphans", text, done, of))
    orphans = audited.orphaned_references(found)
    assert not orphans, format_findings(orphans)
    evidence.note(f"{len(found)} references of production's own rows checked by SQL: no orphan.")
    for sentence in schema_export.summarize_untracked(production, "production"):
        evidence.note(sentence)


@acceptance("3.1.A1", dry_run=True)
def test_the_export_equals_production(production: DirectusObserver, evidence: Evidence) -> None:
    """Production schema exported successfully"""
    findings = unfinished.moved_schema(evidence.read(Snapshot, of="3.1"), production.snapshot(), group="3.1")
    assert not findings, format_findings(findings)


@acceptance("3.1.A2", dry_run=True)
def test_the_file_equals_the_export(settings: Settings, evidence: Evidence) -> None:
    """Schema file downloaded to local migration directory"""
    on_disk = schema_export.read_snapshot(settings.migration_dir / schema_documents.PRODUCTION_SCHEMA)
    assert on_disk.raw == evidence.read(Snapshot, of="3.1").raw


@acceptance("3.1.A3", dry_run=True)
def test_the_file_is_well_formed(settings: Settings) -> None:
    """JSON format validated"""
    on_disk = schema_export.read_snapshot(settings.migration_dir / schema_documents.PRODUCTION_SCHEMA)
    findings = comparable.malformed_parts(on_disk)
    assert not findings, format_findings(findings)


@acceptance("3.1.A4", dry_run=True, closes=True)
def test_both_schemas_are_comparable(
    production: DirectusObserver, database: PostgresObserver, evidence: Evidence
) -> None:
    """Ready for comparison with local schema"""
    local, there = evidence.read(Snapshot, of="1.2"), evidence.read(Snapshot, of="3.1")
    findings = comparable.environment_differences(
        local, there, running=production.version, timezone=database.timezone()
    )
    assert not findings, format_findings(findings)
    evidence.note(f"Both sides run Directus {there.directus} on {there.vendor}, production's database in UTC.")


@gate("3.1")
def test_gate(unpassed_lines: list[str]) -> None:
    """Both schemas are on disk and comparable; the comparison (3.2) may begin."""
    assert unpassed_lines == []
