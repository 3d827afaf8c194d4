"""Nothing of production is left out of the backup unseen: every schema, every kind of table, large objects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg
import pytest

from fixtures.checks.backups import backup as checks
from fixtures.checks.backups import rollback as rollback_checks
from fixtures.model.backup import Artefact
from fixtures.model.fingerprint import Fingerprint
from fixtures.model.secret import Secret
from fixtures.operations.backups import backup
from fixtures.operations.backups.backup import BackupStorage, BackupUnusable
from fixtures.operations.preservation import fingerprint
from fixtures.operations.rollback import comparison, live_edits
from fixtures.systems.failure import Refused
from fixtures.systems.postgres.dump import PostgresTools, scratch_database
from fixtures.systems.postgres.fingerprint import AmbiguousTable, SnapshotReader
from fixtures.systems.postgres.observer import PostgresObserver
from fixtures.systems.postgres.restore import ForeignDependencies, open_restore
from fixtures.systems.postgres.tables import CHUNK, LARGE_OBJECTS
from tests_selftest.contract.spare import changed, run, silent, spare

SCHEMA = f"""
    CREATE TABLE boards (id serial PRIMARY KEY, name text);
    INSERT INTO boards (name) SELECT 'board ' || n FROM generate_series(1, 20) n;
    CREATE TABLE "two words" (id int PRIMARY KEY); INSERT INTO "two words" VALUES (1);
    CREATE SCHEMA audit;
    CREATE TABLE audit.log (id serial PRIMARY KEY, said text);
    INSERT INTO audit.log (said) SELECT 'line ' || n FROM generate_series(1, 30) n;
    CREATE TABLE audit.boards (id int PRIMARY KEY, name text); INSERT INTO audit.boards VALUES (1, 'another');
    CREATE TABLE parted (id int, year int, PRIMARY KEY (id, year)) PARTITION BY RANGE (year);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (2000) TO (2010);
    CREATE TABLE audit.parted_2 PARTITION OF parted FOR VALUES FROM (2010) TO (2020) PARTITION BY RANGE (id);
    CREATE TABLE audit.parted_2_1 PARTITION OF audit.parted_2 FOR VALUES FROM (0) TO (1000);
    INSERT INTO parted SELECT n, 2000 + n FROM generate_series(0, 19) n;
    CREATE TABLE parted_empty (id int) PARTITION BY LIST (id);
    CREATE TABLE parent (id int PRIMARY KEY, name text); CREATE TABLE child (more text) INHERITS (parent);
    INSERT INTO parent VALUES (1, 'p'), (2, 'p'); INSERT INTO child VALUES (3, 'c', 'more');
    CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY); INSERT INTO fleeting VALUES (1), (2);
    CREATE VIEW shown AS SELECT name FROM boards;
    CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM boards;
    CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
    CREATE FOREIGN TABLE distant (id int) SERVER far;
    CREATE TABLE mixed (id int, place text) PARTITION BY LIST (place);
    CREATE TABLE mixed_here PARTITION OF mixed FOR VALUES IN ('here'); INSERT INTO mixed VALUES (1, 'here');
    CREATE FOREIGN TABLE mixed_far PARTITION OF mixed FOR VALUES IN ('far') SERVER far;
    SELECT lo_from_bytea(4001, convert_to(repeat('plan ', {CHUNK // 4}), 'UTF8')), lo_from_bytea(4002, ''),
           lo_from_bytea(4003, convert_to(repeat('view ', {CHUNK // 4}), 'UTF8')), lo_from_bytea(4004, '\\x00ff');
"""
COUNTS = {
    "audit.boards": 1, "audit.log": 30, "boards": 20, "child": 1, "fleeting": 2, "mixed_here": 1, "parent": 2,
    "parted": 20, "parted_empty": 0, "two words": 1, LARGE_OBJECTS: 4,
}  # fmt: skip


@pytest.fixture
def database(server: Secret) -> Iterator[Secret]:
    with spare(server, SCHEMA) as url:
        yield url


@pytest.fixture
def before(database: Secret, tmp_path: Path) -> Fingerprint:
    return fingerprint.record(database, tmp_path, silent)


def test_every_row_is_in_it_once(before: Fingerprint) -> None:
    """Every schema, partitions through their table, children apart from their parents, unlogged, large objects."""
    assert before.counts == COUNTS
    assert before.outside == ("audit.boards", "audit.log", LARGE_OBJECTS)
    parted, boards = before.table("parted"), before.table("boards")
    assert parted is not None
    assert boards is not None
    assert (parted.parts, boards.parts) == (("audit.parted_2_1", "parted_1"), None)
    assert set(before.sequences) == {"boards_id_seq", "audit.log_id_seq"}


def test_what_has_no_rows_of_its_own_is_named_with_the_reason(before: Fingerprint) -> None:
    assert before.without_rows == {
        "counted": "a materialized view is made anew from its query",
        "distant": "a foreign table has its rows on another server",
        "mixed_far": "a foreign table has its rows on another server",
        "shown": "a view has no rows of its own",
    }


def test_what_an_extension_makes_is_named_and_not_compared(database: Secret, tmp_path: Path) -> None:
    with psycopg.connect(database.reveal(), autocommit=True) as connection:
        connection.execute("CREATE TABLE audit.made (id int); INSERT INTO audit.made VALUES (1)")
        # What CREATE EXTENSION notes of a table it makes, of an extension every server has.
        connection.execute("ALTER EXTENSION plpgsql ADD TABLE audit.made")
    found = fingerprint.record(database, tmp_path, silent)
    assert found.without_rows["audit.made"] == "its extension makes it anew"
    assert "audit.made" not in found.counts


def test_a_fingerprint_an_earlier_version_took_keeps_its_meaning(
    before: Fingerprint, database: Secret, tmp_path: Path
) -> None:
    """It knows "public" alone, by bare names, and says nothing of where a table lies."""
    told = msgspec.to_builtins(before)
    del told["without_rows"]
    told["tables"] = [
        {name: value for name, value in each.items() if name not in {"schema", "parts"}}
        for each in told["tables"]
        if each["table"] not in before.outside
    ]
    earlier = msgspec.convert(told, Fingerprint)
    assert changed(earlier, tmp_path, database) == []
    run(database, "UPDATE boards SET name = 'x' WHERE id = 4; UPDATE audit.log SET said = ''")
    assert [(each.table, each.changed) for each in changed(earlier, tmp_path, database)] == [("boards", 1)]


CHANGES = f"""
    UPDATE audit.log SET said = said || ' ' WHERE id = 7;
    DELETE FROM audit.log WHERE id IN (3, 30);
    DROP TABLE audit.boards;
    UPDATE parted SET year = 2009 WHERE id = 8;
    UPDATE child SET name = 'x';
    DELETE FROM fleeting WHERE id = 2;
    UPDATE mixed_here SET id = 2;
    SELECT lo_put(4001, 9, 'X'), lo_put(4002, 0, '\\x00'), lo_put(4003, {CHUNK + 1}, 'X'), lo_unlink(4004)
"""
"""The smallest changes: one byte in the first piece of a large object, one in its second, one where there was none."""

NOTICED = {
    "audit.log": {"3": "gone", "7": "other values", "30": "gone"},
    "audit.boards": {},
    "parted": {"8": "gone"},
    "child": {"": "gone"},
    "fleeting": {"2": "gone"},
    "mixed_here": {"": "gone"},
    LARGE_OBJECTS: {"4001": "other values", "4002": "other values", "4003": "other values", "4004": "gone"},
}
"""By table, the keys that are named ("" where a row has no key)."""


def test_a_change_anywhere_is_noticed(before: Fingerprint, database: Secret, tmp_path: Path) -> None:
    """And named by its key; nothing else is."""
    assert changed(before, tmp_path, database) == []
    run(database, CHANGES)
    found = {each.table: each for each in changed(before, tmp_path, database)}
    keyed = {table.table for table in before.tables if table.key_columns}
    assert {
        name: {row.key[0] if name in keyed else "": row.kind for row in each.rows} for name, each in found.items()
    } == NOTICED
    assert found["audit.boards"].problem == "the table is gone"
    run(database, "SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
    found = {each.table: each for each in changed(before, tmp_path, database)}
    assert (found[LARGE_OBJECTS].lost, found[LARGE_OBJECTS].problem) == (4, "the table is gone")


def test_the_dump_restores_to_all_of_it(
    database: Secret, server: Secret, tools: PostgresTools, before: Fingerprint, tmp_path: Path
) -> None:
    """Listed under the names the dump has, proven by content; one byte elsewhere and it is unusable."""
    made = tools.dump(database, tmp_path / "x.dump")
    artefact = Artefact("pg_dump", "x.dump", str(made.path), made.size_bytes, made.sha256, datetime.now(UTC), 0)
    listed = tools.listing(made.path).tables
    assert checks.missing_tables(artefact, listed=listed, tables=before.dumped) == []
    assert set(listed) == set(before.dumped)
    with scratch_database(server) as (_, copy):
        tools.restore(made.path, copy)
        again = fingerprint.record(copy, tmp_path, silent, keep_rows=False)
        assert checks.content_mismatches(artefact, before, again) == []
        run(copy, "SELECT lo_put(4001, 9, 'X'); DELETE FROM audit.log WHERE id = 1; DROP VIEW shown")
        again = fingerprint.record(copy, tmp_path, silent, keep_rows=False)
    found = checks.content_mismatches(artefact, before, again)
    assert [(each.code, each.where.rpartition(" · ")[2]) for each in found] == [
        ("MIG-148", 'table "audit.log"'), ("MIG-148", f'table "{LARGE_OBJECTS}"'), ("MIG-160", '"shown"')
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("closing", "what"),
    [
        ("REVOKE ALL ON audit.log FROM PUBLIC", {"audit.log", "audit.log_id_seq"}),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA audit TO reader; GRANT SELECT ON SEQUENCE audit.log_id_seq TO reader;"
         "ALTER TABLE audit.log ENABLE ROW LEVEL SECURITY", {"audit.log"}),
    ],
    ids=["no right", "row level security"],
)  # fmt: skip
def test_what_the_role_cannot_read_stops_the_backup(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path, closing: str, what: set[str]
) -> None:
    """Each is named, before anything is dumped; and a row hidden by a policy is an error, never a row fewer."""
    run(database, "DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'reader'")
    try:
        run(database, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; GRANT USAGE ON SCHEMA audit TO reader;"
            "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader;"
            "GRANT SELECT ON LARGE OBJECT 4001, 4002 TO reader;"
            "GRANT SELECT ON audit.boards, audit.parted_2, audit.parted_2_1 TO reader;" + closing)  # fmt: skip
        limited = Secret(psycopg.conninfo.make_conninfo(database.reveal(), user="reader", password="reader"))
        with SnapshotReader(limited) as reader:
            found = reader.unreadable()
            assert set(found) == what | {"large object 4003", "large object 4004"}
            with PostgresObserver(limited) as observer:
                assert observer.unreadable() == found
            (log,) = [table for table in reader.tables() if table.name == "audit.log"]
            with pytest.raises(Refused):
                list(reader.rows(log))
        with PostgresObserver(limited) as observer, pytest.raises(BackupUnusable, match=r'MIG-163[\s\S]*"audit.log"'):
            backup.create_rollback_point(
                limited, None, observer, BackupStorage(tmp_path, tools, server), tmp_path, silent,  # type: ignore[arg-type]
                export=None, export_reason="none", recovery=None,  # type: ignore[arg-type]
            )  # fmt: skip
        assert list(tmp_path.glob("*.dump")) == []
    finally:
        run(database, "DROP OWNED BY reader; DROP ROLE reader")


def test_two_tables_that_would_be_told_alike_are_refused(database: Secret, tmp_path: Path) -> None:
    run(database, 'CREATE TABLE "audit.log" (id int)')
    with pytest.raises(AmbiguousTable, match="MIG-164"):
        fingerprint.record(database, tmp_path, silent)


@pytest.fixture
def apart(database: Secret) -> Secret:
    """A database in which no partition of a table of "public" lies in another schema."""
    run(database, "ALTER TABLE parted DETACH PARTITION audit.parted_2")
    return database


def back(dump: Path, database: Secret, tools: PostgresTools, folder: Path) -> None:
    with open_restore(database, tools, dump, folder, lambda _: None) as restore:
        restore.lock_tables()
        restore.run()


def test_the_way_back_leaves_other_schemas_alone_and_proves_it(
    apart: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """Somebody else's new rows stay; a row of before that is harmed is named."""
    before = fingerprint.record(apart, tmp_path, silent)
    dump = tools.dump(apart, tmp_path / "x.dump").path
    run(apart, "DROP TABLE boards CASCADE; DROP FOREIGN TABLE distant; INSERT INTO audit.log (said) VALUES ('newer')")
    run(
        apart,
        "SELECT lo_from_bytea(4005, 'newer'); CREATE TABLE audit.later (id int); INSERT INTO parent VALUES (9, '')",
    )
    back(dump, apart, tools, tmp_path)
    now = fingerprint.record(apart, tmp_path, silent, keep_rows=False)
    assert rollback_checks.remaining_differences(before, now) == []
    assert (now.counts["audit.log"], now.counts[LARGE_OBJECTS], now.counts["audit.later"]) == (31, 5, 0)
    assert {name: now.content[name] for name in now.content if name not in now.outside} == {
        name: before.content[name] for name in before.content if name not in before.outside
    }
    run(apart, "CREATE TABLE directus_activity (id int, action text, item text, collection text, \"user\" uuid,"
        ' "timestamp" timestamptz, user_agent text); CREATE TABLE directus_collections (collection text, accountability'
        " text); CREATE TABLE directus_users (id uuid, email text)")  # fmt: skip
    with PostgresObserver(apart) as observer:
        work = live_edits.find_live_edits(before, tmp_path, apart, observer, silent, sent_keys={})
        assert [each.table for each in work if each.table in before.outside] == []
        run(apart, "UPDATE audit.log SET said = 'edited' WHERE id = 7; SELECT lo_put(4001, 9, 'X')")
        _, _, findings = comparison.compare_rows(before, tmp_path, apart, observer, silent)
    harmed = [each.where for each in findings if each.code == "MIG-717"]
    assert harmed == ['"audit.log" · keys 7', f'"{LARGE_OBJECTS}" · keys 4001']


@pytest.mark.parametrize(
    "hanging",
    [
        "ALTER TABLE parted ATTACH PARTITION audit.parted_2 FOR VALUES FROM (2010) TO (2020)",
        "CREATE VIEW audit.v AS SELECT * FROM boards",
        "CREATE TABLE audit.t (board int REFERENCES boards)",
        "CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE audit.t (m mood)",
        "CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 2'; CREATE TABLE audit.t (n int DEFAULT two())",
    ],
    ids=["partition", "view", "foreign key", "column of a type", "default"],
)
def test_the_way_back_takes_nothing_of_another_schema_with_it(
    apart: Secret, tools: PostgresTools, tmp_path: Path, hanging: str
) -> None:
    run(apart, hanging)
    dump = tools.dump(apart, tmp_path / "x.dump").path
    run(apart, "DELETE FROM boards WHERE id = 3")
    was = fingerprint.record(apart, tmp_path, silent, keep_rows=False)
    with pytest.raises(ForeignDependencies, match="MIG-716"):
        back(dump, apart, tools, tmp_path)
    now = fingerprint.record(apart, tmp_path, silent, keep_rows=False)
    assert (now.content, now.without_rows) == (was.content, was.without_rows)
