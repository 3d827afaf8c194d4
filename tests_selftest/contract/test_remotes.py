"""The remotes and their REST behave like GitHub: tokens, refusals, heads, comparisons."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests_selftest.contract.stage import BACKEND, TOKEN, Stage, server


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("remotes"))
    try:
        stage.backend_copy.commit("First version", {"server.py": server(1)})
        stage.backend_copy.push()
        yield stage
    finally:
        stage.remove()


def get(stage: Stage, path: str, token: str | None = TOKEN, **headers: str) -> httpx.Response:
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(stage.github.url + path, headers={**bearer, **headers})


def test_without_the_token_nothing_is_served(stage: Stage) -> None:
    refs = stage.remotes.url(BACKEND) + "/info/refs?service=git-upload-pack"
    assert httpx.get(refs).status_code == 401
    assert httpx.get(refs, auth=("x-access-token", "wrong")).status_code == 401
    assert httpx.get(refs, auth=("x-access-token", TOKEN)).status_code == 200
    refused = stage.backend_copy.push("wrong", check=False)
    assert refused.returncode == 128
    assert "Authentication failed" in refused.stderr


def test_a_push_with_a_secret_is_declined_and_changes_nothing(stage: Stage) -> None:
    before = stage.remotes.head(BACKEND, "main")
    key = "AKIA" + "ABCDEFGHIJKLMNOP"
    commit = stage.backend_copy.commit("Settings", {"settings.py": f"import os\nkey = '{key}'\n"})
    declined = stage.backend_copy.push(check=False)
    assert declined.returncode == 1
    for text in ("GH013", "Push cannot contain secrets", "Amazon AWS Access Key ID", commit, "settings.py:2"):
        assert text in declined.stderr
    assert "!\tHEAD:refs/heads/main\t[remote rejected]" in declined.stdout
    assert stage.remotes.head(BACKEND, "main") == before
    stage.backend_copy.git("reset", "--hard", "HEAD~1")


@pytest.mark.parametrize(("body", "code"), [("", "GH013"), ("protected", "GH006")])
def test_a_push_can_be_refused_by_order(stage: Stage, body: str, code: str) -> None:
    stage.backend_copy.commit("Refused", {"note": code})
    httpx.post(f"{stage.control.url}/faults", json={"fault": "refuse_push", "times": 1, "body": body})
    refused = stage.backend_copy.push(check=False)
    assert (refused.returncode, code in refused.stderr) == (1, True)
    assert stage.backend_copy.push().returncode == 0
    pushes = httpx.get(f"{stage.control.url}/traffic").json()["git"]
    assert pushes["receive-pack"] >= 2
    assert pushes["writes"][-1]["path"].endswith("/git-receive-pack")


def test_a_lost_answer_leaves_the_push_in_place(stage: Stage) -> None:
    commit = stage.backend_copy.commit("Lost", {"note": "lost"})
    httpx.post(f"{stage.control.url}/faults", json={"fault": "drop_answer", "system": "git", "times": 1,
                                                    "path": "/git-receive-pack"})  # fmt: skip
    assert stage.backend_copy.push(check=False).returncode != 0
    assert stage.remotes.head(BACKEND, "main") == commit


def test_a_clone_brings_what_was_pushed(stage: Stage, tmp_path: Any) -> None:
    url = stage.remotes.url(BACKEND).replace("http://", f"http://x:{TOKEN}@")
    subprocess.run(["git", "clone", "--quiet", url, str(tmp_path / "clone")], check=True, capture_output=True)
    assert (tmp_path / "clone" / "server.py").read_text() == server(1)


def test_rest_agrees_with_git(stage: Stage) -> None:
    head = stage.remotes.head(BACKEND, "main")
    assert head is not None
    assert get(stage, "/user").json()["login"]
    assert get(stage, f"/repos/{BACKEND}").json()["permissions"]["push"] is True
    assert get(stage, f"/repos/{BACKEND}/branches/main").json()["commit"]["sha"] == head
    assert get(stage, f"/repos/{BACKEND}/git/ref/heads/main").json()["object"]["sha"] == head
    cheap = get(stage, f"/repos/{BACKEND}/commits/main", Accept="application/vnd.github.sha")
    assert cheap.text == head
    assert get(stage, f"/repos/{BACKEND}/commits/main", **{"If-None-Match": cheap.headers["ETag"]}).status_code == 304
    commit = get(stage, f"/repos/{BACKEND}/commits/{head}").json()
    assert (commit["sha"], commit["commit"]["message"]) == (
        head,
        stage.backend_copy.git("log", "-1", "--format=%B").stdout.strip(),
    )
    parent = commit["parents"][0]["sha"]
    ahead = get(stage, f"/repos/{BACKEND}/compare/{parent}...main").json()
    assert (ahead["status"], ahead["ahead_by"], ahead["behind_by"]) == ("ahead", 1, 0)
    assert get(stage, f"/repos/{BACKEND}/compare/main...{parent}").json()["status"] == "behind"
    assert get(stage, f"/repos/{BACKEND}/compare/main...main").json()["status"] == "identical"
    assert get(stage, f"/repos/{BACKEND}/commits/main/check-runs").json()["total_count"] == 0
    assert get(stage, f"/repos/{BACKEND}/rules/branches/main").json() == []


@pytest.mark.parametrize(
    ("path", "token", "status", "message"),
    [
        ("/user", "wrong", 401, "Bad credentials"),
        ("/user", None, 401, "Requires authentication"),
        (f"/repos/{BACKEND}", None, 404, "Not Found"),
        ("/repos/pixelsock/nothing", TOKEN, 404, "Not Found"),
        (f"/repos/{BACKEND}/branches/nothing", TOKEN, 404, "Branch not found"),
        (f"/repos/{BACKEND}/branches/main/protection", TOKEN, 404, "Branch not protected"),
        (f"/repos/{BACKEND}/commits/nothing", TOKEN, 422, "No commit found for SHA: nothing"),
        ("/repos/pixelsock/fuma/commits/master", TOKEN, 409, "Git Repository is empty."),
    ],
)
def test_refusals_look_like_githubs(stage: Stage, path: str, token: str | None, status: int, message: str) -> None:
    answer = get(stage, path, token)
    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert set(answer.json()) == {"message", "documentation_url", "status"}
    assert int(answer.headers["X-RateLimit-Reset"]) > 1_700_000_000


def test_the_budget_is_free_to_ask(stage: Stage) -> None:
    first, second = (get(stage, "/rate_limit").json()["resources"]["core"] for _ in range(2))
    assert (first["limit"], first["remaining"]) == (5000, second["remaining"])
