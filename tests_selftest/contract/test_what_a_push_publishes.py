"""1.1 on a real git: messages, merges, text git takes for binary, databases by their bytes, and what is taken out."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fixtures.model.secret import Secret
from fixtures.operations.code import review
from fixtures.operations.code.review import Repository
from fixtures.systems.git.working_copy import Remote, WorkingCopy
from tests_selftest.contract.test_git_push import git

# Obviously none: no service would give out such a value.
TOKEN = "rnd_" + "Fake0Fake1Fake2Fake3"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A clone whose first commit is on the remote."""
    bare, folder = tmp_path / "remote.git", tmp_path / "backend"
    git("init", "-q", "--bare", "-b", "main", str(bare), cwd=tmp_path)
    git("clone", "-q", str(bare), str(folder), cwd=tmp_path)
    git("checkout", "-q", "-b", "main", cwd=folder)
    (folder / "a.txt").write_text("first\n")
    (folder / "old.txt").write_text(f"token: {TOKEN}\n")
    commit(folder, "First")
    git("push", "-q", "origin", "main", cwd=folder)
    return Repository("backend", "owner/backend", "main", WorkingCopy(folder), Remote(bare.as_uri(), Secret("")))


def commit(folder: Path, message: str) -> None:
    git("add", "-A", cwd=folder)
    git("commit", "-q", "--allow-empty", "-m", message, cwd=folder)


def seen(repository: Repository) -> tuple[list[tuple[str, str]], list[str]]:
    """Findings of 1.1 as code and place, and its notices."""
    changes = review.examine(repository)
    findings = review.findings(repository, changes, known_secrets=())
    return [(each.code, each.where) for each in findings], review.notices(repository, changes)


def test_an_ordinary_change_has_neither_finding_nor_notice(repository: Repository) -> None:
    (repository.copy.path / "a.txt").write_text("second\n")
    (repository.copy.path / "schema.sql").write_text("CREATE TABLE chapters (id int);\n")
    assert seen(repository) == ([], [])


def test_a_secret_in_the_message_of_a_commit_is_found(repository: Repository) -> None:
    commit(repository.copy.path, f"Second\n\nIt works with {TOKEN} now")
    head = repository.copy.head()[:12]
    assert seen(repository)[0] == [("MIG-108", f"message of commit {head} line 3")]


def test_a_secret_that_a_merge_itself_brought_is_found(repository: Repository) -> None:
    folder = repository.copy.path
    git("checkout", "-q", "-b", "side", cwd=folder)
    (folder / "side.txt").write_text("side\n")
    commit(folder, "Side")
    git("checkout", "-q", "main", cwd=folder)
    (folder / "main.txt").write_text("main\n")
    commit(folder, "Main")
    git("merge", "-q", "--no-commit", "--no-ff", "side", cwd=folder)
    (folder / "a.txt").write_text(f"first\n{TOKEN}\n")
    commit(folder, "Merge")
    assert seen(repository)[0] == [("MIG-108", "a.txt line 2")]


def test_a_secret_in_utf_16_is_found(repository: Repository) -> None:
    (repository.copy.path / "notes.txt").write_text(f"one\ntoken {TOKEN}\n", encoding="utf-16")
    assert seen(repository) == ([("MIG-108", "notes.txt line 2")], [])


@pytest.mark.parametrize("name", ["site.bin", "backup-20260101.sql", "src/seed.dat"])
def test_a_database_is_known_by_its_first_bytes(repository: Repository, name: str) -> None:
    path = repository.copy.path / name
    path.parent.mkdir(exist_ok=True)
    if name.endswith(".bin"):
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE people (email text)")
    elif name.endswith(".sql"):
        path.write_text("--\n-- PostgreSQL database dump\n--\n")
    else:
        path.write_bytes(b"PGDMP\x01\x10\x00")
    assert seen(repository)[0] == [("MIG-102", name)]


def test_what_was_not_looked_at_is_named(repository: Repository) -> None:
    (repository.copy.path / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (repository.copy.path / "bundle.min.js").write_text("a();" * 2000)
    findings, (notice,) = seen(repository)
    assert findings == []
    assert notice.endswith("not looked at for secrets: bundle.min.js (minified), logo.png (binary).")


def test_a_secret_that_is_taken_out_is_said_to_be_in_the_history_and_is_not_kept(repository: Repository) -> None:
    (repository.copy.path / "old.txt").unlink()
    findings, (notice,) = seen(repository)
    assert findings == []
    assert "they stay in the history, so rotate it: old.txt line " in notice
    assert TOKEN not in notice
    patch = review.examine(repository).patch
    assert TOKEN in patch
    assert TOKEN not in review._without_removed_secrets(patch)
