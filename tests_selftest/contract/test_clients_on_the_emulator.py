"""The clients of Render, GitHub, git and the webhook, each against the emulator that shares no line with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import httpx
import pytest

from fixtures.model.backup import ExportOutcome
from fixtures.model.secret import Secret
from fixtures.operations.backups import render_export
from fixtures.operations.backups.backup import BackupStorage
from fixtures.process.waiting import wait_until
from fixtures.systems import github, render, webhook
from fixtures.systems.failure import IncompleteRead, Refused, WriteRefused
from fixtures.systems.git.working_copy import Remote, WorkingCopy
from fixtures.systems.github import GitHubObserver
from fixtures.systems.postgres.dump import PostgresTools
from fixtures.systems.postgres.export_archive import open_export
from fixtures.systems.postgres.observer import PostgresObserver
from fixtures.systems.render import RenderObserver, RenderOperator
from fixtures.systems.render.download import fetch
from tests_selftest.contract.stage import API_KEY, BACKEND, FRONTEND, TOKEN, Stage

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def operator(platform: Stage) -> Iterator[RenderOperator]:
    with render.connect(platform.render.url, Secret(API_KEY), read_only=False) as transport:
        yield RenderOperator(transport, logs_every_s=0)


@pytest.fixture
def hub(platform: Stage) -> Iterator[GitHubObserver]:
    with github.connect(platform.github.url, Secret(TOKEN)) as transport:
        yield GitHubObserver(transport)


def test_services_are_found_by_name(operator: RenderOperator) -> None:
    """Both kinds, with what the runbook asks of them; a wrong name is not guessed at."""
    assert operator.user().id.startswith("usr-")
    backend, frontend = operator.service("udo-backend"), operator.service("fuma")
    assert (backend.type, backend.branch, backend.autodeploy, backend.suspended) == (
        "web_service",
        "main",
        "commit",
        False,
    )
    assert (frontend.is_static, frontend.branch) == (True, "master")
    assert httpx.get(backend.url).status_code == httpx.get(frontend.url).status_code == 200
    assert operator.env_vars(backend.id)["SHADE"].reveal() == "green"
    assert len(operator.instances(backend.id)) == 1
    with pytest.raises(IncompleteRead, match="correct the name"):
        operator.service("no-such-service")


def test_a_wrong_key_is_said(platform: Stage) -> None:
    """401, and the key is in no message."""
    with (
        render.connect(platform.render.url, Secret("rnd_wrong_key"), read_only=True) as transport,
        pytest.raises(Refused) as refusal,
    ):
        RenderObserver(transport).user()
    assert refusal.value.status == 401
    assert "rnd_wrong_key" not in str(refusal.value)


def test_an_observer_starts_nothing(platform: Stage) -> None:
    """Neither has it the method, nor would its connection send the request."""
    with render.connect(platform.render.url, Secret(API_KEY), read_only=True) as transport:
        assert not hasattr(RenderObserver(transport), "trigger_deploy")
        with pytest.raises(WriteRefused):
            RenderOperator(transport).trigger_deploy(platform.backend.id)


def test_a_push_is_followed_to_the_deploy_of_its_commit(
    platform: Stage, operator: RenderOperator, hub: GitHubObserver
) -> None:
    """The very commit: at the remote by git, by REST, and live on Render, with its build in the log."""
    copy = WorkingCopy(platform.backend_copy.folder)
    remote = Remote(platform.remotes.url(BACKEND), Secret(TOKEN))
    commit = platform.backend_copy.commit("Another version", {"note.txt": "a note\n"})
    service = operator.service("udo-backend")
    before = datetime.now(UTC)
    assert operator.deploy_of(service.id, commit, since=before) is None
    assert copy.dry_run(remote, "main").accepted
    assert copy.push(remote, "main").flag == " "
    assert copy.remote_head(remote, "main") == hub.branch_head(BACKEND, "main") == commit
    deploy = wait_until(
        lambda: operator.deploy_of(service.id, commit, since=before),
        until=lambda d: d is not None and (d.live or d.failed),
        deadline_s=30,
        every_s=0.2,
        reason="the pushed commit is live",
    )
    assert deploy is not None
    assert (deploy.live, deploy.trigger, deploy.commit) == (True, "new_commit", commit)
    assert operator.live_deploy(service.id) == operator.deploy(service.id, deploy.id)
    lines = operator.logs(service.owner_id, [service.id], since=before, types=["build"])
    assert any("building" in line.message for line in lines)
    assert [line.at for line in lines] == sorted(line.at for line in lines if line.at)
    kinds = {event.type for event in operator.events(service.id, since=before - timedelta(seconds=5))}
    assert {"deploy_started", "deploy_ended"} <= kinds
    assert hub.contains(BACKEND, "main", commit)
    assert hub.commit(BACKEND, commit).message.strip() == "Another version"


def test_a_token_that_may_not_push_is_refused(platform: Stage) -> None:
    """By git and by REST, without the token in the message."""
    copy = WorkingCopy(platform.frontend_copy.folder)
    with pytest.raises(Refused, match="did not accept the token") as refusal:
        copy.push(Remote(platform.remotes.url(FRONTEND), Secret("ghp_wrong_token")), "master")
    assert "ghp_wrong_token" not in str(refusal.value)
    with github.connect(platform.github.url, Secret("ghp_wrong_token")) as transport, pytest.raises(Refused):
        GitHubObserver(transport).user()


def test_what_github_says_of_a_repository(hub: GitHubObserver) -> None:
    """Branches that are not there are empty, commits that are not there are False."""
    repository = hub.repository(FRONTEND)
    assert (repository.default_branch, repository.archived, repository.may_push) == ("master", False, True)
    assert hub.user()
    assert hub.branch_head(FRONTEND, "no-such-branch") == ""
    assert not hub.has_commit(FRONTEND, "0" * 40)
    head = hub.branch_head(FRONTEND, "master")
    assert hub.compare(FRONTEND, head, "master").status == "identical"


def test_metrics_are_measured_or_absent(operator: RenderOperator) -> None:
    """A web service has memory in bytes; a static site has none, which is an empty list."""
    since = datetime.now(UTC) - timedelta(hours=1)
    memory = wait_until(
        lambda: operator.metric("memory", operator.service("udo-backend").id, since=since),
        until=lambda series: any(each.values for each in series),
        deadline_s=60,
        every_s=1,
        reason="the emulator has measured memory once",
    )
    assert all(each.unit == "bytes" for each in memory)
    assert max(value for each in memory for _, value in each.values) > 1_000_000
    assert operator.metric("memory", operator.service("fuma").id, since=since) == []


def test_a_database_is_exported_and_the_export_opens(platform: Stage, operator: RenderOperator, tmp_path: Path) -> None:
    """The export is started, found by its new id, downloaded, unpacked, and lists the table it holds."""
    database = operator.database("udo-db")
    assert database.available
    address = operator.connection_info(database.id).external
    with PostgresObserver(address) as observer:
        assert observer.count("definitions") == 1000
    had = {each.id for each in operator.exports(database.id)}
    operator.start_export(database.id)
    (made,) = wait_until(
        lambda: [each for each in operator.exports(database.id) if each.id not in had and each.ready],
        until=lambda ready: len(ready) == 1,
        deadline_s=60,
        every_s=0.5,
        reason="the export is ready",
    )
    archive = tmp_path / "export.dir.tar.gz"
    assert fetch(made.url, archive) == archive.stat().st_size > 0
    opened = open_export(archive, unpack_into=tmp_path / "unpacked")
    assert platform.cluster is not None
    tools = PostgresTools.found(platform.cluster.bin)
    assert tools.listing(opened.folder).tables == ("definitions",)
    assert operator.recovery(database.id).status in {"AVAILABLE", "BACKUP_NOT_READY", "NOT_AVAILABLE"}
    assert operator.maintenance(database.id) == []


def test_1_4_2_is_red_when_render_does_not_confirm_what_became_of_its_export(
    platform: Stage, operator: RenderOperator, tools: PostgresTools, tmp_path: Path
) -> None:
    """Without an export the step passes on a plan without exports alone."""
    database = operator.database("udo-db")
    storage = BackupStorage(tmp_path, tools, Secret(""))

    def found(outcome: ExportOutcome, there: RenderObserver = operator) -> list[tuple[str, str]]:
        return [(each.code, each.observed) for each in render_export.unconfirmed(outcome, there, database)]

    with PostgresObserver(operator.connection_info(database.id).external) as observer:

        def asked() -> ExportOutcome:
            return render_export.request_export(
                operator, database, observer, storage, lambda *_: None, deadline_s=60, poll_s=0.2
            )

        made = asked()
        assert made.artefact is not None
        assert found(made) == []
        ((code, observed),) = found(replace(made, artefact=replace(made.artefact, id="exp-of-somebody-else")))
        assert (code, observed.partition(" ")[2]) == ("MIG-167", "others are ready")
        platform.render.policy.plan_has_exports = False
        try:
            refused = asked()
        finally:
            platform.render.policy.plan_has_exports = True
    assert (refused.artefact, refused.refused_with) == (None, 400)
    ((code, observed),) = found(refused)
    assert (code, observed.partition(" ")[2]) == ("MIG-167", "ready, so the plan has exports")
    free = Mock(RenderObserver, exports=lambda _: [])
    assert found(refused, free) == []
    for status in (401, 500, 0):
        outcome = ExportOutcome(None, "Render refused an export", refused_with=status)
        assert found(outcome, free) == [("MIG-167", "Render refused an export")]


def test_autodeploy_and_rollback(operator: RenderOperator) -> None:
    """Off, back to an older deploy, which becomes live again as a new one, and on."""
    service = operator.service("udo-backend")
    assert operator.set_autodeploy(service.id, on=False).autodeploy == "off"
    try:
        older = next(each for each in operator.deploys(service.id) if each.status == "deactivated")
        back = operator.roll_back(service.id, older.id)
        live = wait_until(
            lambda: operator.deploy(service.id, back.id),
            until=lambda d: d.live or d.failed,
            deadline_s=30,
            every_s=0.2,
            reason="the rollback is live",
        )
        assert (live.live, live.trigger, live.commit) == (True, "rollback", older.commit)
    finally:
        assert operator.set_autodeploy(service.id, on=True).autodeploy == "commit"


def test_a_notice_arrives(platform: Stage) -> None:
    """What was posted is what the mailbox holds."""
    assert webhook.notify(Secret(platform.mailbox.url), "The migration is done.").status == 200
    assert "The migration is done." in str(platform.mailbox.messages()[-1])
