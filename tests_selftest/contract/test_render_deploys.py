"""A push, and nothing else, makes the emulated Render build, start, judge and switch."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests_selftest.contract.stage import Stage, server


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("stage"))
    try:
        stage.deploy_first()
        yield stage
    finally:
        stage.remove()


def test_a_push_goes_live_and_the_old_deploy_is_deactivated(stage: Stage) -> None:
    before = stage.deploys(stage.backend)[0]
    commit = stage.backend_copy.commit("Second version", {"server.py": server(2)})
    stage.backend_copy.push()
    deploy = stage.deploy_of(stage.backend, commit, "live")
    assert deploy["trigger"] == "new_commit"
    answer = httpx.get(stage.backend.url + "/items").json()
    assert (answer["version"], answer["commit"], answer["shade"]) == (2, commit, "green")
    after = {one["id"]: one["status"] for one in stage.deploys(stage.backend)}
    assert after[before["id"]] == "deactivated"


def test_a_failing_build_leaves_the_old_version_serving(stage: Stage) -> None:
    version = httpx.get(stage.backend.url).json()["version"]
    commit = stage.backend_copy.commit("Broken", {"broken": "yes", "server.py": server(3)})
    stage.backend_copy.push()
    stage.deploy_of(stage.backend, commit, "build_failed")
    assert httpx.get(stage.backend.url).json()["version"] == version
    (stage.backend_copy.folder / "broken").unlink()


@pytest.mark.parametrize(("source", "seconds"), [("raise SystemExit(3)", 3), (server(4, health=500), 8)])
def test_an_ill_instance_leaves_the_old_version_serving(stage: Stage, source: str, seconds: int) -> None:
    version = httpx.get(stage.backend.url).json()["version"]
    commit = stage.backend_copy.commit("Ill", {"server.py": source})
    stage.backend_copy.push()
    stage.deploy_of(stage.backend, commit, "update_failed", within_s=seconds)
    assert httpx.get(stage.backend.url).json()["version"] == version


def test_a_site_is_switched_as_a_whole(stage: Stage) -> None:
    commit = stage.frontend_copy.commit("Second site", {"index.html": "<h1>two</h1>"})
    stage.frontend_copy.push()
    stage.deploy_of(stage.frontend, commit, "live")
    assert httpx.get(stage.frontend.url).text == "<h1>two</h1>"
    assert httpx.get(stage.frontend.url + "/some/page").text == "<h1>two</h1>"
    assert httpx.get(stage.frontend.url + "/missing.js").status_code == 404
    assert httpx.get(stage.frontend.url + "/..%2f..%2fserver.py").status_code == 404


def test_a_stopped_world_resumes_with_the_same_ids_and_serves_again(stage: Stage) -> None:
    before, url = stage.deploys(stage.backend), stage.backend.url
    version = httpx.get(url).json()["version"]
    stage.stop()
    with pytest.raises(httpx.TransportError):
        httpx.get(url)
    stage.start()
    stage.render.await_serving(stage.backend, timeout_s=10)
    assert stage.backend.url == url
    assert httpx.get(url).json()["version"] == version
    assert stage.deploys(stage.backend) == before
