"""5.2  Performance & Resource Check

Purpose     Production serves the migrated data within its budgets and limits, without alerts.
Needs       5.1 the application works
Writes      nothing
On failure  find the cause; restore the backup named by gate 1.4 if performance is severely degraded
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fixtures.checks.site import health, latency
from fixtures.checks.site import logs as log_checks
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.export import Inventory
from fixtures.model.finding import format_findings
from fixtures.model.health import Alert, DatabaseLoad, LogLine, Metric, MetricStatus
from fixtures.model.snapshot import Snapshot
from fixtures.model.timing import Timing
from fixtures.model.visit import PageVisit
from fixtures.operations.site import endpoint_timings, measure
from fixtures.operations.site.visit import VisitResults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.evidence.store import Evidence
    from fixtures.model.ids import LineId
    from fixtures.operations.site.visit import SiteTour
    from fixtures.process.progress import Progress
    from fixtures.settings import Settings
    from fixtures.systems.directus import DirectusObserver
    from fixtures.systems.postgres.observer import PostgresObserver
    from fixtures.systems.render import RenderObserver

pytestmark = task_group("5.2")

SAMPLES = 20  # the fewest answers whose 95th percentile is not simply the slowest
PAGE_SIZE = 100  # Directus' default limit of a list
P95 = 0.95


@action("5.2.1", dry_run=True)
def test_metrics_are_read(
    render: RenderObserver,
    database: PostgresObserver,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
    now: datetime,
) -> None:
    """Review Render metrics"""
    progress("Render", "metrics of both services and the database")
    since = measure.metrics_window(evidence.ledger.opened_at, now)
    found = measure.service_metrics(render, render.service(settings.render_frontend), since=since, until=now)
    found += measure.service_metrics(render, render.service(settings.render_backend), since=since, until=now)
    found += measure.database_metrics(
        render, render.database(settings.render_postgres), database, since=since, until=now
    )
    assert found
    evidence.write(found, "Metrics")
    evidence.note("; ".join(map(measure.summarize, found)) + ".")


@action("5.2.2", dry_run=True)
def test_queries_are_read(
    render: RenderObserver, database: PostgresObserver, settings: Settings, evidence: Evidence, progress: Progress
) -> None:
    """Check database query performance"""
    progress("database", "sessions and statements")
    load = measure.database_load(render, render.database(settings.render_postgres), database)
    evidence.write(load)
    assert load.most_connections > 0
    evidence.note(
        f"{load.connections} of {load.most_connections} connections, {load.waiting} waiting for a lock;"
        f" {len(load.statements)} statements from {load.source or 'no source'}, the slowest"
        f" {max((each.mean_ms for each in load.statements), default=0):.0f} ms on average."
    )


@action("5.2.3", dry_run=True)
def test_the_api_is_timed(
    production: DirectusObserver, settings: Settings, evidence: Evidence, progress: Progress
) -> None:
    """Test API response times"""
    there = {entry["collection"] for entry in production.collections()}
    collections = {each.name: each.key for each in evidence.read(Inventory, of="1.3").profiles if each.name in there}
    timings = endpoint_timings.endpoint_timings(
        production,
        collections,
        settings.api_budget,
        samples=SAMPLES,
        page_size=PAGE_SIZE,
        on_count=lambda done, total: progress("API", "answers timed, endpoints", done, total),
    )
    evidence.write(timings, "EndpointTimings")
    if not collections:
        evidence.note("Not applicable yet: no collection of the project is in production before 3.3.")
        return
    assert timings
    slowest = max(latency.latency_summaries(timings, settings.api_budget), key=lambda speed: speed.p95_ms)
    longer = sum(len(timing.samples_ms) > latency.FIRST_ANSWERS for timing in timings)
    evidence.note(
        f"{len(timings)} endpoints, {latency.FIRST_ANSWERS} answers each, two endpoints at a time, and {SAMPLES} of"
        f" {longer} that took longer than half of {settings.api_p95_ms:g} ms, one at a time; the slowest is"
        f" {slowest.name} with a p95 of {slowest.p95_ms:.0f} ms."
    )


@action("5.2.4", dry_run=True)
def test_pages_are_timed(site_tour: SiteTour, evidence: Evidence, progress: Progress) -> None:
    """Test frontend load times"""
    expected = site_tour.reachable()
    sightings = VisitResults(lambda *_: None, lambda path, done: progress("site", f"load {path}", done, len(expected)))
    seen = site_tour.loads(sightings)
    assert tuple(visit.path for visit in seen) == expected
    evidence.write(seen, "PageLoads")
    slowest = max(seen, key=lambda visit: visit.load_ms)
    evidence.note(f"{len(seen)} pages; the slowest, {slowest.path}, drew its data after {slowest.load_ms:.0f} ms.")


@action("5.2.5", dry_run=True)
def test_logs_are_read(
    render: RenderObserver, settings: Settings, evidence: Evidence, progress: Progress, now: datetime
) -> None:
    """Review application logs"""
    began = evidence.ledger.opened_at
    lines: list[LogLine] = []
    for name in (settings.render_frontend, settings.render_backend):
        progress("Render", f"log of {name}")
        service = render.service(name)
        since = measure.log_window(render, service, began=began)
        lines += measure.logs(render, service, since=since, until=now, required_text=log_checks.SERVICE_LIVE_TEXT)
    evidence.write(lines, "LogLines")
    assert lines, "no log line of the live deploy was found, so its log cannot be checked"
    found = log_checks.review(lines, measure.explanations(evidence, settings))
    evidence.note(
        f"Since the live deploy: {len(found.errors)} errors, {len(found.warnings)} warnings."
        " A static site writes no log at run time."
    )
    for sentence in found.sentences:
        evidence.note(sentence)


@action("5.2.6", dry_run=True)
def test_alerts_are_read(render: RenderObserver, settings: Settings, evidence: Evidence, progress: Progress) -> None:
    """Check for resource alerts"""
    progress("Render", "events, suspensions, maintenance")
    services = [render.service(name) for name in (settings.render_frontend, settings.render_backend)]
    database = render.database(settings.render_postgres)
    signs = measure.alerts(render, services, database, began=evidence.ledger.opened_at)
    assert signs, "Render gave no event and no state, not even of the database"
    evidence.write(signs, "Alerts")
    evidence.note(f"{len(signs)} events and states of {len(services)} services and the database read.")


@acceptance("5.2.A1", dry_run=True)
def test_resources_are_normal(evidence: Evidence) -> None:
    """CPU and memory usage within normal ranges"""
    measures = evidence.read(list[Metric], of="5.2", name="Metrics")
    findings = health.resource_findings(measures)
    assert not findings, format_findings(findings)
    measured = {each.quantity for each in measures if each.status is MetricStatus.MEASURED}
    missing = sorted({"cpu", "memory"} - measured)
    assert missing == [], f"Render measured no {' and no '.join(missing)}; a plan with metrics is needed"
    nearest = max(measures, key=lambda each: each.share)
    evidence.note(f"Closest to its limit: {nearest.resource} {nearest.quantity} with {nearest.share:.0%}.")


@acceptance("5.2.A2", dry_run=True)
def test_the_database_load_is_normal(evidence: Evidence) -> None:
    """No database performance issues"""
    load = evidence.read(DatabaseLoad, of="5.2")
    findings = [*health.database_findings(load), *health.statements_unavailable(load)]
    assert not findings, format_findings(findings)
    evidence.note(f"None of {len(load.statements)} statements takes {health.SLOW_STATEMENT.limit:g} ms on average.")


@acceptance("5.2.A3", dry_run=True)
def test_the_api_is_within_its_budget(settings: Settings, evidence: Evidence) -> None:
    """API response times acceptable"""
    timings = evidence.read(list[Timing], of="5.2", name="EndpointTimings")
    findings = latency.over_budget(timings, settings.api_budget, share=P95, least_samples=SAMPLES)
    assert not findings, format_findings(findings)
    if not timings:
        exported = {profile.name for profile in evidence.read(Inventory, of="1.3").profiles}
        assert exported.isdisjoint(evidence.read(Snapshot, of="3.1").tables)
        evidence.note("Not applicable yet: production has no collection before 3.3.")
        return
    evidence.note(f"{len(timings)} endpoints answer within {settings.api_p95_ms:g} ms at p95.")


@acceptance("5.2.A4", dry_run=True)
def test_pages_are_within_their_budget(settings: Settings, evidence: Evidence) -> None:
    """Frontend load times acceptable"""
    visits = evidence.read(list[PageVisit], of="5.2", name="PageLoads")
    findings = latency.slow_pages(visits, settings.page_budget)
    assert not findings, format_findings(findings)
    assert visits
    timings = evidence.read(list[Timing], of="5.2", name="EndpointTimings")
    speeds = latency.latency_summaries(latency.page_timings(visits), settings.page_budget)
    evidence.write([*speeds, *latency.latency_summaries(timings, settings.api_budget)], "LatencySummaries")
    evidence.note(f"{len(visits)} pages draw their data within {settings.page_load_ms:g} ms.")


@acceptance("5.2.A5")
def test_the_log_is_clean(settings: Settings, evidence: Evidence) -> None:
    """No errors or warnings in logs"""
    lines = evidence.read(list[LogLine], of="5.2", name="LogLines")
    findings = log_checks.findings(
        lines,
        required_text=log_checks.SERVICE_LIVE_TEXT,
        resource=settings.render_backend,
        explanations=measure.explanations(evidence, settings),
    )
    assert not findings, format_findings(findings)
    evidence.note("The log is readable, shows the live deploy, and has no error or warning but expected ones.")


@acceptance("5.2.A6")
def test_no_alert_is_open(evidence: Evidence, now: datetime) -> None:
    """No resource alerts or warnings"""
    signs = evidence.read(list[Alert], of="5.2", name="Alerts")
    findings = health.alert_findings(signs, now=now)
    assert not findings, format_findings(findings)
    assert signs
    evidence.note(f"None of {len(signs)} events and states is an alert.")


@acceptance("5.2.A7", closes=True)
def test_production_performs(production: DirectusObserver, evidence: Evidence, lines_before: Sequence[LineId]) -> None:
    """Application performing well under current load"""
    assert evidence.ledger.unpassed(lines_before) == []
    answer = production.health()
    assert answer.status == 200, f"production's own health check answers {answer.status} {answer.message}"
    evidence.note(f"Production's own health check is ok after {answer.duration_ms:.0f} ms.")


@gate("5.2")
def test_gate(unpassed_lines: list[str]) -> None:
    """Production performs within its budgets; the final data audit may begin."""
    assert unpassed_lines == []
