"""6.2  Cleanup & Archival

Purpose     No scratch row is left in production, the files are archived, and the stakeholders are notified.
Needs       6.1 the migration is documented
Writes      deletes scratch rows of this suite; one notice to the stakeholders; files on this machine
On failure  correct what is named and run the same command again
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fixtures.checks.rows import audit
from fixtures.checks.site import health
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.audit import FinalCount
from fixtures.model.closing import Archive, MonitoringPlan, Notice
from fixtures.model.export import Inventory
from fixtures.model.finding import format_findings
from fixtures.operations import unfinished
from fixtures.operations.closing import archive, cleanup, monitoring, notices
from fixtures.operations.code import rollout
from fixtures.operations.preservation import existing_rows
from fixtures.operations.site import measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.evidence.store import Evidence
    from fixtures.model.applied_schema import AppliedSchema
    from fixtures.model.site import SiteMap
    from fixtures.model.story import Story
    from fixtures.report.documents import Documents, MigrationReport
    from fixtures.settings import Settings
    from fixtures.systems.directus import DirectusObserver, DirectusSandbox
    from fixtures.systems.render import RenderObserver

pytestmark = task_group("6.2")


@action("6.2.1")
def test_the_files_are_archived(settings: Settings, evidence: Evidence, now: datetime) -> None:
    """Archive migration files locally"""
    archive_dir = settings.archive_dir or settings.backend_repo.parent
    made = archive.write_archive(evidence, settings.migration_dir, archive_dir, now=now)
    assert made.members
    evidence.write(made)
    evidence.note(f"{len(made.members)} files of migration/ are in {made.path}, {made.size_bytes:,} bytes.")


@action("6.2.2")
def test_scratch_rows_are_deleted(production_sandbox: DirectusSandbox, evidence: Evidence) -> None:
    """Clean up temporary files in production"""
    inventory = evidence.read(Inventory, of="1.3")
    before = existing_rows.initial_rows(evidence).value
    left = cleanup.leftover_scratch_rows(production_sandbox, inventory, before)
    production_sandbox.clean_up()
    remaining = unfinished.scratch_rows(production_sandbox)
    assert not remaining, format_findings(remaining)
    evidence.note(
        f"{len(left)} scratch rows of interrupted tests removed; no file was written to the service: all requests used"
        " the API."
    )


@action("6.2.3")
def test_the_project_is_documented(
    site: SiteMap, documents: Documents, settings: Settings, evidence: Evidence, story: Callable[[], Story]
) -> None:
    """Update project documentation"""
    now = story()
    assert now.schema
    assert now.counts
    new_pages = [f"{page.title} ({page.path})" for page in site.pages if page.since == "new"]
    text = documents.render(cleanup.NOTES, story=now, pages=new_pages)
    path = cleanup.write_document(settings.migration_dir, cleanup.NOTES, text, changed=now.changed)
    assert path.stat().st_size > 0
    evidence.attach(path.name, path.read_text(encoding="utf-8"))
    evidence.note(f"New collections, fields, relationships and pages are described in migration/{path.name}.")


@action("6.2.4")
def test_stakeholders_are_notified(
    migration_report: MigrationReport,
    documents: Documents,
    settings: Settings,
    evidence: Evidence,
    story: Callable[[], Story],
    now: datetime,
) -> None:
    """Notify stakeholders"""
    done = story()
    assert done.schema
    assert done.migrated
    assert done.rollback_point
    report, changed = migration_report.path, done.changed
    text = documents.render(cleanup.NOTICE, story=done, target=settings.directus_url, report=str(report))
    cleanup.write_document(settings.migration_dir, cleanup.NOTICE, text, changed=changed)
    findings = notices.missing_address(settings.notify_webhook_url)
    assert not findings, format_findings(findings)
    before = notices.sent_notice(evidence, changed=changed)
    notice = before or notices.send_notice(evidence, settings.notify_webhook_url, text.strip(), now=lambda: now)
    evidence.note(
        f"Stakeholders were notified at {notice.sent_at:%Y-%m-%d %H:%M:%SZ}{', already in place' if before else ''}."
    )


@action("6.2.5")
def test_monitoring_is_planned(documents: Documents, settings: Settings, evidence: Evidence, now: datetime) -> None:
    """Schedule follow-up monitoring"""
    plan = monitoring.plan(now, contact=settings.rollback_contact, fingerprint=settings.fingerprint)
    documents.place("MONITORING.md", documents.render("MONITORING.md", plan=plan))
    documents.place(monitoring.CALENDAR, monitoring.as_calendar(plan))
    assert plan.scheduled_checks
    evidence.write(plan)
    evidence.attach(monitoring.CALENDAR, monitoring.as_calendar(plan))
    evidence.write(archive.write_archive(evidence, settings.migration_dir, settings.migration_dir.parent, now=now))
    evidence.note(
        f"{len(plan.scheduled_checks)} appointments from {plan.scheduled_checks[0].at:%Y-%m-%d %H:%MZ} on,"
        " in monitoring.ics; the archive holds them too."
    )


@acceptance("6.2.A1")
def test_the_archive_is_complete(settings: Settings, evidence: Evidence) -> None:
    """Migration files archived safely"""
    made = evidence.read(Archive, of="6.2")
    findings = archive.archive_problems(made, settings.migration_dir)
    assert not findings, format_findings(findings)
    evidence.note(f"The archive opens; its {len(made.members)} files equal those of migration/.")


@acceptance("6.2.A2")
def test_no_scratch_row_or_paused_flow_is_left(production_sandbox: DirectusSandbox, evidence: Evidence) -> None:
    """Production environment cleaned up"""
    inventory, before = evidence.read(Inventory, of="1.3"), existing_rows.initial_rows(evidence).value
    left = cleanup.leftover_scratch_rows(production_sandbox, inventory, before)
    findings = [
        *unfinished.named_scratch_rows(left),
        *unfinished.writes_in_doubt(evidence.ledger.in_doubt),
        *unfinished.paused_flows(evidence),
    ]
    assert not findings, format_findings(findings)
    evidence.note("No scratch row is left, no flow is paused, no write is unsettled.")


@acceptance("6.2.A3")
def test_the_notes_name_everything_new(settings: Settings, applied: AppliedSchema) -> None:
    """Documentation updated"""
    findings = cleanup.incomplete_notes(settings.migration_dir, applied.created_collections)
    assert not findings, format_findings(findings)


@acceptance("6.2.A4")
def test_the_notice_was_accepted(evidence: Evidence, story: Callable[[], Story]) -> None:
    """Stakeholders notified"""
    notice = notices.sent_notice(evidence, changed=story().changed)
    assert isinstance(notice, Notice), "the webhook accepted no notice in this migration"
    evidence.note(f"Accepted at {notice.sent_at:%Y-%m-%d %H:%M:%SZ}.")


@acceptance("6.2.A5")
def test_checks_are_planned(settings: Settings, evidence: Evidence, now: datetime) -> None:
    """Monitoring plan in place"""
    plan = evidence.read(MonitoringPlan, of="6.2")
    findings = monitoring.problems(plan, settings.migration_dir, contact=settings.rollback_contact, now=now)
    assert not findings, format_findings(findings)
    first = plan.scheduled_checks[0].at
    evidence.note(f"The first check is at {first:%Y-%m-%d %H:%MZ}; {plan.contact} is named in each appointment.")


@acceptance("6.2.A6", closes=True)
def test_production_is_stable(
    production: DirectusObserver, render: RenderObserver, settings: Settings, evidence: Evidence, now: datetime
) -> None:
    """Migration complete and production stable"""
    services = [render.service(name) for name in (settings.render_frontend, settings.render_backend)]
    database = render.database(settings.render_postgres)
    began = evidence.ledger.opened_at
    findings = health.alert_findings(measure.alerts(render, services, database, began=began), now=now)
    assert not findings, format_findings(findings)
    counts = evidence.read(list[FinalCount], of="5.3", name="FinalCounts")
    now_counted = production.counts(each.collection for each in counts)
    findings = [*rollout.endpoint_findings(production), *audit.fewer_than_expected(counts, now_counted)]
    assert not findings, format_findings(findings)
    evidence.note("Both services and the database are up, and every collection contains at least the expected items.")


@gate("6.2")
def test_gate(unpassed_lines: list[str]) -> None:
    """The migration is complete."""
    assert unpassed_lines == []
