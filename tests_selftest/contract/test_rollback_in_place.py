"""Code goes back by Render's rollback, or built anew, or not at all and says so; what people wrote is told by name."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.deployment import Deploy
from fixtures.model.rollback import PreviousDeploy
from fixtures.model.secret import Secret
from fixtures.operations.code.deploy import WaitPolicy
from fixtures.operations.preservation import fingerprint
from fixtures.operations.rollback import live_edits, rollback_code, rollback_state
from fixtures.plugins.session import NO_WRITE_ERRORS
from fixtures.systems import render
from fixtures.systems.http.transport import USER_AGENT
from fixtures.systems.postgres.dump import scratch_database
from fixtures.systems.postgres.observer import PostgresObserver
from fixtures.systems.postgres.session import transaction
from fixtures.systems.render import RenderOperator
from tests_selftest.contract.stage import API_KEY, Stage, server

PATIENCE = WaitPolicy(30.0, 0.1)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A backend whose first version was followed by a second, which serves."""
    made = Stage(tmp_path_factory.mktemp("way-back"))
    try:
        made.deploy_first()
        second = made.backend_copy.commit("Second version", {"server.py": server(2)})
        made.backend_copy.push()
        made.deploy_of(made.backend, second, "live")
        yield made
    finally:
        made.remove()


@pytest.fixture
def operator(stage: Stage) -> Iterator[RenderOperator]:
    with render.connect(stage.render.url, Secret(API_KEY), read_only=False) as transport:
        yield RenderOperator(transport)


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    ledger = Ledger(tmp_path / "ledger" / "l.jsonl", run="run-1", inputs="i", suite="s")
    ledger.add(Kind.OPENED, "migration")
    made = Evidence(tmp_path / "run-1", ledger, no_write_errors=NO_WRITE_ERRORS)
    made.begin("R.3.1")
    return made


def first_version(stage: Stage) -> PreviousDeploy:
    """The deploy of the first version, which is the oldest there is."""
    deploy = stage.deploys(stage.backend)[-1]
    return PreviousDeploy("backend", stage.backend.id, "udo-backend", deploy["id"], deploy["commit"]["id"])


def back(operator: RenderOperator, stage: Stage, evidence: Evidence) -> str:
    wanted = first_version(stage)
    done = rollback_code.roll_back_service(
        operator, wanted, evidence, subject="R.3.1", wait_policy=PATIENCE, on_status=lambda _: None
    )
    live = operator.live_deploy(wanted.service_id)
    assert live is not None
    assert live.commit == done.commit == wanted.commit
    return done.how


def forward(operator: RenderOperator, stage: Stage) -> None:
    """The second version serves again."""
    newest = stage.backend_copy.git("rev-parse", "HEAD").stdout.strip()
    operator.trigger_deploy(stage.backend.id, commit=newest)
    stage.deploy_of(stage.backend, newest, "live")


def test_a_service_goes_back_by_rollback_and_a_second_time_is_in_place(
    stage: Stage, operator: RenderOperator, evidence: Evidence
) -> None:
    assert back(operator, stage, evidence) == "rollback"
    assert back(operator, stage, evidence) == "in place"
    assert evidence.ledger.last(Kind.DONE, "R.3.1") is not None


def test_a_rollback_a_killed_run_began_is_waited_for_and_another_deploy_under_way_is_canceled(
    stage: Stage, operator: RenderOperator, evidence: Evidence
) -> None:
    forward(operator, stage)
    operator.roll_back(stage.backend.id, first_version(stage).deploy)
    assert back(operator, stage, evidence) == "in place"
    forward(operator, stage)
    third = stage.backend_copy.commit("Third version", {"server.py": server(3)})
    stage.backend_copy.push()
    stage.deploy_of(stage.backend, third, "build_in_progress", "update_in_progress", "live")
    assert back(operator, stage, evidence) == "rollback"
    assert third not in {d["commit"]["id"] for d in stage.deploys(stage.backend) if d["status"] == "live"}


