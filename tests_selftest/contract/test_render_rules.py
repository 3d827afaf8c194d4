"""The rules of every call: who may ask, how often, how lists are written and paged, how a refusal looks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests_selftest.contract.stage import API_KEY, Stage

HEADERS = {"Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"}
RECORDED = json.loads(Path(__file__).with_name("render_recorded_samples.json").read_text("utf-8"))["responses"]


@pytest.fixture
def recorded(platform: Stage) -> Iterator[Stage]:
    platform.policy.change(mode="recorded")
    yield platform
    platform.policy.change(mode="strict")


def sample(method: str, path_end: str, **having: str) -> dict[str, Any]:
    """A recorded answer whose path ends like this and whose service has these values."""
    for one in RECORDED:
        body = one["body"][0]["service"] if isinstance(one["body"], list) and one["body"] else one["body"]
        fits = all((body or {}).get(name) == value for name, value in having.items())
        if one["method"] == method and path_end in one["path"] and fits:
            return {**one, "body": body}
    raise AssertionError(f"no recorded {method} …{path_end}")


def same_kind(mine: Any, theirs: Any, place: str = "body") -> None:
    """Every key the live API sent is sent here too, with a value of the same JSON type."""
    kinds = {int: float}
    if isinstance(theirs, dict):
        assert isinstance(mine, dict), place
        for name, value in theirs.items():
            assert name in mine, f"{place}.{name} is missing"
            same_kind(mine[name], value, f"{place}.{name}")
    elif theirs is not None and mine is not None:
        assert kinds.get(type(mine), type(mine)) is kinds.get(type(theirs), type(theirs)), place


def test_a_wrong_key_is_refused(platform: Stage) -> None:
    for headers in ({}, {"Authorization": "Bearer rnd_wrong"}, {"Authorization": f"Basic {API_KEY}"}):
        answer = httpx.get(platform.render.url + "/services", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
        assert not HEADERS - {name.title() for name in answer.headers}


def test_in_recorded_mode_the_refusal_is_plain_text(recorded: Stage) -> None:
    answer = httpx.get(recorded.render.url + "/services")
    assert (answer.status_code, answer.text) == (401, "Unauthorized\n")
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/services/srv-nobody", "/services/srv-nobody/deploys", "/postgres/dpg-nobody-a"])
def test_what_does_not_exist_is_named(platform: Stage, path: str) -> None:
    answer = platform.api("GET", path)
    assert answer.status_code == 404
    assert answer.json() == {"message": f"not found: {path.split('/')[2]}"}
    assert set(answer.json()) == set(sample("GET", "/logs/streams")["body"])


def test_an_unknown_route_is_json_too(platform: Stage) -> None:
    answer = platform.api("GET", "/nowhere")
    assert (answer.status_code, list(answer.json())) == (404, ["message"])


def test_both_ways_of_writing_a_list_mean_the_same(platform: Stage) -> None:
    path = "/services"
    commas = platform.api("GET", path, params={"name": "fuma,udo-backend"}).json()
    repeated = platform.api("GET", path, params=[("name", "fuma"), ("name", "udo-backend")]).json()
    assert [item["service"]["id"] for item in commas] == [item["service"]["id"] for item in repeated]
    assert len(commas) == 2
    assert platform.api("GET", path, params={"name": "fum"}).json() == []


@pytest.mark.parametrize("path", ["/services", "/services/{backend}/events", "/services/{backend}/deploys"])
def test_one_by_one_is_the_same_as_all(platform: Stage, path: str) -> None:
    path = path.format(backend=platform.backend.id)
    every = platform.api("GET", path, params={"limit": 100}).json()
    assert every
    single: list[dict[str, Any]] = []
    for _ in range(len(every)):
        cursor = {"cursor": single[-1]["cursor"]} if single else {}
        single += platform.api("GET", path, params={"limit": 1, **cursor}).json()
    assert single == every
    assert platform.api("GET", path, params={"cursor": every[-1]["cursor"]}).json() == []


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "many"}, {"cursor": "bm93aGVyZQ=="}])
def test_a_wrong_page_is_refused(platform: Stage, query: dict[str, str]) -> None:
    answer = platform.api("GET", "/services", params=query)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_rates_are_told_on_every_answer_and_kept(platform: Stage) -> None:
    first, second = platform.api("GET", "/services"), platform.api("GET", "/services")
    assert (first.headers["Ratelimit-Limit"], int(first.headers["Ratelimit-Reset"]) <= 60) == ("400", True)
    assert int(second.headers["Ratelimit-Remaining"]) == int(first.headers["Ratelimit-Remaining"]) - 1
    logs = {"ownerId": platform.render.owner_id, "resource": platform.backend.id}
    platform.policy.change(enforce_rates=True)
    try:
        for _ in range(platform.policy.logs_per_minute + 1):
            answer = platform.api("GET", "/logs", params=logs)
        assert answer.status_code == 429
        assert answer.json() == {"message": "rate limit exceeded"}
        assert 0 <= int(answer.headers["Retry-After"]) <= 60
    finally:
        platform.policy.change(enforce_rates=False)


def test_a_web_service_and_a_site_look_like_recorded_ones(platform: Stage) -> None:
    web = sample("GET", "/services/srv-ct6vmjtj0q5s700ckea0")["body"]
    for optional in ("disk", "preDeployCommand"):
        web["serviceDetails"].pop(optional, None)
    web["serviceDetails"]["envSpecificDetails"].pop("preDeployCommand")
    web.pop("buildFilter")
    same_kind(platform.api("GET", f"/services/{platform.backend.id}").json(), web)
    site = sample("GET", "/services/srv-d0ehle3if6oc7397dt7g")["body"]
    same_kind(platform.api("GET", f"/services/{platform.frontend.id}").json(), site)


def test_a_database_looks_like_a_recorded_one(recorded: Stage) -> None:
    assert recorded.database is not None
    theirs = sample("GET", "/postgres/dpg", status="available")["body"]
    theirs.pop("parameterOverrides")
    mine = recorded.api("GET", f"/postgres/{recorded.database.id}").json()
    same_kind(mine, theirs)
    assert mine["ipAllowList"] is None
    info = recorded.api("GET", f"/postgres/{recorded.database.id}/connection-info").json()
    assert set(info) == set(sample("GET", "/connection-info")["body"])


def test_small_answers_look_like_recorded_ones(platform: Stage) -> None:
    path = f"/notification-settings/owners/{platform.render.owner_id}"
    assert set(platform.api("GET", path).json()) == set(sample("GET", "/notification-settings")["body"])
    answer = platform.api("GET", f"/services/{platform.frontend.id}/env-vars")
    assert answer.json() == []
    assert not sample("GET", "/env-vars")["body"]
    assert answer.headers["Content-Type"] == sample("GET", "/env-vars")["headers"]["Content-Type"]


def test_in_recorded_mode_open_ports_and_unfinished_times_are_null(recorded: Stage) -> None:
    service = recorded.api("GET", f"/services/{recorded.backend.id}").json()
    assert service["serviceDetails"]["openPorts"] is None


def test_autodeploy_is_switched_in_both_ways(platform: Stage) -> None:
    path = f"/services/{platform.frontend.id}"
    off = platform.api("PATCH", path, json={"autoDeploy": "no"}).json()
    assert (off["autoDeploy"], off["autoDeployTrigger"]) == ("no", "off")
    on = platform.api("PATCH", path, json={"autoDeployTrigger": "commit"}).json()
    assert (on["autoDeploy"], on["autoDeployTrigger"]) == ("yes", "commit")
    assert platform.api("PATCH", path, json={"autoDeploy": False}).status_code == 400
    types = [item["event"]["type"] for item in platform.api("GET", path + "/events").json()][:2]
    assert types == ["auto_deploy_enabled", "auto_deploy_disabled"]
