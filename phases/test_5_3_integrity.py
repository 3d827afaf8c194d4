"""5.3  Data Integrity Audit

Purpose     Schema, counts, references, values and files are as expected, and no earlier row is lost
Needs       5.1 the application works · 5.2 production performs
Writes      migration/schema-final.json in the backend's working copy, which git ignores
On failure  STOP: restore the backup named by gate 1.4 and investigate, then begin again at 3.1
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fixtures.checks.backups import file_store as file_checks
from fixtures.checks.backups import row_preservation
from fixtures.checks.rows import audit as checks
from fixtures.checks.rows.anomalies import ASKED_BY_THE_APP
from fixtures.checks.schema import schema
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.audit import FileCheck, FinalCount, ReferenceCheck
from fixtures.model.export import AssetInventory, DataExport
from fixtures.model.file_store import FileStore
from fixtures.model.finding import Finding, format_findings
from fixtures.model.ids import GateId
from fixtures.model.imports import ImportResult
from fixtures.model.plan import SchemaPlan
from fixtures.model.snapshot import Snapshot
from fixtures.operations import unfinished
from fixtures.operations.backups import file_store
from fixtures.operations.preservation import existing_rows
from fixtures.operations.schema import schema_documents
from fixtures.operations.verification import audit, row_accounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.evidence.store import Evidence
    from fixtures.model.ids import LineId
    from fixtures.model.secret import Secret
    from fixtures.operations.preservation.existing_rows import ComparisonContext
    from fixtures.process.progress import Progress
    from fixtures.settings import Settings
    from fixtures.systems.directus import DirectusObserver
    from fixtures.systems.postgres.observer import PostgresObserver
    from fixtures.systems.render import RenderObserver

pytestmark = task_group("5.3")


@action("5.3.1")
def test_the_schema_is_exported_again(production: DirectusObserver, settings: Settings, evidence: Evidence) -> None:
    """Re-export production schema"""
    snapshot = production.snapshot()
    size = schema_documents.write_snapshot(settings.migration_dir / audit.FINAL_SCHEMA, snapshot)
    assert size > 0
    evidence.write(snapshot)
    evidence.note(f"Production's schema is in migration/{audit.FINAL_SCHEMA}: {len(snapshot.tables)} tables.")


@action("5.3.2")
def test_the_schemas_are_compared(evidence: Evidence) -> None:
    """Compare final schema with local"""
    wanted, final = evidence.read(Snapshot, of="1.2"), evidence.read(Snapshot, of="5.3")
    differences = schema.differences(wanted, final)
    evidence.write(differences, "Differences")
    assert wanted.tables
    assert final.directus == wanted.directus, "local and production run different versions of Directus"
    evidence.note(
        f"{len(differences)} differences, {sum(d.only_observed for d in differences)} of them objects only production"
        f" has; {len(schema.ENVIRONMENT_SPECIFIC)} kind of difference is ignored with its reason."
    )


@action("5.3.3")
def test_every_collection_is_counted(
    production: DirectusObserver,
    database: PostgresObserver,
    database_url: Secret,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Verify all collection item counts"""
    final, before = evidence.read(Snapshot, of="5.3"), existing_rows.initial_rows(evidence)
    counts = audit.final_counts(
        production,
        final.tables,
        before=before,
        imported=audit.migrated_keys(evidence, settings, evidence.read(Snapshot, of="1.2").tables),
        account=partial(row_accounts.accounts, production, database_url, database, before),
        on_item=lambda name, done, total: progress("audit", f"counting {name}, collections", done, total),
    )
    assert [count.collection for count in counts] == list(final.tables)
    evidence.write(counts, "FinalCounts")
    evidence.note(
        f"{len(counts)} collections hold {sum(each.now for each in counts):,} items:"
        f" {sum(each.before for each in counts):,} from before, {sum(each.created for each in counts):,} imported."
    )


@action("5.3.4", dry_run=True)
def test_every_reference_is_followed(
    production: DirectusObserver, database: PostgresObserver, evidence: Evidence, progress: Progress
) -> None:
    """Final check for orphaned relationships"""
    snapshot = production.snapshot()
    found = audit.references(
        database, snapshot, lambda name, done, total: progress("audit", f"orphans of {name}, references", done, total)
    )
    assert len(found) >= audit.expected_references(snapshot)
    evidence.write(found, "References")
    evidence.note(f"{len(found)} references checked, {sum(each.orphans for each in found)} orphans.")


