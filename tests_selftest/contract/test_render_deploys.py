"""A push, and nothing else, makes the emulated Render build, start, judge and switch."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests_selftest.contract.stage import FRONTEND, HEALTH_WINDOW_S, Stage, server


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("stage"))
    try:
        stage.deploy_first()
        yield stage
    finally:
        stage.remove()


SLOW = "import time; time.sleep(0.7)\n"


def eventually(look: Callable[[], object], *, within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {within_s} s; last: {seen!r}"
        time.sleep(0.05)


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


@pytest.mark.parametrize("phrase", ["[skip render]", "[Render skip]", "[skip deploy]", "[cd skip]"])
def test_a_commit_that_asks_to_be_skipped_is_ignored(stage: Stage, phrase: str) -> None:
    before = stage.deploys(stage.backend)
    commit = stage.backend_copy.commit(f"Only words {phrase}", {"words": phrase})
    stage.backend_copy.push()
    assert stage.deploys(stage.backend) == before
    event = stage.api("GET", f"/services/{stage.backend.id}/events", params={"type": "commit_ignored"}).json()[0]
    assert event["event"]["details"]["id"] == commit


def test_a_push_waits_for_the_running_deploy_and_overtakes_those_that_wait(stage: Stage) -> None:
    pushed = stage.root / "all of them are pushed"
    waits = f"import os, time\nwhile not os.path.exists({str(pushed)!r}): time.sleep(0.05)\n"
    commits = []
    stage.policy.change(health_window_s=60.0)  # the first must be waited for until the last is pushed
    for number in (21, 22, 23):
        commits.append(stage.backend_copy.commit(f"Version {number}", {"server.py": waits + server(number)}))
        stage.backend_copy.push()
    assert {one["commit"]["id"] for one in stage.deploys(stage.backend)} >= set(commits)
    pushed.touch()
    stage.deploy_of(stage.backend, commits[2], "live")
    stage.policy.change(health_window_s=HEALTH_WINDOW_S)
    statuses = {one["commit"]["id"]: one["status"] for one in stage.deploys(stage.backend)}
    assert statuses[commits[0]] == "deactivated"
    assert statuses[commits[1]] == "canceled"


def test_the_policy_override_cancels_the_running_deploy(stage: Stage) -> None:
    stage.policy.change(overlap="override")
    first = stage.backend_copy.commit("Slow", {"server.py": "import time; time.sleep(60)"})
    stage.backend_copy.push()
    stage.deploy_of(stage.backend, first, "update_in_progress")
    second = stage.backend_copy.commit("Better", {"server.py": server(24)})
    stage.backend_copy.push()
    stage.deploy_of(stage.backend, second, "live")
    stage.policy.change(overlap="wait")
    assert {one["commit"]["id"]: one["status"] for one in stage.deploys(stage.backend)}[first] == "canceled"


def test_both_services_deploy_at_the_same_time(stage: Stage) -> None:
    web = stage.backend_copy.commit("Both", {"server.py": SLOW + server(25)})
    site = stage.frontend_copy.commit("Both", {"index.html": "<h1>both</h1>"})
    stage.backend_copy.push()
    stage.frontend_copy.push()
    one, other = stage.deploy_of(stage.backend, web, "live"), stage.deploy_of(stage.frontend, site, "live")
    assert max(one["startedAt"], other["startedAt"]) < min(one["finishedAt"], other["finishedAt"])


def test_no_request_is_lost_while_a_deploy_switches(stage: Stage) -> None:
    commit = stage.backend_copy.commit("Switch", {"server.py": server(26)})
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        slow = pool.submit(httpx.get, stage.backend.url + "/slow", timeout=10)
        stage.backend_copy.push()
        statuses = []
        while stage.deploys(stage.backend)[0]["status"] != "live":
            statuses.append(httpx.get(stage.backend.url).status_code)
        assert (set(statuses), slow.result().status_code) == ({200}, 200)
    assert httpx.get(stage.backend.url).json()["commit"] == commit


def test_a_rollback_brings_an_earlier_build_back(stage: Stage) -> None:
    target = next(one for one in stage.deploys(stage.backend) if one["status"] == "deactivated")
    rolled = stage.api("POST", f"/services/{stage.backend.id}/rollback", json={"deployId": target["id"]})
    assert (rolled.status_code, rolled.json()["trigger"]) == (201, "rollback")
    stage.deploy_of(stage.backend, target["commit"]["id"], "live")
    assert httpx.get(stage.backend.url).json()["commit"] == target["commit"]["id"]
    missing = stage.api("POST", f"/services/{stage.backend.id}/rollback", json={"deployId": "dep-nothing"})
    assert missing.status_code == 404


def test_a_deploy_can_be_ordered_and_canceled(stage: Stage) -> None:
    path = f"/services/{stage.backend.id}/deploys"
    ordered = stage.api("POST", path, json={})
    assert (ordered.status_code, ordered.json()["trigger"], ordered.json()["status"]) == (
        201,
        "api",
        "build_in_progress",
    )
    canceled = stage.api("POST", f"{path}/{ordered.json()['id']}/cancel")
    assert canceled.json()["status"] == "canceled"
    assert stage.api("POST", f"{path}/{ordered.json()['id']}/cancel").status_code == 409
    assert stage.api("POST", path, json={"commitId": "nothing"}).status_code == 400
    assert httpx.get(stage.backend.url).status_code == 200


def test_a_suspended_service_answers_503_until_it_is_resumed(stage: Stage) -> None:
    path = f"/services/{stage.backend.id}"
    assert stage.api("POST", f"{path}/suspend").status_code == 202
    assert (httpx.get(stage.backend.url).status_code, stage.api("GET", path).json()["suspended"]) == (503, "suspended")
    assert stage.api("GET", f"{path}/instances").json() == []
    assert stage.api("POST", f"{path}/resume").status_code == 202
    eventually(lambda: httpx.get(stage.backend.url).status_code == 200)


def test_a_service_that_falls_is_started_again(stage: Stage) -> None:
    (before,) = stage.api("GET", f"/services/{stage.backend.id}/instances").json()
    (instance,) = stage.render._state.instances.of(stage.backend)
    os.kill(instance.child.pid, signal.SIGKILL)
    eventually(lambda: [one for one in stage.api("GET", f"/services/{stage.backend.id}/instances").json()
                        if one["id"] != before["id"]])  # fmt: skip
    stage.render.await_serving(stage.backend, timeout_s=10)
    assert httpx.get(stage.backend.url).status_code == 200
    events = stage.api("GET", f"/services/{stage.backend.id}/events", params={"type": "server_failed"}).json()
    assert events[0]["event"]["details"]["instanceID"] == before["id"]


def test_autodeploy_off_ignores_a_push(stage: Stage) -> None:
    before = stage.deploys(stage.frontend)
    stage.api("PATCH", f"/services/{stage.frontend.id}", json={"autoDeploy": "no"})
    stage.frontend_copy.commit("Unseen", {"index.html": "<h1>unseen</h1>"})
    stage.frontend_copy.push()
    assert stage.deploys(stage.frontend) == before
    stage.api("PATCH", f"/services/{stage.frontend.id}", json={"autoDeploy": "yes"})


def test_an_interrupted_deploy_is_taken_up_by_the_next_boot(stage: Stage) -> None:
    commit = stage.backend_copy.commit("Interrupted", {"server.py": "import time; time.sleep(1.5)\n" + server(27)})
    stage.backend_copy.push()
    stage.deploy_of(stage.backend, commit, "update_in_progress")
    stage.stop()
    stage.start()
    stage.deploy_of(stage.backend, commit, "live")
    assert httpx.get(stage.backend.url).json()["version"] == 27


def test_a_stopped_world_resumes_with_the_same_ids_and_serves_again(stage: Stage) -> None:
    before, url = stage.deploys(stage.backend), stage.backend.url
    version = httpx.get(url).json()["version"]
    stage.stop()
    with pytest.raises(httpx.TransportError):
        httpx.get(url)
    stage.shade = "blue"
    stage.start()
    stage.render.await_serving(stage.backend, timeout_s=10)
    assert stage.backend.url == url
    answer = httpx.get(url).json()
    assert (answer["version"], answer["shade"]) == (version, "blue")
    assert stage.deploys(stage.backend) == before


def test_a_push_nobody_saw_is_deployed_by_the_next_boot(stage: Stage) -> None:
    commit = stage.frontend_copy.commit("While the world slept", {"index.html": "<h1>slept</h1>"})
    stage.stop()
    stage.frontend_copy.git("push", str(stage.remotes.path(FRONTEND)), "HEAD:master")
    stage.start()
    stage.deploy_of(stage.frontend, commit, "live")
    assert httpx.get(stage.frontend.url).text == "<h1>slept</h1>"


def test_in_recorded_mode_a_queued_deploy_is_answered_with_nothing(stage: Stage) -> None:
    stage.policy.change(mode="recorded")
    path = f"/services/{stage.backend.id}/deploys"
    first, second = stage.api("POST", path, json={}), stage.api("POST", path, json={})
    stage.policy.change(mode="strict")
    assert (first.status_code, first.json()["finishedAt"]) == (201, None)
    assert (second.status_code, second.text) == (202, "")
    eventually(lambda: {one["status"] for one in stage.deploys(stage.backend)[:2]} == {"live", "deactivated"})
