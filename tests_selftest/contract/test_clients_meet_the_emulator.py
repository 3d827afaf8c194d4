"""The suite's clients and the emulator, written apart, understand each other: one deploy, one backup, one refusal."""

from __future__ import annotations

import datetime as dt
import gzip
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.model.secret import Secret
from fixtures.systems import github, render, webhook
from fixtures.systems.failure import Refused
from fixtures.systems.http.transport import RetryPolicy
from fixtures.systems.render import download
from tests_selftest.contract.stage import API_KEY, BACKEND, TOKEN, Stage, server

ONCE = RetryPolicy(tries=1)


def eventually(look: Callable[[], Any], *, within_s: float = 15.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {within_s} s; last: {seen!r}"
        time.sleep(0.1)
    return seen


@pytest.fixture(params=["strict", "recorded"])
def mode(platform: Stage, request: pytest.FixtureRequest) -> Iterator[str]:
    """Both ways of answering: as the schema says, and with the nulls the live API was seen to send."""
    platform.policy.change(mode=request.param)
    yield request.param
    platform.policy.change(mode="strict")


@pytest.fixture
def client(platform: Stage, mode: str) -> Iterator[render.RenderOperator]:
    assert mode
    with render.connect(platform.render.url, Secret(API_KEY), read_only=False, retry_policy=ONCE) as transport:
        yield render.RenderOperator(transport, logs_every_s=0.0)


def test_a_pushed_commit_is_followed_to_its_deploy(platform: Stage, client: render.RenderOperator, mode: str) -> None:
    before = dt.datetime.now(dt.UTC)
    commit = platform.backend_copy.commit(f"Followed in {mode} mode", {"server.py": server(7)})
    platform.backend_copy.push()
    service = client.service("udo-backend")
    deploy = eventually(lambda: (found := client.deploy_of(service.id, commit, since=before)) and found.live and found)
    assert (deploy.trigger, service.url) == ("new_commit", platform.backend.url)
    lines = client.logs(service.owner_id, [service.id], since=before, types=["build", "app"])
    assert [line.message for line in lines if line.message == "building"]
    assert any(event.type == "deploy_ended" for event in client.events(service.id, since=before))
    with github.connect(platform.github.url, Secret(TOKEN), retry_policy=ONCE) as transport:
        observer = github.GitHubObserver(transport)
        assert observer.branch_head(BACKEND, "main") == commit
        assert observer.contains(BACKEND, "main", commit)


def test_a_backup_is_ordered_found_and_fetched(client: render.RenderOperator, tmp_path: Path) -> None:
    database = client.database("udo-db")
    before = {one.id for one in client.exports(database.id)}
    client.start_export(database.id)
    (export,) = eventually(
        lambda: [one for one in client.exports(database.id) if one.id not in before and one.url.reveal()]
    )
    size = download.fetch(export.url, tmp_path / "export.tar.gz")
    assert size == (tmp_path / "export.tar.gz").stat().st_size > 0
    assert gzip.decompress((tmp_path / "export.tar.gz").read_bytes())
    assert (database.status, client.recovery(database.id).status) == ("available", "AVAILABLE")


def test_what_is_measured_can_be_read(client: render.RenderOperator) -> None:
    service, since = client.service("udo-backend"), dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    (memory, *_) = client.metric("memory", service.id, since=since)
    (limit, *_) = client.metric("memory-limit", service.id, since=since)
    assert 0 < memory.values[-1][1] < limit.values[-1][1]
    assert client.metric("cpu", client.service("fuma").id, since=since) == []
    assert client.env_vars(service.id)["SHADE"].reveal() == "green"
    assert len(client.instances(service.id)) == 1
    assert client.maintenance(service.id) == []


@pytest.mark.usefixtures("mode")
def test_a_wrong_key_is_a_refusal_the_client_understands(platform: Stage) -> None:
    transport = render.connect(platform.render.url, Secret("rnd_wrong"), read_only=True, retry_policy=ONCE)
    with transport, pytest.raises(Refused) as refused:
        render.RenderObserver(transport).user()
    assert "401" in str(refused.value)


def test_stakeholders_are_told(platform: Stage) -> None:
    webhook.notify(Secret(platform.mailbox.url), "Production has the new data model")
    assert platform.mailbox.messages()[-1]["message"] == {"text": "Production has the new data model"}
