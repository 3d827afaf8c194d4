"""A push to a real repository: accepted, up to date, overtaken, refused by the server, without a server."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import git as git_python
import pytest

from fixtures.model.secret import Secret
from fixtures.systems.failure import Refused, SystemFailure, Unreachable
from fixtures.systems.git.working_copy import NotAWorkingCopy, Remote, WorkingCopy
from tests_selftest.contract.scripted_server import Reply, ScriptedServer

TOKEN = "ghp_neverShown0123456789"
RULE = """#!/bin/sh
echo "error: GH013: Repository rule violations found for refs/heads/main.        " >&2
echo "" >&2
echo "- GITHUB PUSH PROTECTION" >&2
echo "  - Push cannot contain secrets" >&2
exit 1
"""


def git(*arguments: str, cwd: Path) -> str:
    """git as a person with a name, apart from this machine's configuration."""
    person = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()}
    environment = {**os.environ, **person, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", *arguments], cwd=cwd, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()


_PERSON = {"NAME": "A Person", "EMAIL": "person@example.org"}


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    path = tmp_path / "remote.git"
    git("init", "-q", "--bare", "-b", "main", str(path), cwd=tmp_path)
    return path


@pytest.fixture
def remote(bare: Path) -> Remote:
    return Remote(bare.as_uri(), Secret(TOKEN))


@pytest.fixture
def copy(tmp_path: Path, bare: Path) -> WorkingCopy:
    path = tmp_path / "copy"
    git("clone", "-q", str(bare), str(path), cwd=tmp_path)
    git("checkout", "-q", "-B", "main", cwd=path)
    git("config", "user.name", _PERSON["NAME"], cwd=path)
    git("config", "user.email", _PERSON["EMAIL"], cwd=path)
    (path / "README").write_text("one\n")
    (path / ".gitignore").write_text("migration/\n")
    working_copy = WorkingCopy(path)
    working_copy.add_all()
    working_copy.commit("First")
    return working_copy


def test_what_has_changed_is_seen(copy: WorkingCopy) -> None:
    """Changed, staged, renamed, untracked with its content, ignored: each told apart."""
    (copy.path / "README").write_text("two\n")
    (copy.path / "new dir").mkdir()
    (copy.path / "new dir" / "ünïcode.txt").write_text("hello\n")
    (copy.path / "image.bin").write_bytes(b"\xff\xfe\x00")
    (copy.path / "migration").mkdir()
    (copy.path / "migration" / "data.json").write_text("[]")
    changes = {change.path: change for change in copy.changes()}
    assert set(changes) == {"README", "new dir/ünïcode.txt", "image.bin"}
    assert (changes["README"].tree, changes["README"].staged, changes["README"].untracked) == ("M", False, False)
    assert changes["new dir/ünïcode.txt"].text == "hello\n"
    assert changes["image.bin"].text is None
    assert "+two" in copy.diff()
    assert copy.diff_staged() == ""
    assert "+hello" in copy.diff_all()
    assert copy.ignores("migration/data.json")
    assert not copy.ignores("README")
    git("mv", "README", "READ.ME", cwd=copy.path)
    renamed = next(change for change in copy.changes() if change.path == "READ.ME")
    assert (renamed.index, renamed.old_path, renamed.staged) == ("R", "README", True)


def test_a_commit_holds_everything_and_its_message(copy: WorkingCopy) -> None:
    """After it the copy is clean, and the log begins with it."""
    (copy.path / "a.txt").write_text("a\n")
    assert not copy.is_clean()
    copy.add_all()
    made = copy.commit("Migrate local to production\n\n- more of it")
    assert copy.is_clean()
    newest = copy.log(limit=1)[0]
    assert (newest.id, newest.subject, newest.author) == (
        made,
        "Migrate local to production",
        "A Person <person@example.org>",
    )
    assert copy.changed_in(made) == ("a.txt",)
    assert copy.branch() == "main"


def test_what_a_push_would_bring(copy: WorkingCopy, remote: Remote) -> None:
    """Unpushed commits, changes and untracked files together; without a base, everything; also what was undone."""
    assert {(each.path, each.letter) for each in copy.files_since("")} == {("README", "A"), (".gitignore", "A")}
    copy.push(remote, "main")
    base = copy.head()
    (copy.path / "README").write_text("one\nsecret\n")
    copy.add_all()
    copy.commit("Second")
    (copy.path / "README").write_text("one\ntwo\n")
    (copy.path / ".gitignore").unlink()
    (copy.path / "ünïcode.txt").write_text("a\n\nb\n")
    (copy.path / "image.bin").write_bytes(b"\xff\xfe\x00")
    found = {(each.path, each.letter, each.added, each.removed) for each in copy.files_since(base)}
    assert found == {
        ("README", "M", 1, 0),
        (".gitignore", "D", 0, 1),
        ("ünïcode.txt", "A", 3, 0),
        ("image.bin", "A", 0, 0),
    }
    patch = copy.patch_since(base)
    assert all(line in patch for line in ("+secret", "+two", "+a", "+b"))
    assert copy.contains(base)
    assert not copy.contains("0" * 40)


def test_an_empty_commit_is_refused_in_words(copy: WorkingCopy) -> None:
    """git's own sentence is kept."""
    with pytest.raises(SystemFailure, match="nothing to commit"):
        copy.commit("Nothing")


def test_a_push_is_accepted_and_seen_at_the_remote(copy: WorkingCopy, remote: Remote) -> None:
    """New at first, up to date the second time, a fast-forward after the next commit."""
    assert copy.remote_head(remote, "main") == ""
    first = copy.push(remote, "main")
    assert (first.flag, first.accepted, first.commit) == ("*", True, copy.head())
    assert copy.remote_head(remote, "main") == copy.head()
    assert copy.push(remote, "main").flag == "="
    (copy.path / "b.txt").write_text("b\n")
    copy.add_all()
    copy.commit("Second")
    assert copy.dry_run(remote, "main").flag == " "
    assert copy.remote_head(remote, "main") != copy.head()
    assert copy.push(remote, "main").flag == " "
    assert copy.remote_head(remote, "main") == copy.head()


def test_a_push_that_was_overtaken_is_rejected(copy: WorkingCopy, remote: Remote, bare: Path, tmp_path: Path) -> None:
    """Someone else pushed: rejected, nothing forced; the dry run sees it too."""
    copy.push(remote, "main")
    other = tmp_path / "other"
    git("clone", "-q", str(bare), str(other), cwd=tmp_path)
    (other / "theirs.txt").write_text("t\n")
    git("add", "-A", cwd=other)
    git("commit", "-q", "-m", "Theirs", cwd=other)
    git("push", "-q", "origin", "main", cwd=other)
    (copy.path / "ours.txt").write_text("o\n")
    copy.add_all()
    copy.commit("Ours")
    for push in (copy.dry_run(remote, "main"), copy.push(remote, "main")):
        assert (push.flag, push.accepted) == ("!", False)
        assert "rejected" in push.summary
    assert copy.remote_head(remote, "main") == git("rev-parse", "HEAD", cwd=other)


def test_a_refusal_by_the_server_keeps_its_words(copy: WorkingCopy, remote: Remote, bare: Path) -> None:
    """The hook's lines come without "remote:" and padding; a dry run does not meet the hook."""
    hook = bare / "hooks" / "pre-receive"
    hook.write_text(RULE)
    hook.chmod(0o755)
    assert copy.dry_run(remote, "main").accepted
    push = copy.push(remote, "main")
    assert (push.flag, push.accepted) == ("!", False)
    assert push.remote_lines[0] == "error: GH013: Repository rule violations found for refs/heads/main."
    assert "- Push cannot contain secrets" in push.remote_lines
    assert "remote rejected" in push.summary
    assert copy.remote_head(remote, "main") == ""


def test_a_refused_token_is_said_without_showing_it(copy: WorkingCopy) -> None:
    """401 over HTTP is a refusal of the token; the token was really offered and is in no message."""
    denied = Reply(401, b"Invalid username or token.", {"WWW-Authenticate": 'Basic realm="git"'})
    with ScriptedServer(lambda _, __: denied) as server:
        remote = Remote(f"{server.url}/pixelsock/fuma.git", Secret(TOKEN))
        with pytest.raises(Refused, match="did not accept the token") as refusal:
            copy.push(remote, "main")
        with pytest.raises(Refused):
            copy.remote_head(remote, "main")
    assert any("Authorization" in request.headers for request in server.requests)
    assert TOKEN not in str(refusal.value)


def test_a_repository_that_is_not_there(copy: WorkingCopy, tmp_path: Path) -> None:
    """A wrong address is a refusal, not a doubt."""
    with pytest.raises(Refused, match="no such repository"):
        copy.push(Remote((tmp_path / "nowhere.git").as_uri()), "main")


def test_no_server(copy: WorkingCopy) -> None:
    """Where nobody listens nothing was pushed."""
    with ScriptedServer(lambda _, __: Reply()) as server:
        url = server.url
    with pytest.raises(Unreachable, match="nothing was pushed"):
        copy.push(Remote(f"{url}/a/b.git", Secret(TOKEN)), "main")


def test_credentials_in_a_configured_remote_are_not_shown(copy: WorkingCopy) -> None:
    """Someone may have put them there; we do not repeat them."""
    git("remote", "set-url", "origin", f"https://x-access-token:{TOKEN}@github.com/pixelsock/fuma.git", cwd=copy.path)
    assert copy.remotes() == {"origin": "https://github.com/pixelsock/fuma.git"}


def test_a_folder_without_git(tmp_path: Path) -> None:
    """The message names the folder and the variable to correct."""
    with pytest.raises(NotAWorkingCopy, match="FRONTEND_REPO"):
        WorkingCopy(tmp_path)


def test_gitpython_starts_no_process(copy: WorkingCopy, remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would copy `os.environ` first, which fails while pytest takes a name out of it in another thread."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("GitPython started a process")

    monkeypatch.setattr(git_python.Git, "execute", refused)
    (copy.path / "README").write_text("two\n")
    again = WorkingCopy(copy.path)
    base = again.head()
    assert again.branch() == "main"
    assert [change.path for change in again.changes()] == ["README"]
    again.add_all()
    commit = again.commit("Second")
    assert again.head() == commit == git("rev-parse", "HEAD", cwd=copy.path)
    assert [each.subject for each in again.log()] == ["Second", "First"]
    assert again.contains(base)
    assert again.changed_in(commit) == ("README",)
    assert again.remotes().keys() == {"origin"}
    assert not again.tracks("migration")
    assert again.push(remote, "main").accepted


def test_line_ends_and_other_encodings_of_a_file_arrive_as_they_are(copy: WorkingCopy) -> None:
    """A carriage return inside a line does not end it, and one file in Latin-1 stops no review."""
    name = "caf\udce9.txt"
    (copy.path / name).write_bytes(b"one\rtwo\r\nna\xefve\n")
    copy.add_all()
    assert "+one\rtwo\r\n+na\ufffdve\n" in copy.diff_staged()
    made = copy.commit("Latin-1")
    assert copy.changed_in(made) == (name,)
    assert (copy.path / name).is_file()
