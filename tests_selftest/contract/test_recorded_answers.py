"""The client of Render accepts what the live API really answered, nulls and empty bodies included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fixtures.model.secret import Secret
from fixtures.systems.failure import Refused
from fixtures.systems.http.transport import RetryPolicy
from fixtures.systems.render import RenderOperator, connect
from tests_selftest.contract.scripted_server import Reply, Request, ScriptedServer

SAMPLES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("render_recorded_samples.json").read_text(encoding="utf-8")
)["responses"]
DATABASE = "dpg-d7sgiegsfn5c73fgpfl0-a"
IMAGE_SERVICE = "srv-ct6vmvdj0q5s700ckfv0"


def recorded(request: Request, before: int) -> Reply:
    """The recorded answers to this request, one after the other; the last one again when they are used up."""
    path = request.path
    found = [each for each in SAMPLES if (each["method"], each["path"]) == (request.method, path)]
    if not found:
        return Reply(404, {"message": f"not recorded: {request.method} {path}"})
    sample = found[min(before, len(found) - 1)]
    headers = {name: value for name, value in sample["headers"].items() if name != "Date"}
    return Reply(sample["status"], sample["body"], headers)


@pytest.fixture
def render() -> Iterator[RenderOperator]:
    with (
        ScriptedServer(recorded) as server,
        connect(f"{server.url}/v1", Secret("rnd_x"), read_only=False, retry_policy=RetryPolicy(tries=1)) as transport,
    ):
        yield RenderOperator(transport, logs_every_s=0)


def test_there_are_fourteen_of_them() -> None:
    """Each of the recorded answers is asked for below."""
    assert len(SAMPLES) == 14


def test_a_list_of_services(render: RenderOperator) -> None:
    """A service from an image has no repository and no branch; it is found by its name."""
    service = render.service("web-service-image-tf")
    assert (service.id, service.type, service.plan) == (IMAGE_SERVICE, "web_service", "starter")
    assert (service.repository, service.branch) == ("", "")
    assert service.url == "https://web-service-image-tf.localhost.onrender.com:9443"
    assert not service.suspended


def test_a_web_service(render: RenderOperator) -> None:
    """An older answer says only autoDeploy, without a trigger."""
    service = render.service_by_id("srv-ct6vmjtj0q5s700ckea0")
    assert (service.branch, service.autodeploy, service.is_static) == ("main", "commit", False)
    assert service.repository == "https://github.com/render-examples/express-hello-world"


def test_a_static_site(render: RenderOperator) -> None:
    """It has no plan and no region, and autodeploy is off in both spellings."""
    site = render.service_by_id("srv-d0ehle3if6oc7397dt7g")
    assert (site.is_static, site.autodeploy, site.plan, site.region) == (True, "off", "", "")


def test_no_environment_variables(render: RenderOperator) -> None:
    """An empty list is an empty mapping."""
    assert render.env_vars(IMAGE_SERVICE) == {}


def test_a_triggered_deploy(render: RenderOperator) -> None:
    """finishedAt is null while it builds; the commit is the one that was built."""
    deploy = render.trigger_deploy("srv-ct6vmjtj0q5s700ckea0")
    assert deploy is not None
    assert (deploy.status, deploy.trigger, deploy.finished_at) == ("build_in_progress", "api", None)
    assert deploy.commit == "59bb07278c918ac8798e2532b4251f7c34e365f5"
    assert deploy.created_at == datetime(2024, 12, 2, 18, 24, 27, 608994, tzinfo=UTC)
    assert not deploy.live
    assert not deploy.failed


def test_a_deploy_of_an_image(render: RenderOperator) -> None:
    """Its commit is null."""
    deploy = render.trigger_deploy(IMAGE_SERVICE)
    assert deploy is not None
    assert (deploy.commit, deploy.status) == ("", "update_in_progress")


def test_a_queued_deploy(render: RenderOperator) -> None:
    """202 with no body names no deploy."""
    assert render.trigger_deploy("srv-d0ibls4fu1ps73eu3m5g") is None


def test_a_database_that_is_being_made_and_then_there(render: RenderOperator) -> None:
    """ipAllowList is null and connectionPool is missing in both answers."""
    making, ready = render.database_by_id(DATABASE), render.database_by_id(DATABASE)
    assert (making.status, making.available) == ("creating", False)
    assert (ready.status, ready.available, ready.version, ready.disk_gb) == ("available", True, "16", 100.0)
    assert ready.owner_id == "some-owner-id"


def test_connection_info(render: RenderOperator) -> None:
    """The addresses are there and are never shown."""
    connection = render.connection_info(DATABASE)
    assert connection.external.reveal().startswith("postgresql://test_parameter_overrides_agfj_user:PASSWORD@dpg-")
    assert "PASSWORD" not in repr(connection)


def test_not_found(render: RenderOperator) -> None:
    """The recorded 404 keeps Render's own words."""
    with pytest.raises(Refused, match=f"not found: {IMAGE_SERVICE}") as refusal:
        render._transport.json("GET", f"/logs/streams/resource/{IMAGE_SERVICE}")
    assert refusal.value.status == 404


