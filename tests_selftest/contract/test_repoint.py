"""
The backend works on the new database when its deploy is live, and not before; its old values stay on Render.

The service says which address it was started with; what is asked of it is asked of that database, as Directus does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest

from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.secret import Secret
from fixtures.operations.backups import backup
from fixtures.operations.backups.backup import BackupStorage
from fixtures.operations.code.deploy import WaitPolicy
from fixtures.operations.imports import import_inputs
from fixtures.operations.preservation import database_identity, fingerprint
from fixtures.operations.rollback import comparison, new_database, repoint, rollback_state
from fixtures.operations.rollback.new_database import NewDatabase
from fixtures.operations.rollback.operators import RollbackOperators
from fixtures.operations.rollback.rollback_state import RollbackBlocked
from fixtures.operations.rollback.rollback_steps import RollbackSteps
from fixtures.plugins.session import NO_WRITE_ERRORS
from fixtures.process.waiting import wait_until
from fixtures.systems import render
from fixtures.systems.directus import DirectusOperator
from fixtures.systems.postgres.dump import PostgresTools
from fixtures.systems.postgres.observer import PostgresObserver, StatementSeen
from fixtures.systems.render import Connection, RenderOperator
from tests_selftest.contract.stage import API_KEY, Stage, server

STRING = repoint.CONNECTION_STRING
ADA = "22222222-2222-4222-8222-222222222222"


class TwoVersions(Stage):
    """A stage whose backend has two commits, and says with which address of a database it was started."""

    first = second = ""


class Speaking(DirectusOperator):
    """A Directus as far as its database hears of it: it asks the one its service was started with."""

    def __init__(self, stage: TwoVersions) -> None:
        self._stage = stage
        self._sessions: dict[str, psycopg.Connection] = {}

    def send_marker(self, word: str) -> None:
        with urlopen(self._stage.backend.url, timeout=5) as answer:
            address = json.loads(answer.read())["shade"]
        if address not in self._sessions:
            self._sessions[address] = psycopg.connect(address, autocommit=True)
        self._sessions[address].execute(f'SELECT 1 AS "{word}"'.encode())

    def me(self) -> dict[str, str]:
        return {"id": ADA, "email": "ada@example.org"}

    def clear_cache(self) -> None:
        """Nothing is kept."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoVersions]:
    made = TwoVersions(tmp_path_factory.mktemp("repoint"), with_database=True)
    try:
        assert made.cluster is not None
        made.cluster.create_role("other", "of other")
        made.cluster.create_database("other", "other")
        address = made.cluster.url("udo", "udo", "secret udo")
        made.render.set_environment(made.backend, {STRING: f"{address}?application_name=cms"})
        source = {"server.py": server(1).replace('"SHADE"', f'"{STRING}"')}
        made.first = made.backend_copy.commit("First version", source)
        made.backend_copy.push()
        made.render.first_deploy(made.backend, timeout_s=30)
        newer = {"server.py": source["server.py"].replace("= 1", "= 2", 1)}
        made.second = made.backend_copy.commit("Second version", newer)
        made.backend_copy.push()
        made.deploy_of(made.backend, made.second, "live")
        yield made
    finally:
        made.remove()


@pytest.fixture
def operator(stage: TwoVersions) -> Iterator[RenderOperator]:
    with render.connect(stage.render.url, Secret(API_KEY), read_only=False) as transport:
        yield RenderOperator(transport)


@pytest.fixture
def databases(stage: TwoVersions) -> Iterator[dict[str, PostgresObserver]]:
    assert stage.cluster is not None
    new, old = (Secret(stage.cluster.superuser_url_of(name)) for name in ("other", "udo"))
    with PostgresObserver(new) as there, PostgresObserver(old) as here:
        yield {"udo-db-2": there, "udo-db": here}


