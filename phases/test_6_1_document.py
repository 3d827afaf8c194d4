"""6.1  Document Migration Results

Purpose     A later reader finds what was done, what it changed, and how to roll it back.
Needs       5.1 · 5.2 · 5.3 the migration is validated
Writes      migration/MIGRATION_REPORT.md in the backend's working copy, which git ignores
On failure  correct what is named and run the same command again
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.checks import documents as document_checks
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.backup import RollbackPoint
from fixtures.model.closing import FollowUp
from fixtures.model.finding import format_findings
from fixtures.operations.backups import backup
from fixtures.operations.closing.follow_ups import follow_ups

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.evidence.store import Evidence
    from fixtures.model.story import Story
    from fixtures.report.documents import MigrationReport
    from fixtures.settings import Settings
    from fixtures.systems.postgres.dump import PostgresTools

pytestmark = task_group("6.1")


@action("6.1.1")
def test_the_final_state_is_documented(
    migration_report: MigrationReport, story: Callable[[], Story], evidence: Evidence
) -> None:
    """Document final state"""
    now = story()
    assert now.migrated
    assert now.counts
    findings = document_checks.missing_from_report(
        migration_report.write(), must_name=[each.collection for each in now.counts]
    )
    assert not findings, format_findings(findings)
    evidence.note(
        f"{now.migrated.collections} collections; {now.time_in_lines.total_seconds():,.0f} s in steps and criteria;"
        f" {len(now.failures)} line(s) did not pass at once."
    )


@action("6.1.2")
def test_the_schema_changes_are_documented(
    migration_report: MigrationReport, story: Callable[[], Story], evidence: Evidence
) -> None:
    """Document schema changes applied"""
    schema = story().schema
    assert schema
    named = [f"`{change.name}`" for change in (*schema.changes, *schema.withheld)]
    findings = document_checks.missing_from_report(migration_report.write(), must_name=named)
    assert not findings, format_findings(findings)
    evidence.note(f"{len(schema.done)} changes, {len(schema.created_collections)} new collections among them.")


@action("6.1.3")
def test_the_data_results_are_documented(
    migration_report: MigrationReport, story: Callable[[], Story], evidence: Evidence
) -> None:
    """Document data migration results"""
    now = story()
    assert now.migrated
    findings = document_checks.missing_from_report(
        migration_report.write(), must_name=[each.collection for each in now.outcomes]
    )
    assert not findings, format_findings(findings)
    evidence.note(
        f"{now.migrated.created:,} rows imported, {now.migrated.skipped:,} skipped, {len(now.refusals)} refused,"
        f" {len(now.conflicts)} conflicts named."
    )


@action("6.1.4")
def test_the_rollback_is_documented(
    migration_report: MigrationReport, pg_tools: PostgresTools, evidence: Evidence
) -> None:
    """Document rollback information"""
    point = evidence.read(RollbackPoint, of="1.4")
    findings = document_checks.missing_from_report(migration_report.write(), must_name=[point.id])
    findings += backup.verify(point, pg_tools)
    assert not findings, format_findings(findings)
    evidence.note(f"A rollback restores backup {point.id} of {point.taken_at:%Y-%m-%d %H:%M:%SZ}, which is whole.")


@action("6.1.5")
def test_the_checklist_is_documented(
    migration_report: MigrationReport, story: Callable[[], Story], evidence: Evidence
) -> None:
    """Create post-migration checklist"""
    tasks = follow_ups(story())
    evidence.write(tasks, "FollowUps")
    findings = document_checks.missing_from_report(migration_report.write(), must_name=[task.what for task in tasks])
    assert not findings, format_findings(findings)
    evidence.note(f"{len(tasks)} tasks are left for people.")


@acceptance("6.1.A1")
def test_the_report_is_complete(
    migration_report: MigrationReport, story: Callable[[], Story], evidence: Evidence
) -> None:
    """Migration report created and complete"""
    text = migration_report.text
    findings = document_checks.missing_from_report(text, must_name=[each.collection for each in story().counts])
    assert not findings, format_findings(findings)
    evidence.attach(migration_report.path.name, text)
    evidence.note(f"migration/{migration_report.path.name}, {len(text):,} characters in five chapters.")


@acceptance("6.1.A2")
def test_the_report_contains_every_result(
    migration_report: MigrationReport, story: Callable[[], Story], evidence: Evidence
) -> None:
    """All results documented"""
    now = story()
    assert now.unreadable == (), "some evidence cannot be read, so the report lacks its content"
    assert now.schema
    assert now.outcomes
    named = [change.name for change in (*now.schema.changes, *now.schema.withheld)]
    named += [outcome.collection for outcome in now.outcomes]
    named += [f"{conflict.collection} {conflict.key}" for conflict in now.conflicts]
    named += [each.what for each in now.not_carried]
    named += [" ".join(each.split()) for each in now.outside.objects]
    named += [each.rule.object for each in now.outside.rules]
    findings = document_checks.missing_from_report(migration_report.text, must_name=named)
    assert not findings, format_findings(findings)
    evidence.note(f"{len(set(named))} changes, collections and conflicts are each named in it.")


@acceptance("6.1.A3")
def test_the_report_contains_the_rollback_information(
    migration_report: MigrationReport, pg_tools: PostgresTools, settings: Settings, evidence: Evidence
) -> None:
    """Rollback information preserved"""
    point = evidence.read(RollbackPoint, of="1.4")
    facts = (point.id, point.dump.sha256, point.dump.path, f"{point.taken_at:%Y-%m-%d %H:%M:%SZ}")
    findings = document_checks.missing_from_report(migration_report.text, must_name=[*facts, settings.rollback_contact])
    findings += backup.verify(point, pg_tools)
    assert not findings, format_findings(findings)
    evidence.note("The dump is byte for byte what was written, and the key of this target opens it.")


@acceptance("6.1.A4")
def test_the_report_contains_every_follow_up(migration_report: MigrationReport, evidence: Evidence) -> None:
    """Follow-up tasks identified"""
    tasks = evidence.read(list[FollowUp], of="6.1", name="FollowUps")
    findings = document_checks.missing_from_report(migration_report.text, must_name=[task.what for task in tasks])
    assert tasks
    assert not findings, format_findings(findings)


@gate("6.1")
def test_gate(unpassed_lines: list[str]) -> None:
    """The migration is documented; it may be cleaned up and archived."""
    assert unpassed_lines == []
