"""1.1.3 and 1.1.A3 on a real git: what is ignored here and not in a clone, and what a pattern exempts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fixtures.checks.code import gitignore
from fixtures.model.secret import Secret
from fixtures.operations.code import review
from fixtures.operations.code.review import Repository
from fixtures.systems.git.working_copy import Remote, WorkingCopy
from tests_selftest.contract.test_git_push import git

GOOD = ".env\nnode_modules/\nmigration/\nbackups/\n!.env.example\n"
OPEN = GOOD.replace("migration/", "migration/*")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A working copy as 1.1 finds it, with exported rows that git ignores."""
    folder = tmp_path / "backend"
    (folder / "migration" / "data").mkdir(parents=True)
    (folder / "migration" / "data" / "people.json").write_text("[]")
    (folder / ".gitignore").write_text(GOOD)
    git("init", "-q", "-b", "main", str(folder), cwd=tmp_path)
    git("add", ".gitignore", cwd=folder)
    git("commit", "-q", "-m", "First", cwd=folder)
    remote = Remote((tmp_path / "remote.git").as_uri(), Secret(""))
    return Repository("backend", "owner/backend", "main", WorkingCopy(folder), remote)


def line(repository: Repository) -> list[tuple[str, str]]:
    """Code and observation of 1.1.A3."""
    found = review.not_ignored_in_a_clone(repository, gitignore.BACKEND)
    assert all(each.where and each.expected and each.meaning and each.do for each in found)
    return [(each.code, each.observed) for each in found]


def step(repository: Repository) -> list[str]:
    """Codes of 1.1.3, which looks at one path for each entry."""
    return [each.code for each in review.not_ignored(repository, gitignore.BACKEND)]


@pytest.mark.parametrize(
    "text",
    [GOOD, OPEN + "!migration/.gitkeep\n", GOOD.replace("migration/", "/migration"), "*\n!/src\n!/.gitignore\n"],
    ids=["as the runbook says", "a placeholder", "anchored", "everything but"],
)
def test_an_ordinary_gitignore_passes_both(repository: Repository, text: str) -> None:
    (repository.copy.path / ".gitignore").write_text(text)
    (repository.copy.path / "migration" / ".gitkeep").touch()
    assert (step(repository), line(repository)) == ([], [])


def test_an_entry_that_only_this_machine_ignores_is_red_at_1_1_a3(repository: Repository, tmp_path: Path) -> None:
    folder = repository.copy.path
    (folder / ".gitignore").write_text(GOOD.replace("migration/\n", ""))
    (folder / ".git" / "info" / "exclude").write_text("# mine\nmigration/\n")
    assert step(repository) == [], "1.1.3 cannot see it"
    assert line(repository) == [("MIG-109", ".git/info/exclude line 2: migration/")]
    (folder / ".git" / "info" / "exclude").write_text("")
    (tmp_path / "mine").write_text("migration/\n")
    git("config", "core.excludesFile", os.fspath(tmp_path / "mine"), cwd=folder)
    assert line(repository) == [("MIG-109", f"{tmp_path / 'mine'} line 1: migration/")]


def test_a_gitignore_that_is_ignored_itself_is_in_no_clone(repository: Repository) -> None:
    folder = repository.copy.path
    git("rm", "-q", "--cached", ".gitignore", cwd=folder)
    (folder / ".git" / "info" / "exclude").write_text(".gitignore\n")
    assert {code for code, _ in line(repository)} == {"MIG-109"}


@pytest.mark.parametrize(
    ("exemption", "there"),
    [("!migration/data", True), ("!migration/schema-*.json", False), ("!/migration/MIGRATION_REPORT.md", False)],
)
def test_a_pattern_that_exempts_a_file_is_red_at_1_1_a3_also_before_the_file_is_there(
    repository: Repository, exemption: str, there: bool
) -> None:
    (repository.copy.path / ".gitignore").write_text(f"{OPEN}{exemption}\n")
    found = line(repository)
    assert ("MIG-110", f".gitignore line 6: {exemption}") in found
    assert len(found) == 1 + there


def test_a_pattern_that_exempts_everything_of_a_folder_is_red_too(repository: Repository) -> None:
    (repository.copy.path / ".gitignore").write_text(f"{GOOD}!backups/\n")
    assert ("MIG-110", ".gitignore line 6: !backups/") in line(repository)