def test_a_webhook(render: RenderOperator) -> None:
    """A null inside an answer nobody reads into a value is no obstacle."""
    answer = render._transport.json("POST", "/webhooks", json={"name": "test-tf-webhook"})
    assert answer["id"] == "whk-cuqcf8vdrj4c70f1v5g0"


def test_autodeploy(render: RenderOperator) -> None:
    """The answer to a change is the whole service."""
    service = render.set_autodeploy(IMAGE_SERVICE, on=True)
    assert (service.id, service.autodeploy) == (IMAGE_SERVICE, "commit")


@pytest.mark.parametrize("name", ["serviceDetails", "suspenders", "branch", "autoDeploy", "suspended"])
def test_null_is_absent(name: str) -> None:
    """A part that is null is read like a part that is missing."""
    raw = dict(SAMPLES[1]["body"])
    with_null, without = {**raw, name: None}, {key: value for key, value in raw.items() if key != name}

    def answer(request: Request, _: int) -> Reply:
        return Reply(200, with_null if request.path.endswith("null") else without)

    with (
        ScriptedServer(answer) as server,
        connect(server.url, Secret("rnd_x"), read_only=True) as transport,
    ):
        client = RenderOperator(transport)
        one, other = client.service_by_id("srv-null"), client.service_by_id("srv-absent")
    assert {**vars(one), "raw": None} == {**vars(other), "raw": None}


def test_an_unknown_word_is_kept() -> None:
    """A status that Render may add tomorrow is neither live nor failed, and can be said."""
    raw = {**SAMPLES[4]["body"], "status": "teleporting", "createdAt": "2026-04-23T18:48:32.775261932Z"}
    with (
        ScriptedServer(lambda _, __: Reply(200, raw)) as server,
        connect(server.url, Secret("rnd_x"), read_only=True) as transport,
    ):
        deploy = RenderOperator(transport).deploy("srv-a", "dep-b")
    assert (deploy.status, deploy.live, deploy.failed) == ("teleporting", False, False)
    assert deploy.created_at == datetime(2026, 4, 23, 18, 48, 32, 775261, tzinfo=UTC)


def test_pages_are_read_to_their_end() -> None:
    """A full page is followed by its cursor; a short one is the last."""

    def answer(request: Request, _: int) -> Reply:
        start = int(request.query.partition("cursor=c")[2] or -1) + 1
        page = [{"cursor": f"c{n}", "deploy": {"id": f"dep-{n}"}} for n in range(start, min(start + 100, 230))]
        return Reply(200, page)

    with (
        ScriptedServer(answer) as server,
        connect(server.url, Secret("rnd_x"), read_only=True) as transport,
    ):
        found = RenderOperator(transport).deploys("srv-a", since=datetime(2026, 1, 1, tzinfo=UTC))
    assert [each.id for each in found] == [f"dep-{n}" for n in range(230)]
    assert len(server.requests) == 3
