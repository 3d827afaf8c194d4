"""A backup goes into a new database or nothing does: what is in the way is told by code, what is there is taken up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.backup import RollbackPoint
from fixtures.model.fingerprint import Fingerprint
from fixtures.model.secret import Secret
from fixtures.operations.backups import backup
from fixtures.operations.backups.backup import BackupStorage
from fixtures.operations.preservation import fingerprint
from fixtures.operations.rollback import new_database, rollback_data
from fixtures.operations.rollback.new_database import NewDatabase
from fixtures.operations.rollback.rollback_data import RestoreContext
from fixtures.operations.rollback.rollback_state import RollbackBlocked
from fixtures.plugins.session import NO_WRITE_ERRORS
from fixtures.systems.postgres import destination
from fixtures.systems.postgres import restore as postgres_restore
from fixtures.systems.postgres.dump import PostgresTools, scratch_database
from fixtures.systems.postgres.fingerprint import SnapshotReader
from fixtures.systems.postgres.observer import PostgresObserver
from fixtures.systems.render import Connection
from tests_selftest.contract.spare import silent
from tests_selftest.contract.stage import Stage

SCHEMA = """
    CREATE TYPE mood AS ENUM ('calm', 'cross');
    CREATE TABLE boards (id serial PRIMARY KEY, name text NOT NULL, mood mood);
    COMMENT ON COLUMN boards.name IS 'as people call it';
    CREATE TABLE members (id serial PRIMARY KEY, board int REFERENCES boards, email text);
    CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql AS 'SELECT upper($1)';
    INSERT INTO boards (name, mood) SELECT 'board ' || n, 'calm' FROM generate_series(1, 200) n;
    INSERT INTO members (board, email) SELECT n, n || '@b.org' FROM generate_series(1, 200) n;
    GRANT SELECT ON boards TO udo;