@action("5.3.5", dry_run=True)
def test_every_value_is_checked(
    production: DirectusObserver,
    database: PostgresObserver,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Check for data anomalies"""
    snapshot = production.snapshot()
    held = sum(database.counts(snapshot.tables).values())
    found = audit.anomalies(
        production,
        database,
        snapshot,
        evidence.read(DataExport, of="1.3"),
        settings.migration_dir,
        lambda name, done, total: progress("audit", f"values of {name}, collections", done, total),
    )
    # Others may write meanwhile: then the rows that were read are between the two counts.
    fewest, most = sorted((held, sum(database.counts(snapshot.tables).values())))
    assert fewest <= found.rows <= most
    evidence.write(found.findings, "Anomalies")
    evidence.note(
        f"Every value of {found.rows - sum(found.left_out.values()):,} rows checked: nulls, choices, dates, numbers,"
        f" encoding; {len(found.findings)} anomalies."
    )
    for name, number in found.left_out.items():
        evidence.note(
            f"Not read: {number:,} rows of {name}, which are production's own beside a small export; in them, nulls"
            " were counted in the database, and 5.3.A6 compares them with their fingerprint."
        )


@action("5.3.6")
def test_every_file_is_fetched(production: DirectusObserver, evidence: Evidence, progress: Progress) -> None:
    """Verify file uploads (if applicable)"""
    exported = evidence.read(AssetInventory, of="1.3").files
    kept = audit.kept_files(evidence.read(ImportResult, of="4.2"))
    found = audit.files(
        production,
        [file for file in exported if file.id not in kept],
        lambda name, done, total: progress("audit", f"fetching {name}, files", done, total),
    )
    assert len(found) + len(kept) == len(exported)
    evidence.write(found, "FileChecks")
    evidence.note(
        f"{len(found)} migrated files fetched from production, {sum(not each.wrong for each in found)} equal byte for"
        f" byte; {len(kept)} were production's own and stay as they are."
    )


@acceptance("5.3.A1")
def test_the_schemas_match(production: DirectusObserver, evidence: Evidence) -> None:
    """Production schema matches local schema"""
    wanted, final = evidence.read(Snapshot, of="1.2"), evidence.read(Snapshot, of="5.3")
    findings = schema.missing_objects(wanted, final, keeps=evidence.read(SchemaPlan, of="3.2").keeps)
    assert not findings, format_findings(findings)
    before = evidence.read(Snapshot, of="3.1")
    own = schema.only_observed(wanted, final)
    assert [each for each in own if each not in schema.only_observed(wanted, before)] == []
    moved = unfinished.moved_schema(final, production.snapshot(), group="5.3")
    assert not moved, format_findings(moved)
    evidence.note(f"Production has all of local's schema; {len(own)} objects of its own existed before and stay.")


@acceptance("5.3.A2")
def test_the_counts_are_right(evidence: Evidence) -> None:
    """All item counts verified and correct"""
    counts = evidence.read(list[FinalCount], of="5.3", name="FinalCounts")
    findings = checks.count_mismatches(counts)
    assert not findings, format_findings(findings)
    assert {c.collection for c in counts if c.migrated} == set(evidence.read(Snapshot, of="1.2").tables)
    evidence.note(f"{len(counts)} of {len(counts)} collections have their earlier plus their imported rows.")
    for sentence in row_accounts.summarize(each.account for each in counts if each.account):
        evidence.note(sentence)


@acceptance("5.3.A3")
def test_nothing_is_orphaned(evidence: Evidence) -> None:
    """No orphaned relationships found"""
    found = evidence.read(list[ReferenceCheck], of="5.3", name="References")
    findings = checks.orphaned_references(found)
    assert not findings, format_findings(findings)
    assert len(found) >= audit.expected_references(evidence.read(Snapshot, of="5.3"))
    evidence.note(f"{len(found)} references, 0 orphans.")


@acceptance("5.3.A4")
def test_no_anomaly_was_found(evidence: Evidence) -> None:
    """No data anomalies detected"""
    findings = evidence.read(list[Finding], of="5.3", name="Anomalies")
    wrong = [each for each in findings if each.code not in ASKED_BY_THE_APP]
    assert not wrong, format_findings(wrong)
    evidence.note("Every date and number is valid; no text has a wrong encoding.")
    for each in findings:
        evidence.note(f"Only the app asks for it, nothing is refused: {each.sentence}")


@acceptance("5.3.A5")
def test_files_are_intact(evidence: Evidence) -> None:
    """File uploads working (if applicable)"""
    found = evidence.read(list[FileCheck], of="5.3", name="FileChecks")
    findings = checks.damaged_files(found)
    assert not findings, format_findings(findings)
    assert found or not evidence.read(AssetInventory, of="1.3").files
    evidence.note(f"{len(found)} files answer with 200 and the bytes that were exported.")


@acceptance("5.3.A6")
def test_existing_rows_are_preserved(
    production: DirectusObserver,
    render: RenderObserver,
    comparison_context: ComparisonContext,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Complete data integrity confirmed"""
    now, found = existing_rows.observe_every_hash(comparison_context)
    files = file_store.read(production, render, render.service(settings.render_backend), progress)
    before = evidence.read(FileStore, of="1.4")
    findings = [*row_preservation.losses(found), *file_checks.changed_files(before, files)]
    assert not findings, format_findings(findings)
    assert found.rows > 0
    evidence.note(row_preservation.summarize(found))
    evidence.write(now)
    evidence.note(f"All {len(before.files) - len(before.missing)} earlier files have the same bytes.")


@acceptance("5.3.A7", closes=True)
def test_production_is_unchanged_and_no_write_is_in_doubt(
    production: DirectusObserver,
    database: PostgresObserver,
    database_url: Secret,
    settings: Settings,
    evidence: Evidence,
    lines_before: Sequence[LineId],
) -> None:
    """Migration fully successful and validated"""
    gates = [GateId.of(group) for group in ("4.3", "5.1", "5.2")]
    assert evidence.ledger.unpassed([*lines_before, *gates]) == []
    doubtful = unfinished.writes_in_doubt(evidence.ledger.in_doubt)
    assert not doubtful, format_findings(doubtful)
    counts = evidence.read(list[FinalCount], of="5.3", name="FinalCounts")
    again = production.counts(count.collection for count in counts)
    other = [count.collection for count in counts if again[count.collection] != count.now]
    imported = {**dict.fromkeys(other, ()), **audit.migrated_keys(evidence, settings, other)}
    before = existing_rows.initial_rows(evidence)
    accounts = row_accounts.accounts(production, database_url, database, before, imported)
    assert [name for name, each in accounts.items() if not each.explains(again[name] - each.known)] == []
    evidence.note("Counted again: no row is gone, and no write of the suite is in doubt.")
    for sentence in row_accounts.summarize(accounts.values()):
        evidence.note(sentence)


@gate("5.3")
def test_gate(unpassed_lines: list[str]) -> None:
    """The migration is validated; it may be documented."""
    assert unpassed_lines == []
