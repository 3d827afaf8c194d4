"""6.1  Document Migration Results

Purpose     Whoever comes later can read what was done, what it did, and how to go back.
Needs       5.1 · 5.2 · 5.3 the migration is validated
Writes      migration/MIGRATION_REPORT.md in the backend's working copy, which git ignores
On failure  correct what is named and run the same command again
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.audit import FinalCount
from fixtures.model.backup import RollbackPoint
from fixtures.model.closing import FollowUp
from fixtures.model.finding import format_findings
from fixtures.model.story import LatencySummary, Story
from fixtures.operations.backups import backup
from fixtures.operations.closing import history, migration_report, remaining

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.evidence.store import Evidence
    from fixtures.operations.closing.migration_report import Report
    from fixtures.settings import Settings

pytestmark = task_group("6.1")


@action("6.1.1")
def test_the_final_state_is_written_down(migration_document: Report, evidence: Evidence) -> None:
    """Document final state"""
    course = history.course(evidence.ledger)
    counts = evidence.read(list[FinalCount], of="5.3", name="FinalCounts")
    speeds = evidence.read(list[LatencySummary], of="5.2", name="Speeds")
    path = migration_document.add(migration_report.final_state(course, counts, speeds))
    assert path.stat().st_size > 0
    evidence.note(
        f"{sum(each.migrated for each in counts)} collections in {migration_report.span(course.worked)} of work;"
        f" {len(course.interruptions)} line(s) did not pass at once."
    )


@action("6.1.2")
def test_the_schema_changes_are_written_down(migration_document: Report, evidence: Evidence) -> None:
    """Document schema changes applied"""
    plan = history.applied_plan(evidence)
    path = migration_document.add(migration_report.schema_changes(plan))
    assert path.stat().st_size > 0
    evidence.note(f"{len(plan.to_apply)} changes, {len(plan.created_collections)} new collections among them.")


@action("6.1.3")
def test_the_data_results_are_written_down(migration_document: Report, evidence: Evidence) -> None:
    """Document data migration results"""
    counts = evidence.read(list[FinalCount], of="5.3", name="FinalCounts")
    results = history.import_results(evidence)
    assert results
    migration_document.add(migration_report.data_results(results, counts))
    evidence.note(
        f"{sum(each.created for each in counts):,} rows imported, {results[-1].skipped:,} skipped in the last run,"
        f" {len(results[-1].refusals)} refused, {len(results[-1].conflicts)} conflicts named."
    )


@action("6.1.4")
def test_the_way_back_is_written_down(
    migration_document: Report, settings: Settings, evidence: Evidence, story: Callable[[], Story]
) -> None:
    """Document rollback information"""
    point = evidence.read(RollbackPoint, of="1.4")
    migration_document.add(
        migration_report.rollback(
            point,
            contact=settings.rollback_contact,
            procedure=remaining.ROLLBACK.format(target=settings.target),
            measured=story().rollback_timings,
        )
    )
    findings = backup.verify(point)
    assert not findings, format_findings(findings)
    evidence.note(f"The way back is backup {point.id} of {point.taken_at:%Y-%m-%d %H:%M:%SZ}, still whole.")


@action("6.1.5")
def test_the_checklist_is_written_down(migration_document: Report, settings: Settings, evidence: Evidence) -> None:
    """Create post-migration checklist"""
    tasks = remaining.follow_ups(evidence, contact=settings.rollback_contact)
    assert tasks
    migration_document.add(
        migration_report.checklist(
            tasks,
            watch=remaining.TO_WATCH,
            known=remaining.known_issues(evidence),
            deviations=migration_document.deviations,
        )
    )
    evidence.write(tasks, "FollowUps")
    evidence.note(f"{len(tasks)} tasks are left for people.")


@acceptance("6.1.A1")
def test_the_report_is_whole(migration_document: Report, evidence: Evidence) -> None:
    """Migration report created and complete"""
    counts = evidence.read(list[FinalCount], of="5.3", name="FinalCounts")
    text = migration_document.path.read_text(encoding="utf-8")
    findings = migration_report.unfinished(text, must_name=[each.collection for each in counts])
    assert not findings, format_findings(findings)
    evidence.attach(migration_document.path.name, text)
    evidence.note(f"migration/{migration_document.path.name}, {len(text):,} characters in five chapters.")


@acceptance("6.1.A2")
def test_every_result_is_in_it(migration_document: Report, evidence: Evidence) -> None:
    """All results documented"""
    text = migration_document.path.read_text(encoding="utf-8")
    plan, last = history.applied_plan(evidence), history.import_results(evidence)[-1]
    named = [change.name for change in plan.changes] + [outcome.collection for outcome in last.outcomes]
    named += [f"{conflict.collection} {conflict.key}" for conflict in last.conflicts]
    findings = migration_report.unfinished(text, must_name=named)
    assert not findings, format_findings(findings)
    evidence.note(f"{len(set(named))} changes, collections and conflicts are each named in it.")


@acceptance("6.1.A3")
def test_the_way_back_is_kept(migration_document: Report, settings: Settings, evidence: Evidence) -> None:
    """Rollback information preserved"""
    text, point = migration_document.path.read_text(encoding="utf-8"), evidence.read(RollbackPoint, of="1.4")
    facts = (point.id, point.dump.sha256, point.dump.path, f"{point.taken_at:%Y-%m-%d %H:%M:%SZ}")
    findings = migration_report.unfinished(text, must_name=[*facts, settings.rollback_contact])
    findings += backup.verify(point)
    assert not findings, format_findings(findings)


@acceptance("6.1.A4")
def test_the_tasks_are_known(migration_document: Report, evidence: Evidence) -> None:
    """Follow-up tasks identified"""
    tasks = evidence.read(list[FollowUp], of="6.1", name="FollowUps")
    text = migration_document.path.read_text(encoding="utf-8")
    findings = migration_report.unfinished(text, must_name=[task.what for task in tasks])
    assert tasks
    assert not findings, format_findings(findings)


@gate("6.1")
def test_gate(unmet: list[str]) -> None:
    """The migration is documented; it may be cleaned up and archived."""
    assert unmet == []