"""


def run(url: Secret, statements: str) -> None:
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        connection.execute(statements.encode())


@dataclass(frozen=True)
class Backup:
    """Production, its rollback point, and what it held by hash."""

    production: Secret
    point: RollbackPoint
    held: Fingerprint
    storage: BackupStorage


@pytest.fixture(scope="module")
def kept(platform: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backup]:
    assert platform.cluster is not None
    server = Secret(platform.cluster.superuser_url)
    folder = tmp_path_factory.mktemp("kept")
    storage = BackupStorage(folder, PostgresTools.found(platform.cluster.bin), server)
    with scratch_database(server) as (_, url):
        run(url, SCHEMA)
        with SnapshotReader(url) as reader:
            held = fingerprint.read(reader, folder, silent)
            made = backup.dump(url, storage, silent, snapshot=reader.id, taken_at=held.taken_at)
        point = RollbackPoint(
            description="", taken_at=held.taken_at, database="udo-db", server_version="18.0", dump=made, export=None,
            export_reason="", recovery="", recovery_since=None, proven_at=datetime.now(UTC), counts=held.counts,
        )  # fmt: skip
        yield Backup(url, point, held, storage)


@contextmanager
def role(kept: Backup, name: str) -> Iterator[None]:
    """A user who may log in, and nothing else."""
    run(kept.storage.scratch, f"CREATE ROLE {name} LOGIN PASSWORD 'of {name}'")
    try:
        yield
    finally:
        run(kept.storage.scratch, f"DROP ROLE {name}")


@pytest.fixture
def fresh(kept: Backup) -> Iterator[NewDatabase]:
    """A new, empty database of a user who is no superuser, as Render makes one."""
    with role(kept, "newcomer"), scratch_database(kept.storage.scratch) as (name, url):
        run(kept.storage.scratch, f"ALTER DATABASE {name} OWNER TO newcomer")
        yield named(Secret(_as(url, "newcomer")))


def _as(url: Secret, user: str) -> str:
    parts = destination.connection_parts(url)
    return f"postgresql://{user}:of%20{user}@{parts['host']}:{parts['port']}/{parts['dbname']}"


def named(url: Secret) -> NewDatabase:
    return NewDatabase("udo-db-2", Connection(url, url, Secret("")))


@pytest.fixture
def work(kept: Backup, tmp_path: Path) -> RestoreContext:
    ledger = Ledger(tmp_path / "ledger" / "l.jsonl", run="run-1", inputs="i", suite="s")
    ledger.add(Kind.OPENED, "migration")
    evidence = Evidence(tmp_path / "run-1", ledger, no_write_errors=NO_WRITE_ERRORS)
    evidence.begin("R.5.1")
    return RestoreContext(kept.production, kept.storage, evidence, silent, 0.05)


def usable(kept: Backup, new: NewDatabase, work: RestoreContext) -> str:
    return new_database.check_usable(new, kept.production, kept.held, work, kept.point)


def test_it_goes_into_an_empty_database_of_another_user_once_and_production_is_not_touched(
    kept: Backup, fresh: NewDatabase, work: RestoreContext
) -> None:
    assert "is empty" in usable(kept, fresh, work)
    before = fingerprint.record(kept.production, kept.storage.folder, silent, keep_rows=False)
    done = new_database.restore(work, kept.point, fresh, kept.held)
    assert (done.into, done.safety, done.method) == ("udo-db-2", "", "new")
    with PostgresObserver(fresh.url) as there:
        assert there.ask("SELECT col_description('boards'::regclass, 2) AS told, shout('a') AS said") == [
            {"told": "as people call it", "said": "A"}
        ]
        assert there.ask("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'") == [
            {"tableowner": "newcomer"}
        ]
    after = fingerprint.record(kept.production, kept.storage.folder, silent, keep_rows=False)
    assert (before.content, before.sequences) == (after.content, after.sequences)
    run(fresh.url, "DELETE FROM members")  # people are at work there by now
    assert new_database.restore(work, kept.point, fresh, kept.held) == done
    assert "holds it already" in usable(kept, fresh, work)


def test_a_database_that_is_not_empty_is_refused_and_left_as_it_is(
    kept: Backup, fresh: NewDatabase, work: RestoreContext
) -> None:
    run(fresh.url, "CREATE TABLE somebody (id int); INSERT INTO somebody VALUES (1)")
    for act in (
        lambda: usable(kept, fresh, work),
        lambda: new_database.restore(work, kept.point, fresh, kept.held),
    ):
        with pytest.raises(RollbackBlocked, match=r"MIG-718[\s\S]*somebody"):
            act()
    assert destination.inspect(fresh.url, system="test").objects == ("somebody",)
    assert work.evidence.ledger.last(Kind.INTENT, "R.5.1") is None


@pytest.mark.parametrize("what", ["CREATE SEQUENCE s", "CREATE TYPE t AS ENUM ('a')", "CREATE VIEW v AS SELECT 1 AS a"])
def test_it_is_not_empty_either_when_no_table_is_in_it(
    kept: Backup, fresh: NewDatabase, work: RestoreContext, what: str
) -> None:
    run(fresh.url, what)
    with pytest.raises(RollbackBlocked, match="MIG-718"):
        usable(kept, fresh, work)


def test_production_itself_is_refused_however_its_address_is_written(kept: Backup, work: RestoreContext) -> None:
    with role(kept, "clerk"), pytest.raises(RollbackBlocked, match="MIG-726"):
        usable(kept, named(Secret(_as(kept.production, "clerk").replace("127.0.0.1", "localhost"))), work)


def test_a_database_that_keeps_text_otherwise_is_refused(kept: Backup, work: RestoreContext) -> None:
    server = kept.storage.scratch
    run(server, "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        url = Secret(psycopg.conninfo.make_conninfo(server.reveal(), dbname="latin"))
        with pytest.raises(RollbackBlocked, match=r"MIG-727[\s\S]*LATIN1"):
            usable(kept, named(url), work)
    finally:
        run(server, "DROP DATABASE latin")


def test_what_a_killed_run_had_restored_is_taken_up_also_while_it_is_being_kept(
    kept: Backup, fresh: NewDatabase, work: RestoreContext
) -> None:
    """Killed at the commit: the ledger has the transaction's id and no more, and Postgres is not done with it yet."""
    noted, ledger = threading.Event(), work.evidence.ledger

    def note(transaction: str) -> None:
        ledger.add(Kind.INTENT, "R.5.1", backup=kept.point.id, transaction=transaction, into=fresh.name)

    def killed() -> None:
        with postgres_restore.open_restore(
            fresh.url, kept.storage.tools, Path(kept.point.dump.path), kept.storage.folder, note,
            leaving_out=postgres_restore.EXCLUDED_IN_NEW_DATABASE,
        ) as restore:  # fmt: skip
            restore.record_transaction()
            restore.fill()
            noted.set()
            time.sleep(0.4)

    thread = threading.Thread(target=killed)
    thread.start()
    assert noted.wait(20)
    done = new_database.restore(work, kept.point, fresh, kept.held)
    thread.join()
    assert (done.into, done.seconds) == ("udo-db-2", 0.0)
    assert done.transaction
    assert new_database.restore(work, kept.point, fresh, kept.held) == done


def test_other_content_than_the_fingerprints_stops_before_the_backend_is_pointed_to_it(
    kept: Backup, fresh: NewDatabase, work: RestoreContext
) -> None:
    other = replace(kept.held, tables=tuple(replace(t, digest="0" * 64) for t in kept.held.tables))
    with pytest.raises(RollbackBlocked, match="MIG-719"):
        new_database.restore(work, kept.point, fresh, other)
    assert work.evidence.ledger.last(Kind.DONE, "R.5.1") is None


def test_what_postgres_refuses_leaves_the_new_database_empty(
    kept: Backup, fresh: NewDatabase, work: RestoreContext, platform: Stage
) -> None:
    assert platform.cluster is not None
    name = destination.connection_parts(fresh.url)["dbname"]
    with psycopg.connect(platform.cluster.superuser_url_of(name), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO postgres").format(sql.Identifier(name)))
    with pytest.raises(RollbackBlocked, match=r"MIG-725[\s\S]*42501"):
        new_database.restore(work, kept.point, fresh, kept.held)
    assert destination.inspect(fresh.url, system="test").objects == ()


def test_who_may_not_restore_in_place_is_told_the_other_way_before_anything_goes(kept: Backup) -> None:
    """The owner may; a user with every right on rows, and no ownership, may not."""
    with PostgresObserver(kept.production) as owner:
        assert rollback_data.missing_privileges(owner) == []
    with role(kept, "clerk"):
        run(kept.production, "GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk")
        try:
            with PostgresObserver(Secret(_as(kept.production, "clerk"))) as clerk:
                (finding,) = rollback_data.missing_privileges(clerk)
        finally:
            run(kept.production, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM clerk")
    assert finding.code == "MIG-715"
    assert "boards" in finding.observed
    assert "ROLLBACK_POSTGRES" in finding.do
