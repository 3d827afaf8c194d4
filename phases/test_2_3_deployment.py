"""2.3  Deployment Verification & Coordination

Purpose     Both services serve what was pushed, and production works with it, before its data model is changed.
Needs       2.1 and 2.2, which ran in parallel
Writes      nothing; logging in to the admin app leaves a session, as every login does
On failure  use Render's rollback to the earlier deploy, or git revert and push
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.checks.code import rollout as checks
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.finding import format_findings
from fixtures.model.snapshot import Snapshot
from fixtures.operations.code import rollout
from fixtures.operations.site import measure

if TYPE_CHECKING:
    from fixtures.evidence.store import Evidence
    from fixtures.model.site import SiteMap
    from fixtures.process.progress import Progress
    from fixtures.settings import Settings
    from fixtures.systems.browser.window import Browser
    from fixtures.systems.directus import DirectusObserver
    from fixtures.systems.render import RenderObserver

pytestmark = task_group("2.3")


@action("2.3.1")
def test_both_services_are_live(render: RenderObserver, evidence: Evidence) -> None:
    """Verify both services deployed"""
    delivered = rollout.deliveries(evidence)
    found = rollout.service_states(render, delivered)
    findings = [*checks.services_not_serving(found, delivered), *checks.not_parallel(list(delivered.values()))]
    assert not findings, format_findings(findings)
    assert len(found) == len(delivered)
    evidence.write(found, "services")
    for state in found:
        evidence.note(rollout.summarize(state))


@action("2.3.2")
def test_the_site_opens(
    browser: Browser, production: DirectusObserver, site: SiteMap, evidence: Evidence, progress: Progress
) -> None:
    """Test frontend accessibility"""
    delivered = rollout.deliveries(evidence)["frontend"]
    arriving = rollout.arriving_collections(production, evidence.read(Snapshot, of="1.2"))
    progress("site", f"opening {delivered.service_url}")
    visit, picture, findings = rollout.visit_site(
        browser, delivered, arriving=arriving, directus_url=production.url, commit_selector=site.site.commit
    )
    evidence.attach("site.jpg", picture)
    assert not findings, format_findings(findings)
    evidence.note(f'"{visit.title}" opened in {visit.load_ms:,.0f} ms without an error on its console.')
    evidence.note(rollout.summarize_build(delivered.commit, site.site.commit))
    for sentence in rollout.summarize_visit(visit, arriving, directus_url=production.url):
        evidence.note(sentence)


@action("2.3.3")
def test_the_backend_answers(production: DirectusObserver, evidence: Evidence) -> None:
    """Test backend accessibility"""
    findings = [
        *rollout.backend_mismatch(production, rollout.deliveries(evidence)["backend"]),
        *rollout.endpoint_findings(production),
    ]
    assert not findings, format_findings(findings)
    evidence.note(f"/server/health answers 200 and the root leads to the app; Directus {production.version}.")


@action("2.3.4")
def test_an_administrator_can_log_in(
    browser: Browser, production: DirectusObserver, settings: Settings, evidence: Evidence, progress: Progress
) -> None:
    """Verify Directus admin access"""
    progress("admin app", "logging in")
    shown, picture, findings = rollout.visit_admin_app(
        browser, settings.directus_url, settings.admin_email, settings.admin_password
    )
    evidence.attach("admin.jpg", picture)
    assert not findings, format_findings(findings)
    reachable, names = rollout.readable_collections(production)
    findings = [*checks.unreachable_collections(reachable, names), *checks.unlisted_collections(shown, names)]
    assert not findings, format_findings(findings)
    evidence.note(
        f"The app lists all {len(names)} collections; all {sum(reachable.rows.values()):,} rows are there."
        if names
        else "Production has no collection yet."
    )


@action("2.3.5")
def test_the_logs_are_clean(render: RenderObserver, settings: Settings, evidence: Evidence, progress: Progress) -> None:
    """Review deployment logs"""
    progress("logs", "reading both services' logs since their deploys began")
    delivered = rollout.deliveries(evidence)
    until = rollout.log_window(evidence, delivered).until
    explanations = measure.explanations(evidence, settings)
    total, findings, explained = rollout.log_findings(
        render, delivered, until, evidence.attach, explanations=explanations
    )
    for sentence in explained:
        evidence.note(sentence)
    assert not findings, format_findings(findings)
    evidence.note(f"{total:,} lines of both logs read from the begin of the builds: no unexplained error or warning.")


@acceptance("2.3.A1")
def test_the_delivered_commits_are_live(render: RenderObserver, evidence: Evidence) -> None:
    """Both frontend and backend deployed successfully"""
    delivered = rollout.deliveries(evidence)
    findings = checks.services_not_serving(rollout.service_states(render, delivered), delivered)
    assert not findings, format_findings(findings)
    assert sorted(delivered) == ["backend", "frontend"]


@acceptance("2.3.A2")
def test_the_frontend_loads(browser: Browser, production: DirectusObserver, site: SiteMap, evidence: Evidence) -> None:
    """Frontend accessible and loading correctly"""
    delivered = rollout.deliveries(evidence)["frontend"]
    arriving = rollout.arriving_collections(production, evidence.read(Snapshot, of="1.2"))
    visit, _, findings = rollout.visit_site(
        browser, delivered, arriving=arriving, directus_url=production.url, commit_selector=site.site.commit
    )
    assert not findings, format_findings(findings)
    assert visit.title


@acceptance("2.3.A3")
def test_the_backend_is_healthy(production: DirectusObserver) -> None:
    """Backend health check passes"""
    findings = rollout.endpoint_findings(production)
    assert not findings, format_findings(findings)
    assert production.ping()


@acceptance("2.3.A4")
def test_the_admin_app_is_accessible(evidence: Evidence) -> None:
    """Directus admin UI accessible"""
    assert evidence.find("admin.jpg", of="2.3").stat().st_size > 0


@acceptance("2.3.A5")
def test_no_deployment_error_is_logged(render: RenderObserver, settings: Settings, evidence: Evidence) -> None:
    """No deployment errors in logs"""
    delivered = rollout.deliveries(evidence)
    until = rollout.log_window(evidence, delivered).until
    explanations = measure.explanations(evidence, settings)
    total, findings, _ = rollout.log_findings(render, delivered, until, evidence.attach, explanations=explanations)
    assert not findings, format_findings(findings)
    assert total > 0


@acceptance("2.3.A6", closes=True)
def test_the_schema_may_be_migrated(production: DirectusObserver, render: RenderObserver, evidence: Evidence) -> None:
    """Ready to proceed with schema migration"""
    delivered = rollout.deliveries(evidence)
    findings = [
        *checks.services_not_serving(rollout.service_states(render, delivered), delivered),
        *rollout.endpoint_findings(production),
    ]
    assert not findings, format_findings(findings)
    assert production.is_admin(), "the token does not see production's schema, so it could not be migrated"


@gate("2.3")
def test_gate(unpassed_lines: list[str]) -> None:
    """Both services are live and clean; production's data model may be read and changed."""

    assert unpassed_lines == []
