"""A dump can be opened and restored, a target is brought back to it as a whole, and a broken one is refused."""

from __future__ import annotations

import io
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fixtures.embedded_postgres.server import scratch_server
from fixtures.model.secret import Secret
from fixtures.process.command import CommandFailed
from fixtures.systems.failure import IncompleteRead, InDoubt, Refused, Unreachable
from fixtures.systems.postgres import queries
from fixtures.systems.postgres.dump import NoTools, PostgresTools, scratch_database
from fixtures.systems.postgres.export_archive import open_export
from fixtures.systems.postgres.observer import PostgresObserver
from fixtures.systems.postgres.restore import open_restore, outcome
from fixtures.systems.postgres.session import transaction
from tests_selftest.contract.spare import spare

SCHEMA = """
    CREATE TABLE boards (id serial PRIMARY KEY, name text UNIQUE NOT NULL);
    CREATE TABLE members (id serial PRIMARY KEY, board int REFERENCES boards ON DELETE SET NULL, email text);
    CREATE TABLE blocks (id serial PRIMARY KEY, collection text, item text);
    INSERT INTO boards (name) VALUES ('Planning'), ('Appeals');
    INSERT INTO members (board, email) VALUES (1, 'a@b.org'), (1, 'a@b.org'), (2, NULL);
    INSERT INTO blocks (collection, item) VALUES ('boards', '1'), ('boards', '9'), ('nowhere', '1'), ('members', '3');
"""


@pytest.fixture
def database(server: Secret) -> Iterator[Secret]:
    with spare(server, SCHEMA) as url:
        yield url


def test_a_dump_is_private_listed_and_restores(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """Mode 0600, nothing half-written beside it, its tables by name, the same rows elsewhere."""
    dump = tools.dump(database, tmp_path / "backups" / "production.dump")
    assert stat.S_IMODE(dump.path.stat().st_mode) == 0o600
    assert [each.name for each in dump.path.parent.iterdir()] == ["production.dump"]
    assert tools.listing(dump.path).tables == ("blocks", "boards", "members")
    with scratch_database(server) as (_, elsewhere):
        tools.restore(dump.path, elsewhere)
        with PostgresObserver(elsewhere) as copy, PostgresObserver(database) as original:
            assert copy.counts(copy.tables()) == {"blocks": 4, "boards": 2, "members": 3}
            rows = sql.SQL("SELECT * FROM members ORDER BY id")
            assert copy.ask(rows) == original.ask(rows)
            assert all(each.ahead for each in copy.sequences())


def test_a_server_for_trial_restores_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    """What it holds is thrown away with it."""
    with scratch_server(tmp_path) as url, psycopg.connect(url.reveal()) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)


def test_a_plain_dump_is_sql(database: Secret, tools: PostgresTools, tmp_path: Path) -> None:
    """As the runbook's `pg_dump … > file.sql` writes it."""
    assert "CREATE TABLE public.boards" in tools.dump(database, tmp_path / "p.sql", plain=True).path.read_text()


def test_a_database_goes_back_to_its_dump(database: Secret, tools: PostgresTools, tmp_path: Path) -> None:
    """Rows come back, columns and tables made since then go, even those that point to older ones."""
    dump = tools.dump(database, tmp_path / "before.dump")
    with transaction(database, system="test database") as connection:
        connection.execute(
            "DELETE FROM members; ALTER TABLE boards ADD COLUMN chair int;"
            "CREATE TABLE later (board int REFERENCES boards); CREATE VIEW shown AS SELECT * FROM boards;"
        )
    noted: list[str] = []
    with open_restore(database, tools, dump.path, tmp_path, noted.append) as restore:
        number = restore.lock_tables()
        assert outcome(database, number) == "in progress"
        restore.run()
    assert noted == [number]
    assert outcome(database, number) == "committed"
    with PostgresObserver(database) as observer:
        assert observer.counts(observer.tables()) == {"blocks": 4, "boards": 2, "members": 3}
        assert observer.columns("boards") == ["id", "name"]


def back(dump: Path, database: Secret, tools: PostgresTools, folder: Path) -> None:
    with open_restore(database, tools, dump, folder, lambda _: None) as restore:
        restore.lock_tables()
        restore.run()