def test_a_deploy_that_goes_live_before_it_can_be_canceled_is_rolled_back_like_any_other(
    stage: Stage, operator: RenderOperator, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Render refuses to cancel what has ended; the first look here is made to be one moment old."""
    forward(operator, stage)
    now = operator.deploys(stage.backend.id)
    looks = [[replace(now[0], status="update_in_progress"), *now[1:]]]

    def deploys(service: str, **asked: Any) -> list[Deploy]:
        return looks.pop() if looks else RenderOperator.deploys(operator, service, **asked)

    monkeypatch.setattr(operator, "deploys", deploys)
    assert back(operator, stage, evidence) == "rollback"
    done = [entry.facts for entry in evidence.ledger.current if entry.kind is Kind.DONE]
    assert done[0] == {"cancel": now[0].id, "reconciled": "it had ended as live"}


def test_a_build_that_is_kept_no_longer_is_built_again_or_the_way_stops(
    stage: Stage, operator: RenderOperator, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward(operator, stage)
    earliest = stage.render._state.store.deploys[first_version(stage).deploy]
    shutil.rmtree(stage.render._state.builder.folder / earliest.build)
    with monkeypatch.context() as patched:
        patched.setattr(operator, "trigger_deploy", refused(operator))
        with pytest.raises(rollback_state.RollbackBlocked, match=r"MIG-705[\s\S]*git revert"):
            back(operator, stage, evidence)
    assert back(operator, stage, evidence) == "built again"


def refused(operator: RenderOperator) -> object:
    """A Render that builds nothing any more."""

    def trigger_deploy(service_id: str, *, commit: str) -> None:
        assert commit
        operator.roll_back(service_id, "dep-that-never-was")

    return trigger_deploy


def test_the_deploy_to_go_back_to_is_the_one_noted_with_the_first_push_else_the_last_before_the_backup(
    stage: Stage, operator: RenderOperator, evidence: Evidence
) -> None:
    names = {"backend": "udo-backend", "frontend": "fuma"}
    moment = datetime.now(UTC) + timedelta(hours=1)
    assert rollback_code.previous_deploys(operator, names, evidence, moment) == []
    evidence.ledger.add(Kind.INTENT, "2.2.5", commit="c")
    (by_time,) = rollback_code.previous_deploys(operator, names, evidence, moment)
    assert by_time.deploy == stage.deploys(stage.backend)[0]["id"]
    with pytest.raises(rollback_state.RollbackBlocked, match="MIG-704"):
        rollback_code.previous_deploys(operator, names, evidence, moment - timedelta(days=2))
    evidence.ledger.add(Kind.INTENT, "2.2.7", commit="c", live=first_version(stage).deploy)
    (noted,) = rollback_code.previous_deploys(operator, names, evidence, moment)
    assert (noted.side, noted.deploy) == ("backend", first_version(stage).deploy)


def test_autodeploy_is_switched_off_and_set_back_to_what_it_was_even_after_a_kill_in_between(
    operator: RenderOperator, evidence: Evidence
) -> None:
    service = operator.service("udo-backend")
    operator.set_trigger(service.id, "checksPass")
    evidence.begin("R.2.1")
    for _ in range(2):  # a second run finds "off" and must not take that for what it was
        rollback_state.autodeploy_off(operator, ("udo-backend",), evidence, subject="R.2.1")
        assert operator.service_by_id(service.id).autodeploy == "off"
    evidence.begin("R.7.1")
    rollback_state.autodeploy_as_before(operator, evidence, subject="R.7.1")
    assert operator.service_by_id(service.id).autodeploy == "checksPass"


SCHEMA = """
    CREATE TABLE directus_users (id uuid PRIMARY KEY, email text);
    CREATE TABLE directus_collections (collection text PRIMARY KEY, accountability text);
    CREATE TABLE directus_roles (id uuid PRIMARY KEY, name text);
    CREATE TABLE directus_activity (id serial PRIMARY KEY, action text, "user" uuid, "timestamp" timestamptz,
        user_agent text, collection text, item text);
    CREATE TABLE boards (id serial PRIMARY KEY, name text);
    CREATE TABLE tallies (id serial PRIMARY KEY, votes int);
    CREATE TABLE untouched (id serial PRIMARY KEY, name text);
    INSERT INTO directus_users VALUES ('22222222-2222-4222-8222-222222222222', 'ada@example.org');
    INSERT INTO directus_collections VALUES ('boards', 'all'), ('tallies', NULL), ('untouched', 'all');
    INSERT INTO boards (name) SELECT 'board ' || n FROM generate_series(1, 20) n;
    INSERT INTO tallies (votes) SELECT n FROM generate_series(1, 20) n;
    INSERT INTO untouched (name) VALUES ('x');
"""


def wrote(action: str, collection: str, item: object, agent: str) -> str:
    """An entry of Directus' activity, as the statement that makes it."""
    return (
        'INSERT INTO directus_activity (action, "user", "timestamp", user_agent, collection, item) VALUES'
        f" ('{action}', '22222222-2222-4222-8222-222222222222', now(), '{agent}', '{collection}', '{item}');"
    )


def test_work_of_people_is_told_from_ours_by_name(platform: Stage, tmp_path: Path) -> None:
    """Ours: journaled keys, edits under our agent. Theirs: other new rows, other edits, roles, unaccounted rows."""
    assert platform.cluster is not None
    with scratch_database(Secret(platform.cluster.superuser_url)) as (_, url):
        with transaction(url, system="test database") as connection:
            connection.execute(SCHEMA.encode())
        before = fingerprint.record(url, tmp_path, lambda *_: None)
        ours, theirs = f"Chrome {USER_AGENT}", "Mozilla/5.0"
        with psycopg.connect(url.reveal(), autocommit=True) as connection:
            connection.execute(
                (
                    "INSERT INTO boards (id, name) VALUES (101, 'imported'), (102, 'imported'), (103, 'made by Ada');"
                    "UPDATE boards SET name = 'us' WHERE id = 1; UPDATE boards SET name = 'they' WHERE id IN (2, 3);"
                    "UPDATE tallies SET votes = 0 WHERE id = 7; CREATE TABLE added (id int PRIMARY KEY);"
                    "INSERT INTO added VALUES (1), (2);"
                    + wrote("update", "boards", 1, ours)
                    + wrote("update", "boards", 2, theirs)
                    + wrote("update", "boards", 2, theirs)
                    + wrote("update", "boards", 3, theirs)
                    + wrote("create", "boards", 103, theirs)
                    + wrote("create", "boards", 104, ours)
                    + wrote("delete", "boards", 104, ours)
                    + wrote("create", "directus_roles", "a-role", theirs)
                    + wrote("login", "directus_users", "x", theirs)
                ).encode()
            )
        with PostgresObserver(url) as database:
            found = live_edits.find_live_edits(
                before, tmp_path, url, database, lambda *_: None, sent_keys={"boards": {"101", "102"}, "added": {"1"}}
            )
    told = {each.table: (each.made, each.changed) for each in found}
    assert told == {"boards": (1, 2), "tallies": (0, 1), "added": (1, 0), "directus_roles": (0, 1)}
    boards = next(each for each in found if each.table == "boards")
    assert set(boards.examples) == {"103", "2", "3"}
    assert boards.last.endswith("by ada@example.org")
