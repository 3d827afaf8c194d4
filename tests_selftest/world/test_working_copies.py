"""The two working copies: real git in a temporary folder, the same hashes every time, nothing lost, nothing secret."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from fixtures.world.working_copies import BACKEND, FRONTEND, Project, WorkingCopy, create_working_copy, publish

REMOTE = "http://127.0.0.1:4321/pixelsock/anything.git"
BOTH = pytest.mark.parametrize("project", [FRONTEND, BACKEND], ids=["frontend", "backend"])


def git(folder: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    folder = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", str(folder))
    return folder


def laid_out(project: Project, bare: Path, at: Path, **companions: object) -> WorkingCopy:
    publish(project, bare)
    return create_working_copy(project, bare=bare, at=at, remote_url=REMOTE, **companions)  # type: ignore[arg-type]


@BOTH
def test_the_published_history_has_the_same_hash_in_every_world(project: Project, tmp_path: Path, bare: Path) -> None:
    other = tmp_path / "other.git"
    git(tmp_path, "init", "--quiet", "--bare", str(other))
    assert publish(project, bare) == publish(project, other)
    assert int(git(bare, "rev-list", "--count", project.branch)) == len(project.commits)
    assert 3 <= len(project.commits) <= 5
    assert git(bare, "symbolic-ref", "HEAD") == f"refs/heads/{project.branch}"


@BOTH
def test_publishing_again_keeps_what_was_pushed_since(project: Project, tmp_path: Path, bare: Path) -> None:
    copy = laid_out(project, bare, tmp_path / "copy")
    git(copy.path, "commit", "--all", "--quiet", "--message", "later")
    git(copy.path, "push", "--quiet", str(bare), project.branch)
    assert publish(project, bare) == git(copy.path, "rev-parse", "HEAD")


@BOTH
def test_the_changes_are_modified_added_and_deleted_files_none_staged(
    project: Project, tmp_path: Path, bare: Path
) -> None:
    copy = laid_out(project, bare, tmp_path / "copy")
    lines = git(copy.path, "status", "--porcelain", "--untracked-files=all").splitlines()
    assert {line[:2] for line in lines} == {" M", " D", "??"}
    assert [line[3:] for line in lines if line[:2] == " D"] == list(project.deleted)
    assert sum(line[:2] == " M" for line in lines) >= 2
    assert git(copy.path, "branch", "--show-current") == project.branch
    assert git(copy.path, "rev-parse", "HEAD") == git(copy.path, "rev-parse", f"origin/{project.branch}")


@BOTH
def test_every_file_in_the_overlay_differs_from_the_published_one(project: Project) -> None:
    published, local = project.folder / "published", project.folder / "local"
    overlay = [path.relative_to(local) for path in local.rglob("*") if path.is_file()]
    same = [
        str(p)
        for p in overlay
        if (published / p).is_file() and (published / p).read_bytes() == (local / p).read_bytes()
    ]
    assert overlay
    assert same == []
    assert not [gone for gone in project.deleted if not (published / gone).is_file() or (local / gone).exists()]


@BOTH
def test_the_remote_address_holds_no_credential(project: Project, tmp_path: Path, bare: Path) -> None:
    copy = laid_out(project, bare, tmp_path / "copy")
    assert git(copy.path, "remote", "get-url", "origin") == REMOTE
    assert "@" not in git(copy.path, "config", "--get-regexp", r"remote\..*|credential.*")


@BOTH
def test_the_ignore_list_names_what_the_runbook_asks_for(project: Project, tmp_path: Path, bare: Path) -> None:
    copy = laid_out(project, bare, tmp_path / "copy")
    wanted = (
        {".env", ".env.local", "node_modules/"}
        if project is FRONTEND
        else {".env", "migration/", "node_modules/", "backups/"}
    )
    assert wanted <= set((copy.path / ".gitignore").read_text().splitlines())


def test_environment_and_node_modules_are_there_and_ignored(tmp_path: Path, bare: Path) -> None:
    modules = tmp_path / "modules"
    modules.mkdir()
    environment = {"DB_PASSWORD": "with $, # and 'quote'", "DB_PORT": "5432", "EMPTY": ""}
    copy = laid_out(BACKEND, bare, tmp_path / "copy", environment=environment, node_modules=modules)
    written = copy.path / ".env"
    assert written.read_text() == "DB_PASSWORD=\"with $, # and 'quote'\"\nDB_PORT=5432\nEMPTY=''\n"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert (copy.path / "node_modules").readlink() == modules
    for name in ("migration", "backups"):
        (copy.path / name).mkdir()
        (copy.path / name / "dump.json").write_text("[]")
    status = git(copy.path, "status", "--porcelain", "--untracked-files=all")
    assert not [name for name in (".env\n", "node_modules", "migration", "backups") if name in f"{status}\n"]


def test_a_kept_copy_loses_nothing_and_learns_the_new_address(tmp_path: Path, bare: Path) -> None:
    copy = laid_out(BACKEND, bare, tmp_path / "copy", environment={"DB_PORT": "5432"})
    (copy.path / "README.md").write_text("half written\n")
    moved = REMOTE.replace("4321", "4322")
    again = create_working_copy(BACKEND, bare=bare, at=copy.path, remote_url=moved, environment={"DB_PORT": "5433"})
    assert (copy.state, again.state) == ("created", "kept")
    assert (copy.path / "README.md").read_text() == "half written\n"
    assert git(copy.path, "remote", "get-url", "origin") == moved
    assert (copy.path / ".env").read_text() == "DB_PORT=5433\n"


def test_what_a_killed_attempt_left_is_replaced(tmp_path: Path, bare: Path) -> None:
    half = tmp_path / ".copy.half"
    half.mkdir()
    (half / "rubbish").write_text("x")
    copy = laid_out(FRONTEND, bare, tmp_path / "copy")
    assert copy.state == "created"
    assert not half.exists()
    assert not (copy.path / "rubbish").exists()


@BOTH
def test_the_changes_hold_nothing_a_secret_scanner_flags(project: Project) -> None:
    collection = pytest.importorskip("detect_secrets.core.secrets_collection").SecretsCollection()
    default_settings = pytest.importorskip("detect_secrets.settings").default_settings
    with default_settings():
        for file in project.folder.rglob("*"):
            if file.is_file():
                collection.scan_file(str(file))
    assert [f"{secret.filename}:{secret.line_number} {secret.type}" for _, secret in collection] == []
