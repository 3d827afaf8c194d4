"""1.2  Directus Schema Export & Documentation

Purpose     The local data model is on disk as the Directus command line writes it, and its changes are documented.
Needs       nothing
Writes      migration/ and backups/ in the backend's working copy, which git ignores
On failure  nothing changed; correct what is named and run the same command again
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.checks.site import rule_checks
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.finding import format_findings
from fixtures.model.schema_changes import SchemaChanges
from fixtures.model.snapshot import Snapshot
from fixtures.operations.schema import schema_plan
from fixtures.operations.scratch_rows import preview
from fixtures.operations.source import schema_export, unconfigured

if TYPE_CHECKING:
    from datetime import datetime

    from fixtures.evidence.store import Evidence
    from fixtures.process.progress import Progress
    from fixtures.report.documents import Documents
    from fixtures.settings import Settings
    from fixtures.systems.directus import DirectusObserver
    from fixtures.systems.directus.cli import DirectusCli

pytestmark = task_group("1.2")


@action("1.2.1", dry_run=True)
def test_the_folders_exist(settings: Settings, evidence: Evidence) -> None:
    """Create migration directory structure"""
    for folder in (settings.migration_dir / "data", settings.backups_dir):
        folder.mkdir(parents=True, exist_ok=True)
        assert folder.is_dir()
    evidence.note("migration/data and backups are in place in the backend repository.")


@action("1.2.2", dry_run=True)
def test_the_command_line_exports_the_schema(
    source_cli: DirectusCli, settings: Settings, evidence: Evidence, progress: Progress
) -> None:
    """Export local Directus schema"""
    progress("schema export", "directus schema snapshot, local")
    path = settings.migration_dir / schema_export.LOCAL_SCHEMA
    here = schema_plan.read_local(settings.local_database_url)
    snapshot = schema_export.with_computed_columns(source_cli.snapshot(path), here)
    assert path.stat().st_size > 0
    evidence.write(snapshot)
    evidence.note(
        f"Directus {snapshot.directus} exported {len(snapshot.collections)} collections, {len(snapshot.fields)} fields"
        f" and {len(snapshot.relations)} relations ({path.stat().st_size:,} bytes)."
    )
    if snapshot.computed:
        evidence.note(f"Computed by local's database, so never exported: {', '.join(snapshot.computed)}.")


@action("1.2.3", dry_run=True)
def test_the_changes_are_documented(production: DirectusObserver, documents: Documents, evidence: Evidence) -> None:
    """Document schema changes"""
    local = evidence.read(Snapshot, of="1.2")
    changes = schema_export.compare_schemas(local, production, evidence)
    assert changes.local == local.digest
    documents.write("SCHEMA_CHANGES.md", changes=changes, summary=changes.summary)
    evidence.write(changes)
    evidence.note(f"Local against production: {changes.summary}")


@action("1.2.4", dry_run=True)
def test_the_export_is_valid(
    source: DirectusObserver, production: DirectusObserver, settings: Settings, evidence: Evidence, now: datetime
) -> None:
    """Validate schema export"""
    snapshot = evidence.read(Snapshot, of="1.2")
    here = schema_plan.read_local(settings.local_database_url)
    findings = schema_export.snapshot_problems(snapshot, source, database=here)
    assert not findings, format_findings(findings)
    assert snapshot.tables, "a data model without a single table was exported"
    evidence.note(f"Every collection and field of the running project is in the export; {len(snapshot.tables)} tables.")
    for sentence in schema_export.summarize_untracked(source, "local"):
        evidence.note(sentence)
    accepted = schema_plan.read_waivers(settings.waivers)
    unread = unconfigured.find(snapshot, source, accepted, today=now.date())
    left_behind = unconfigured.not_accepted(unread)
    assert not left_behind, format_findings(left_behind)
    for each in unread:
        evidence.note(f"{each}.")
    previewed, untriable = preview.not_verifiable(
        snapshot, production, schema_plan.accepted_untried(settings.waivers, today=now.date())
    )
    for sentence in rule_checks.not_tried(previewed):
        evidence.note(sentence)
    assert not untriable, format_findings(untriable)


@acceptance("1.2.A1", dry_run=True)
def test_the_schema_file_exists(settings: Settings, evidence: Evidence) -> None:
    """Schema exported successfully to `migration/schema-local.json`"""
    on_disk = schema_export.read_snapshot(settings.migration_dir / schema_export.LOCAL_SCHEMA)
    assert on_disk.digest == evidence.read(Snapshot, of="1.2").digest


@acceptance("1.2.A2", dry_run=True)
def test_every_change_is_in_the_document(production: DirectusObserver, settings: Settings, evidence: Evidence) -> None:
    """All schema changes documented"""
    changes = schema_export.compare_schemas(evidence.read(Snapshot, of="1.2"), production, evidence)
    text = (settings.migration_dir / "SCHEMA_CHANGES.md").read_text(encoding="utf-8")
    named = [*changes.collections, *changes.fields, *(each.name for each in changes.relationships)]
    named += [each.name for each in changes.alterations]
    assert [name for name in named if name not in text] == []
    assert changes == evidence.read(SchemaChanges, of="1.2")


@acceptance("1.2.A3", dry_run=True)
def test_the_file_equals_the_running_schema(source: DirectusObserver, settings: Settings, evidence: Evidence) -> None:
    """Schema file validated and complete"""
    on_disk = schema_export.read_snapshot(settings.migration_dir / schema_export.LOCAL_SCHEMA)
    findings = schema_export.snapshot_problems(on_disk, source)
    assert not findings, format_findings(findings)
    assert on_disk.digest == source.snapshot().digest
    evidence.note(f"The file equals the schema the running project gives over REST (digest {on_disk.digest[:12]}).")


@gate("1.2")
def test_gate(unpassed_lines: list[str]) -> None:
    """The local data model is on disk and understood; its data may be exported."""
    assert unpassed_lines == []
