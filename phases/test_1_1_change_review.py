"""1.1  Change Review & Security Audit

Purpose     Every change a push would publish is reviewed, and none of it is a secret.
Needs       nothing
Writes      nothing but the proposed commit messages in migration/, which git ignores
On failure  nothing changed; correct what is named and run the same command again
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.checks.code import gitignore, leaks
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.finding import format_findings
from fixtures.operations.code import review

if TYPE_CHECKING:
    from fixtures.evidence.store import Evidence
    from fixtures.operations.code.review import Repository
    from fixtures.process.progress import Progress
    from fixtures.settings import Settings
    from fixtures.systems.github import GitHubObserver

pytestmark = task_group("1.1")


@action("1.1.1", dry_run=True)
def test_the_frontend_is_reviewed(
    frontend_repository: Repository, settings: Settings, evidence: Evidence, progress: Progress
) -> None:
    """Review frontend uncommitted changes"""
    progress("change review", "reading what the frontend would push")
    seen = review.examine(frontend_repository)
    findings = review.findings(frontend_repository, seen, known_secrets=settings.secrets)
    assert not findings, format_findings(findings)
    assert seen.files or review.is_pushed(frontend_repository)
    review.attach_patch(evidence, frontend_repository, seen)


@action("1.1.2", dry_run=True)
def test_the_backend_is_reviewed(
    backend_repository: Repository, settings: Settings, evidence: Evidence, progress: Progress
) -> None:
    """Review backend uncommitted changes"""
    progress("change review", "reading what the backend would push")
    seen = review.examine(backend_repository)
    findings = review.findings(backend_repository, seen, known_secrets=settings.secrets)
    assert not findings, format_findings(findings)
    assert seen.files or review.is_pushed(backend_repository)
    review.attach_patch(evidence, backend_repository, seen)


@action("1.1.3", dry_run=True)
def test_gitignore_has_the_required_entries(
    frontend_repository: Repository, backend_repository: Repository, evidence: Evidence
) -> None:
    """Verify .gitignore configuration"""
    findings = [
        *review.not_ignored(frontend_repository, gitignore.FRONTEND),
        *review.not_ignored(backend_repository, gitignore.BACKEND),
    ]
    assert not findings, format_findings(findings)
    evidence.note(f"Frontend ignores {', '.join(gitignore.FRONTEND)}; backend ignores {', '.join(gitignore.BACKEND)}.")


@action("1.1.4", dry_run=True)
def test_the_commit_messages_are_written(
    repositories: tuple[Repository, ...], settings: Settings, evidence: Evidence
) -> None:
    """Document changes for commit messages"""
    for repository in repositories:
        message_file = settings.migration_dir / f"COMMIT_{repository.side}.txt"
        written = review.write_review(repository, review.examine(repository), message_file=message_file)
        review.store_review(evidence, repository, written)
        evidence.note(review.summarize(written))
    assert all(review.load_review(evidence, each).message for each in repositories if not review.is_pushed(each))


@acceptance("1.1.A1", dry_run=True)
def test_every_change_is_documented(repositories: tuple[Repository, ...], evidence: Evidence) -> None:
    """All changes reviewed and documented"""
    findings = [finding for repository in repositories for finding in review.unreviewed_changes(evidence, repository)]
    assert not findings, format_findings(findings)
    documented = [review.load_review(evidence, repository) for repository in repositories]
    evidence.note(f"{sum(len(each.files) for each in documented)} changed files are documented in two commit messages.")


@acceptance("1.1.A2", dry_run=True)
def test_no_secret_would_be_pushed(
    repositories: tuple[Repository, ...], settings: Settings, evidence: Evidence
) -> None:
    """No sensitive data detected in changes"""
    assert leaks.scanner_works(), "the scanner no longer finds a planted key, so its empty result proves nothing"
    seen = [(repository, review.examine(repository)) for repository in repositories]
    findings = [f for r, s in seen for f in review.findings(r, s, known_secrets=settings.secrets)]
    assert not findings, format_findings(findings)
    for sentence in [each for r, s in seen for each in review.notices(r, s)]:
        evidence.note(sentence)
    judged = sum(len(each.lines) for _, each in seen)
    excluded = [place for _, each in seen for place in leaks.allowlisted_lines(each.lines)]
    evidence.note(
        f"{judged:,} added lines judged by detect-secrets: none is a secret; {len(excluded)} excused by pragma."
    )


@acceptance("1.1.A3", dry_run=True)
def test_gitignore_covers_every_clone_and_path(
    frontend_repository: Repository, backend_repository: Repository, evidence: Evidence
) -> None:
    """.gitignore properly configured"""
    findings = [
        *review.not_ignored(frontend_repository, gitignore.FRONTEND),
        *review.not_ignored(backend_repository, gitignore.BACKEND),
        *review.not_ignored_in_a_clone(frontend_repository, gitignore.FRONTEND),
        *review.not_ignored_in_a_clone(backend_repository, gitignore.BACKEND),
    ]
    assert not findings, format_findings(findings)
    evidence.note("The patterns stand in .gitignore itself, so every clone has them; none exempts a file below them.")


@acceptance("1.1.A4", dry_run=True, closes=True)
def test_branches_and_token_allow_the_push(
    repositories: tuple[Repository, ...], github: GitHubObserver, evidence: Evidence
) -> None:
    """Ready to commit safely"""
    findings = [finding for each in repositories for finding in review.push_obstacles(each, github)]
    assert not findings, format_findings(findings)
    evidence.note("Both working copies are on the branch Render deploys, and the token may push to both repositories.")


@gate("1.1")
def test_gate(unpassed_lines: list[str]) -> None:
    """Both change sets are reviewed and free of secrets; they may be committed."""
    assert unpassed_lines == []
