"""2.1  Frontend Commit & Push

Purpose     The reviewed frontend is on GitHub and live on Render, delivered in parallel with the backend.
Needs       1.1 the reviewed changes · 1.4 the backup, because a deploy is the migration's first write
Writes      a commit in the working copy, the remote branch master, and through it a deploy of the frontend on Render
On failure  fix and push again; production serves the earlier deploy
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.delivery import Delivery
from fixtures.model.finding import format_findings
from fixtures.operations.code import delivery_checks
from fixtures.operations.site import measure

if TYPE_CHECKING:
    from fixtures.evidence.store import Evidence
    from fixtures.operations.code.delivery import DeliveryThread
    from fixtures.operations.code.review import Repository
    from fixtures.process.progress import Progress
    from fixtures.settings import Settings
    from fixtures.systems.github import GitHubObserver
    from fixtures.systems.render import RenderObserver

pytestmark = task_group("2.1")


@action("2.1.1", dry_run=True)
def test_the_branch_and_remote_are_right(
    frontend_delivery: DeliveryThread, evidence: Evidence, progress: Progress
) -> None:
    """Navigate and verify branch"""
    found = frontend_delivery.branch(progress)
    assert found.branch == frontend_delivery.repository.branch
    evidence.note(f"On branch {found.branch} of {found.remote}; {found.changed} paths differ from the last commit.")


@action("2.1.2")
def test_all_changes_are_staged(frontend_delivery: DeliveryThread, evidence: Evidence, progress: Progress) -> None:
    """Stage all changes"""
    staged = frontend_delivery.staged(progress)
    assert [path for path in staged.paths if delivery_checks.is_working_document(path)] == []
    evidence.note(delivery_checks.summarize_staged(staged))


@action("2.1.3")
def test_the_changes_are_committed(frontend_delivery: DeliveryThread, evidence: Evidence, progress: Progress) -> None:
    """Commit with descriptive message"""
    committed = frontend_delivery.committed(progress)
    assert committed.message.startswith("Deploy: ") or not committed.made
    evidence.note(delivery_checks.summarize_committed(committed))


@action("2.1.4", dry_run=True)
def test_the_commit_is_pushed(frontend_delivery: DeliveryThread, evidence: Evidence, progress: Progress) -> None:
    """Push to GitHub"""
    pushed = frontend_delivery.pushed(progress)
    assert pushed.remote_head == pushed.commit
    evidence.note(delivery_checks.summarize_pushed(pushed))


@action("2.1.5")
def test_github_shows_the_commit(frontend_delivery: DeliveryThread, evidence: Evidence, progress: Progress) -> None:
    """Verify GitHub repository updated"""
    shown, committed = frontend_delivery.published(progress), frontend_delivery.committed(progress)
    assert shown.message.strip() == committed.message.strip()
    assert shown.committed_at is not None
    evidence.note(f"GitHub shows {shown.commit[:12]}, committed {shown.committed_at:%Y-%m-%d %H:%M:%SZ}.")


@action("2.1.6")
def test_the_deploy_is_live(frontend_delivery: DeliveryThread, evidence: Evidence, progress: Progress) -> None:
    """Monitor Render deployment"""
    delivery = frontend_delivery.deployed(progress)
    assert delivery.deploy.live
    assert delivery.deploy.commit == delivery.commit
    delivery_checks.store_delivery(evidence, delivery)
    evidence.note(delivery_checks.summarize(delivery))


@acceptance("2.1.A1")
def test_nothing_is_left_to_commit(frontend_repository: Repository) -> None:
    """All frontend changes committed successfully"""
    assert frontend_repository.copy.is_clean(), f"left over: {[c.path for c in frontend_repository.copy.changes()]}"


@acceptance("2.1.A2")
def test_the_remote_has_the_commit(frontend_repository: Repository, github: GitHubObserver, evidence: Evidence) -> None:
    """Code pushed to GitHub (pixelsock/fuma, master branch)"""
    delivery = evidence.read(Delivery, of="2.1")
    findings = delivery_checks.missing_on_remote(frontend_repository, delivery, github)
    assert not findings, format_findings(findings)


@acceptance("2.1.A3")
def test_no_secret_was_committed(frontend_repository: Repository, settings: Settings, evidence: Evidence) -> None:
    """No sensitive data committed"""
    examined, findings = delivery_checks.leaked_secrets(frontend_repository, evidence, known_secrets=settings.secrets)
    assert not findings, format_findings(findings)
    evidence.note(f"{examined:,} lines of the pushed commits judged again, as they are on the branch: no secret.")


@acceptance("2.1.A4")
def test_the_push_triggered_the_deploy(render: RenderObserver, evidence: Evidence) -> None:
    """Render auto-deploy triggered"""
    delivery = evidence.read(Delivery, of="2.1")
    triggers = delivery_checks.deploy_triggers(render, delivery)
    assert delivery_checks.PUSH_TRIGGER in triggers, (
        f"deploys of {delivery.commit[:12]} were triggered by {sorted(triggers)}"
    )
    evidence.note(f"Deploy {delivery.deploy.id} of {delivery.commit[:12]}, trigger {delivery.deploy.trigger}.")


@acceptance("2.1.A5", closes=True)
def test_the_deploy_logged_no_error(
    render: RenderObserver, settings: Settings, evidence: Evidence, progress: Progress
) -> None:
    """Deployment completed without errors"""
    delivery = evidence.read(Delivery, of="2.1")
    progress("2.1 frontend", "reading the deploy's log")
    lines, findings, explained = delivery_checks.build_log(render, delivery, measure.explanations(evidence, settings))
    evidence.attach("deploy.log", lines)
    for sentence in explained:
        evidence.note(sentence)
    assert not findings, format_findings(findings)
    live = render.live_deploy(delivery.service_id)
    assert live is not None
    assert live.commit == delivery.commit


@gate("2.1")
def test_gate(unpassed_lines: list[str]) -> None:
    """The pushed frontend is live."""
    assert unpassed_lines == []