def test_going_back_keeps_grants_comments_types_functions_and_sequences(
    database: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """Whatever a dump makes again goes before, and nothing of the database itself is touched."""
    with transaction(database, system="test database") as connection:
        connection.execute(
            "CREATE TYPE mood AS ENUM ('calm'); ALTER TABLE boards ADD COLUMN mood mood DEFAULT 'calm';"
            "CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 2';"
            "CREATE VIEW named AS SELECT name FROM boards;"
            "COMMENT ON COLUMN boards.name IS 'as said; COPY x FROM stdin;';"
            "GRANT SELECT ON boards TO PUBLIC;"
            "INSERT INTO boards (name) VALUES (E'tab\tnew\nline \\. end'); SELECT setval('members_id_seq', 99)"
        )
    facts = (
        "SELECT (SELECT relacl::text FROM pg_class WHERE relname = 'boards') AS acl,"
        " col_description('boards'::regclass, 2) AS words, (SELECT last_value FROM members_id_seq) AS at,"
        " two() AS two, (SELECT string_agg(name, '|' ORDER BY name) FROM named) AS names"
    )
    with PostgresObserver(database) as observer:
        (was,) = observer.ask(facts)
    dump = tools.dump(database, tmp_path / "before.dump")
    with transaction(database, system="test database") as connection:
        connection.execute(
            "DROP VIEW named; CREATE FUNCTION three(mood) RETURNS int LANGUAGE sql AS 'SELECT 3';"
            "REVOKE ALL ON boards FROM PUBLIC; COMMENT ON COLUMN boards.name IS NULL;"
            "SELECT setval('members_id_seq', 500)"
        )
    back(dump.path, database, tools, tmp_path)
    with PostgresObserver(database) as observer:
        assert observer.ask(facts) == [was]
    assert [each.name for each in tmp_path.iterdir()] == ["before.dump"]


def spoiled(
    database: Secret, tools: PostgresTools, dump: Path, folder: Path, note: Callable[[str], None], harm: str
) -> None:
    """A return during which another session, or an error of our own, does harm right before its end."""
    with open_restore(database, tools, dump, folder, note) as restore:
        restore.lock_tables()
        restore.run()
        with transaction(database, system="test database") as connection:
            connection.execute(harm.encode())


def test_a_return_that_is_given_up_is_as_if_it_never_was(
    database: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """An error inside, a connection killed right before the end: Postgres says "aborted", the row is there."""
    dump = tools.dump(database, tmp_path / "before.dump")
    with transaction(database, system="test database") as connection:
        connection.execute("INSERT INTO boards (name) VALUES ('Later')")
    noted: list[str] = []
    terminate = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    for harm in ("SELECT 1 / 0", terminate):
        with pytest.raises((Refused, InDoubt)):
            spoiled(database, tools, dump.path, tmp_path, noted.append, harm)
    assert [outcome(database, each) for each in noted] == ["aborted", "aborted"]
    with PostgresObserver(database) as observer:
        assert observer.count("boards") == 3


def test_while_a_return_is_prepared_people_read_and_writers_wait(
    database: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """So a dump made meanwhile holds everything that is taken away."""
    dump = tools.dump(database, tmp_path / "before.dump")
    with open_restore(database, tools, dump.path, tmp_path, lambda _: None) as restore:
        restore.lock_tables()
        with PostgresObserver(database) as reader:
            assert reader.count("boards") == 2
        tools.dump(database, tmp_path / "safety.dump")
        with pytest.raises(Refused) as late, transaction(database, system="test database") as connection:
            connection.execute("SET lock_timeout = '200ms'; INSERT INTO boards (name) VALUES ('Later')")
        assert late.value.code == "55P03"
        restore.run()


def test_a_failed_return_changes_nothing(database: Secret, tools: PostgresTools, tmp_path: Path) -> None:
    """A dump that breaks in its middle leaves the database as it was."""
    dump = tools.dump(database, tmp_path / "whole.dump")
    half = tmp_path / "half.dump"
    half.write_bytes(dump.path.read_bytes()[: dump.size_bytes * 2 // 3])
    with pytest.raises(CommandFailed):
        back(half, database, tools, tmp_path)
    with PostgresObserver(database) as observer:
        assert observer.counts(observer.tables()) == {"blocks": 4, "boards": 2, "members": 3}


def test_what_is_no_backup_is_refused(tools: PostgresTools, tmp_path: Path) -> None:
    """Text under the name of a dump, an archive that is cut, an archive without a table of contents."""
    text = tmp_path / "text.dump"
    text.write_text("this is not a backup")
    with pytest.raises(CommandFailed, match="pg_restore"):
        tools.listing(text)
    with pytest.raises(IncompleteRead, match="cannot be opened"):
        open_export(text, unpack_into=tmp_path / "unpacked")


def test_a_wrong_password_is_in_no_message(database: Secret, tools: PostgresTools, tmp_path: Path) -> None:
    """Neither of pg_dump's nor of ours, and no half file is left."""
    wrong = Secret(f"postgresql://postgres:not-the-password@{database.reveal().partition('@')[2]}")
    if "@" not in database.reveal():
        parts = dict(part.split("=", 1) for part in database.reveal().split())
        wrong = Secret(f"postgresql://postgres:not-the-password@{parts['host']}:{parts['port']}/{parts['dbname']}")
    with pytest.raises(CommandFailed) as failure:
        tools.dump(wrong, tmp_path / "x.dump")
    with pytest.raises(Unreachable) as refused:
        PostgresObserver(wrong)
    assert "not-the-password" not in f"{failure.value}{refused.value}"
    assert list(tmp_path.iterdir()) == []


def test_missing_tools_are_said(tmp_path: Path) -> None:
    """With what to install or set."""
    with pytest.raises(NoTools, match="PG_BIN_DIR"):
        PostgresTools.found(tmp_path)


def test_an_observer_cannot_write_and_sees_what_is_wrong(database: Secret) -> None:
    """The server refuses; orphans, duplicates, nulls and dangling M2A items are counted with examples."""
    with transaction(database, system="test database") as connection:
        connection.execute(
            "ALTER TABLE members DROP CONSTRAINT members_board_fkey; UPDATE members SET board = 77 WHERE id = 3;"
            "ALTER TABLE members ADD CONSTRAINT kept FOREIGN KEY (board) REFERENCES boards NOT VALID;"
            "INSERT INTO boards (id, name) VALUES (40, 'Out of turn')"
        )
    with PostgresObserver(database) as observer:
        with pytest.raises(Refused) as refusal:
            observer.ask("DELETE FROM members")
        assert refusal.value.code == "25006"
        (key,) = observer.foreign_keys(["members"])
        assert (observer.orphans(key).count, observer.orphans(key).examples) == (1, ("77",))
        assert observer.duplicates("members", ["email"]) == [(("a@b.org",), 2)]
        assert observer.nulls("members", "email") == 1
        dangling = observer.dangling_any(
            "blocks", collection_column="collection", item_column="item", allowed={"boards": "id", "members": "id"}
        )
        assert [(each.count, each.examples) for each in dangling] == [(1, ("9",)), (0, ()), (1, ("nowhere",))]
        query = queries.dangling(
            sql.Identifier("blocks"), "collection", "item", "boards", sql.Identifier("boards"), "id", 3
        )
        plan = "\n".join(str(row["QUERY PLAN"]) for row in observer.ask(sql.SQL("EXPLAIN ") + query))
        assert "Anti Join" in plan, "the items are looked up one by one"
        assert "SubPlan" not in plan
        assert [each.table for each in observer.sequences() if not each.ahead] == ["boards"]


@pytest.mark.parametrize("name", ["../outside", "/outside"])
def test_an_export_that_would_write_outside_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "export.dir.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"evil"))
    with pytest.raises(IncompleteRead, match="no plain file inside it"):
        open_export(archive, unpack_into=tmp_path / "unpacked")
    assert not (tmp_path / "outside").exists()


def test_an_export_that_holds_a_link_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "export.dir.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        link = tarfile.TarInfo("2026/db/toc.dat")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(link)
    with pytest.raises(IncompleteRead, match="no plain file inside it"):
        open_export(archive, unpack_into=tmp_path / "unpacked")