@pytest.fixture
def switch(stage: TwoVersions, operator: RenderOperator, tmp_path: Path) -> repoint.RepointContext:
    assert stage.cluster is not None
    old, new = (
        Secret(stage.cluster.url(*each)) for each in (("udo", "udo", "secret udo"), ("other",) * 2 + ("of other",))
    )
    ledger = Ledger(tmp_path / "ledger" / "l.jsonl", run="run-1", inputs="i", suite="s")
    ledger.add(Kind.OPENED, "migration")
    evidence = Evidence(tmp_path / "run-1", ledger, no_write_errors=NO_WRITE_ERRORS)
    evidence.begin("R.5.2")
    connections = [Connection(each, each, Secret("")) for each in (old, new)]
    return repoint.RepointContext(
        operator, Speaking(stage), operator.service("udo-backend"), stage.first, connections[0],
        NewDatabase("udo-db-2", connections[1]), evidence, WaitPolicy(30.0, 0.1), lambda _: None,
    )  # fmt: skip


def test_a_group_elsewhere_and_an_address_from_outside_are_told_apart(
    operator: RenderOperator, switch: repoint.RepointContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def variables(own: dict[str, str], old: Connection) -> dict[str, str]:
        monkeypatch.setattr(operator, "env_vars", lambda _: {name: Secret(value) for name, value in own.items()})
        found = repoint.variables(operator, switch.service, old, new)
        return {name: each.reveal() for name, each in found.items()}

    new = NewDatabase("n", connection("postgresql://u:p%40@dpg-2-a/d", "postgresql://u:p%40@dpg-2-a.render.com:5432/d"))
    old = connection("postgresql://o:o@dpg-1-a/o", "postgresql://o:o@dpg-1-a.render.com/o")
    parts = {"DB_HOST": "dpg-1-a", "DB_PORT": "5432", "DB_DATABASE": "o", "DB_USER": "o", "DB_PASSWORD": "o"}
    assert variables(parts, old) == {
        "DB_HOST": "dpg-2-a", "DB_PORT": "5432", "DB_DATABASE": "d", "DB_USER": "u", "DB_PASSWORD": "p@",
    }  # fmt: skip
    assert variables({**parts, "DB_HOST": "dpg-1-a.render.com"}, old)["DB_HOST"] == "dpg-2-a.render.com"
    assert variables({**parts, STRING: "postgresql://o:o@dpg-1-a/o?ssl=1"}, old) == {
        STRING: "postgresql://u:p%40@dpg-2-a/d?ssl=1"
    }
    with pytest.raises(RollbackBlocked, match=r"MIG-720[\s\S]*no DB_USER, DB_PASSWORD"):
        variables({name: parts[name] for name in ("DB_HOST", "DB_PORT", "DB_DATABASE")}, old)


def connection(internal: str, external: str) -> Connection:
    return Connection(Secret(external), Secret(internal), Secret(""))


def test_a_database_that_is_a_copy_is_not_taken_for_the_one_directus_works_on(
    stage: TwoVersions, databases: dict[str, PostgresObserver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both hold the administrator; only one of them hears what is asked."""
    monkeypatch.setattr(PostgresObserver, "ask", asked_of_a_copy(PostgresObserver.ask))
    seen, findings = backup.same_database(Speaking(stage), databases["udo-db"])
    assert (findings, "query was seen there" in seen) == ([], True)
    _, (finding,) = backup.same_database(Speaking(stage), databases["udo-db-2"], repointed_to="udo-db-3")
    assert (finding.code, "RENDER_POSTGRES=udo-db-3" in finding.do) == ("MIG-144", True)


def asked_of_a_copy(ask: Callable[..., list[dict[str, object]]]) -> Callable[..., list[dict[str, object]]]:
    def answer(self: PostgresObserver, query: str, parameters: object = ()) -> list[dict[str, object]]:
        return [{"email": "ada@example.org"}] if "directus_users" in str(query) else ask(self, query, parameters)

    return answer


def test_what_others_ask_is_hidden_from_a_user_without_rights_and_that_is_no_no(
    stage: TwoVersions, databases: dict[str, PostgresObserver]
) -> None:
    assert stage.cluster is not None
    with psycopg.connect(stage.cluster.superuser_url, autocommit=True) as server_:
        server_.execute("CREATE ROLE outsider LOGIN PASSWORD 'of outsider'")
    with PostgresObserver(Secret(stage.cluster.url("udo", "outsider", "of outsider"))) as hidden:
        speaking = Speaking(stage)
        assert database_identity.find_used_database(speaking, {"": hidden}, tries=2) == {"": StatementSeen.HIDDEN}
        assert database_identity.find_used_database(speaking, {"": databases["udo-db"]}) == {"": StatementSeen.YES}
        with psycopg.connect(stage.cluster.superuser_url_of("udo"), autocommit=True) as root:
            root.execute('SELECT 1 AS "of_a_superuser"')
            assert databases["udo-db"].statement_seen("of_a_superuser") is StatementSeen.YES


def test_a_restart_keeps_the_old_value_and_a_deploy_brings_the_new(
    stage: TwoVersions, operator: RenderOperator, switch: repoint.RepointContext
) -> None:
    operator.set_env_var(switch.service.id, "SHADE", Secret("blue"))
    before = set(operator.instances(switch.service.id))
    operator.restart(switch.service.id)
    stage.render.await_deploy(stage.render._state.store.deploys_of(stage.backend)[0])
    assert stage.render._state.store.live(stage.backend).recipe["environment"]["SHADE"] == "green"  # type: ignore[union-attr]
    assert not before & set(operator.instances(switch.service.id))
    assert operator.env_vars(switch.service.id)["SHADE"] == Secret("blue")


def test_the_backend_is_pointed_to_the_new_database_after_a_kill_too_and_once(
    stage: TwoVersions, operator: RenderOperator, switch: repoint.RepointContext, databases: dict[str, PostgresObserver]
) -> None:
    """Killed after the variables were set: the next run keeps what was kept, deploys, and proves it."""
    assert stage.cluster is not None
    was = operator.env_vars(switch.service.id)[STRING]
    repoint._set(switch, repoint.variables(operator, switch.service, switch.old, switch.new))
    assert database_identity.find_used_database(switch.directus, databases)["udo-db"] is StatementSeen.YES, (
        "what runs goes on as before"
    )
    done = repoint.repoint_backend(switch, databases)
    assert (done.variables, done.kept, done.commit) == ((STRING,), (f"BEFORE_ROLLBACK_{STRING}",), switch.commit)
    own = operator.env_vars(switch.service.id)
    assert own[f"BEFORE_ROLLBACK_{STRING}"] == was
    assert own[STRING].reveal() == f"{stage.cluster.url('other', 'other', 'of other')}?application_name=cms"
    assert database_identity.find_used_database(switch.directus, databases) == {
        "udo-db-2": StatementSeen.YES,
        "udo-db": StatementSeen.NO,
    }
    deploys = len(stage.deploys(stage.backend))
    assert repoint.repoint_backend(switch, databases) == done
    assert len(stage.deploys(stage.backend)) == deploys
    assert "secret udo" not in switch.evidence.ledger.path.read_text()
    assert "of%20other" not in switch.evidence.ledger.path.read_text()


def test_an_instance_that_still_asks_the_old_database_is_told(
    stage: TwoVersions, switch: repoint.RepointContext, databases: dict[str, PostgresObserver]
) -> None:
    """Two instances behind one address, one of them from before: the old database hears some of it."""
    assert stage.cluster is not None
    addresses = [stage.cluster.url(*each) for each in (("udo", "udo", "secret udo"), ("other", "other", "of other"))]

    class Two(Speaking):
        turn = 0

        def send_marker(self, word: str) -> None:
            self.turn += 1
            address = addresses[self.turn % 2]
            self._sessions.setdefault(address, psycopg.connect(address, autocommit=True))
            self._sessions[address].execute(f'SELECT 1 AS "{word}"'.encode())

    mixed = repoint.RepointContext(**{**vars(switch), "directus": Two(stage), "wait_policy": WaitPolicy(0.5, 0.05)})
    (finding,) = repoint._elsewhere(mixed, databases)
    assert finding.code == "MIG-723"
    heard = {
        name: database_identity.find_used_database(mixed.directus, {name: each}) for name, each in databases.items()
    }
    assert heard == {name: {name: StatementSeen.YES} for name in databases}, "both are asked"


def test_values_that_somebody_else_sets_back_stop_before_the_deploy(
    stage: TwoVersions, operator: RenderOperator, switch: repoint.RepointContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator, "set_env_var", lambda *_: None)
    deploys = len(stage.deploys(stage.backend))
    with pytest.raises(RollbackBlocked, match=rf"MIG-721[\s\S]*{STRING}"):
        repoint._set(switch, {STRING: Secret("postgresql://u:p@elsewhere/d")})
    assert len(stage.deploys(stage.backend)) == deploys


def test_old_values_are_kept_before_any_is_set_and_never_replaced_by_a_new_one(
    operator: RenderOperator, switch: repoint.RepointContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at each call in turn: the next run goes on, and what is kept is what the variables were, of one moment."""
    old = {name: Secret(f"old {name}") for name in repoint.CONNECTION_VARIABLES}
    new = {name: Secret(f"new {name}" if name != "DB_PORT" else "old DB_PORT") for name in repoint.CONNECTION_VARIABLES}
    there = dict(old)
    calls = 0

    def set_env_var(_: str, name: str, value: Secret) -> None:
        nonlocal calls
        calls += 1
        if calls % 2:
            raise KeyboardInterrupt
        assert len([each for each in there if each.startswith(repoint.SAVED_PREFIX)]) == 5 or name.startswith(
            repoint.SAVED_PREFIX
        )
        there[name] = value

    monkeypatch.setattr(operator, "env_vars", lambda _: dict(there))
    monkeypatch.setattr(operator, "set_env_var", set_env_var)
    for _ in range(20):
        try:
            names = repoint._set(switch, new)
            break
        except KeyboardInterrupt:
            continue
    assert {name: there[name] for name in new} == new
    assert {name: there[name] for name in names} == {repoint.SAVED_PREFIX + name: value for name, value in old.items()}
    assert calls == 18  # five kept and four set, each killed once


def test_a_deploy_that_fails_is_told_and_what_served_goes_on(
    stage: TwoVersions, operator: RenderOperator, switch: repoint.RepointContext, databases: dict[str, PostgresObserver]
) -> None:
    ill = stage.backend_copy.commit("Ill", {"broken": ""})
    stage.backend_copy.push()
    stage.deploy_of(stage.backend, ill, "build_failed")
    live = operator.live_deploy(switch.service.id)
    with pytest.raises(RollbackBlocked, match=r"MIG-722[\s\S]*build_failed"):
        repoint.repoint_backend(repoint.RepointContext(**{**vars(switch), "commit": ill}), databases)
    assert operator.live_deploy(switch.service.id) == live
    assert repoint.recorded_repoint(switch.evidence.ledger) is None


def test_the_whole_way_into_a_new_database_step_by_step_and_what_follows_from_it(
    stage: TwoVersions, operator: RenderOperator, tmp_path: Path
) -> None:
    """Code and database together, the old database untouched, the end on record, the old name refused afterwards."""
    evidence, rollback_operators = migrated(stage, operator, tmp_path)
    untouched = fingerprint.record(rollback_operators.url, tmp_path, lambda *_: None, keep_rows=False)
    with rollback_operators.database:

        def step(subject: str) -> RollbackSteps:
            """A step of another run each: nothing is remembered but what is on disk."""
            evidence.begin(subject)
            return RollbackSteps(
                evidence, rollback_operators, {"frontend": "fuma", "backend": "udo-backend"}, "udo-db", tmp_path,
                WaitPolicy(30.0, 0.1), 0, lambda *_: None,
            )  # fmt: skip

        point, where = step("R.1.1").verify_point()
        assert "udo-db-2" in where
        assert "settings of the database that are set there: log_min_duration_statement, " in where
        assert where.endswith(", work_mem")
        assert step("R.1.2").live_edits() == []
        step("R.2.1").autodeploy_off()
        assert step("R.3.1").roll_back_code() == []
        (later,) = step("R.3.1").with_database()
        assert later.side == "backend"
        assert step("R.4.1").files().removed == ()
        restored = step("R.5.1").restore_database()
        assert (restored.into, restored.unset) == ("udo-db-2", {})
        assert "work_mem" in restored.settings
        told = step("R.5.2").restart_instances()
        assert f"BEFORE_ROLLBACK_{STRING}" in told
        assert database_identity.find_used_database(
            rollback_operators.directus, {"old": rollback_operators.database}, tries=2
        ) == {"old": StatementSeen.NO}
        compared, findings = step("R.6.2").rows()
        assert (findings, "6 of 6 tables" in compared) == ([], True)
        assert comparison.compare_code(operator, step("R.6.4").earlier()) == []
        deploys = len(stage.deploys(stage.backend))
        assert (step("R.1.2").live_edits(), step("R.5.2").restart_instances()) == ([], told), (
            "again, and nothing is done"
        )
        assert len(stage.deploys(stage.backend)) == deploys
        step("R.7.1").autodeploy_as_before()
        rollback_state.end_migration(evidence)
        end = evidence.ledger.rolled_back
        assert end is not None
        assert (end.facts["method"], end.facts["database"], end.facts["backup"]) == ("new", "udo-db-2", point.id)
        now = fingerprint.record(rollback_operators.url, tmp_path, lambda *_: None, keep_rows=False)
        assert (now.content, now.sequences) == (untouched.content, untouched.sequences)
        _, (finding,) = backup.same_database(
            rollback_operators.directus, rollback_operators.database, repointed_to=evidence.ledger.repointed_to
        )
        assert "set RENDER_POSTGRES=udo-db-2" in finding.do


SCHEMA = f"""
    CREATE TABLE directus_users (id uuid PRIMARY KEY, email text);
    CREATE TABLE directus_collections (collection text PRIMARY KEY, accountability text);
    CREATE TABLE directus_files (id uuid PRIMARY KEY, title text);
    CREATE TABLE directus_activity (id serial PRIMARY KEY, action text, "user" uuid, "timestamp" timestamptz,
        user_agent text, collection text, item text);
    CREATE TABLE boards (id serial PRIMARY KEY, name text);
    CREATE TABLE tallies (id serial PRIMARY KEY, votes int);
    INSERT INTO directus_users VALUES ('{ADA}', 'ada@example.org');
    INSERT INTO boards (name) SELECT 'board ' || n FROM generate_series(1, 20) n;
    ALTER DATABASE udo SET work_mem TO '7MB';
"""


def migrated(stage: TwoVersions, operator: RenderOperator, folder: Path) -> tuple[Evidence, RollbackOperators]:
    """A migration that brought code and rows, with its backup; and an empty database somebody made on Render."""
    assert stage.cluster is not None
    assert stage.database is not None
    url, own = Secret(stage.cluster.url("udo", "udo", "secret udo")), operator.service("udo-backend").id
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
    operator.set_env_var(own, STRING, url)
    first = serve(stage, operator, stage.first)
    storage = BackupStorage(
        folder / "backups", PostgresTools.found(stage.cluster.bin), Secret(stage.cluster.superuser_url)
    )
    ledger = Ledger(folder / "ledger" / "l.jsonl", run="run-1", inputs="i", suite="s")
    ledger.add(Kind.OPENED, "migration")
    evidence = Evidence(folder / "run-1", ledger, no_write_errors=NO_WRITE_ERRORS)
    evidence.begin("1.4.4")
    with PostgresObserver(url) as database:
        found = operator.database("udo-db")
        point, held = backup.create_rollback_point(
            url, found, database, storage, evidence.group_folder, lambda *_: None, export=None,
            export_reason="none", recovery=operator.recovery(found.id),
        )  # fmt: skip
    evidence.write(held)
    evidence.write(point)
    ledger.add(Kind.INTENT, "2.2.7", commit="c", live=first)
    serve(stage, operator, stage.second)
    import_inputs.journal(ledger).record_intent("boards", ["21"])
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        connection.execute("INSERT INTO boards (id, name) VALUES (21, 'imported'); CREATE TABLE added (id int)")
    asked = {"name": "udo-db-2", "ownerId": found.owner_id, "plan": found.plan, "version": found.version}
    stage.api("POST", "/postgres", json=asked).raise_for_status()
    wait_until(
        lambda: operator.database("udo-db-2").available, until=bool, deadline_s=15, every_s=0.05, reason="it is made"
    )
    new = new_database.find_database(operator, "udo-db-2")
    return evidence, RollbackOperators(operator, Speaking(stage), PostgresObserver(url), url, storage, new)


def serve(stage: TwoVersions, operator: RenderOperator, commit: str) -> str:
    """The deploy of a commit, live, with the present variables."""
    made = operator.trigger_deploy(stage.backend.id, commit=commit)
    assert made is not None
    stage.render.await_deploy(stage.render._state.store.deploys[made.id])
    return made.id
