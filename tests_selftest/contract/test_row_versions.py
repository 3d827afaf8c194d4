"""A row whose version is still the one of the fingerprint is not hashed; where that cannot be told, it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from fixtures.model.fingerprint import Fingerprint, TableChange
from fixtures.model.secret import Secret
from fixtures.operations.preservation import fingerprint, row_changes
from fixtures.systems.postgres.dump import PostgresTools
from fixtures.systems.postgres.stage import StageSession
from tests_selftest.contract.spare import run, silent, spare
from tests_selftest.contract.stage import Stage

SCHEMA = """
    CREATE TYPE mood AS ENUM ('calm', 'cross');
    CREATE TABLE plain (id serial PRIMARY KEY, note text, doubled int GENERATED ALWAYS AS (id * 2) STORED);
    INSERT INTO plain (note) SELECT 'note ' || n FROM generate_series(1, 100) n;
    CREATE TABLE moods (id int PRIMARY KEY, mood mood); INSERT INTO moods VALUES (1, 'calm'), (2, 'cross');
    CREATE TABLE moody (id int PRIMARY KEY, moods mood[]); INSERT INTO moody VALUES (1, '{calm}');
    CREATE TABLE named (id int PRIMARY KEY, thing regclass); INSERT INTO named VALUES (1, 'plain');
    CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10); INSERT INTO parted VALUES (1);
"""
TOLD = {"moods": False, "moody": False, "named": False, "parted": False, "plain": True}


@pytest.fixture
def database(server: Secret) -> Iterator[Secret]:
    with spare(server, SCHEMA) as url:
        yield url


@pytest.fixture
def before(database: Secret, tmp_path: Path) -> Fingerprint:
    return fingerprint.record(database, tmp_path, silent)


def compared(before: Fingerprint, folder: Path, url: Secret) -> dict[str, TableChange]:
    return {each.table: each for each in row_changes.find_changes(before, folder, url, silent, by_version=True)}


def by_version(before: Fingerprint, folder: Path, url: Secret) -> dict[str, bool]:
    return {name: each.by_version for name, each in compared(before, folder, url).items()}


def test_only_tables_whose_text_is_the_stored_row_are_told_by_version(
    before: Fingerprint, database: Secret, tmp_path: Path
) -> None:
    assert by_version(before, tmp_path, database) == TOLD
    run(database, "INSERT INTO plain (note) SELECT 'new' FROM generate_series(1, 7); ALTER TABLE plain ADD more int")
    found = compared(before, tmp_path, database)["plain"]
    assert (found.by_version, found.before, found.now, found.intact) == (True, 100, 107, True)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE plain SET note = 'other' WHERE id = 17",
        "DELETE FROM plain WHERE id = 17",
        "DELETE FROM plain WHERE id = 17; INSERT INTO plain (id, note) VALUES (17, 'note 18')",
        "CREATE TABLE held AS SELECT id, note FROM plain; TRUNCATE plain;"
        " INSERT INTO plain (id, note) SELECT id, CASE id WHEN 17 THEN '' ELSE note END FROM held",
        "ALTER TABLE plain ALTER note TYPE text USING CASE id WHEN 17 THEN '' ELSE note END",
    ],
    ids=["updated", "deleted", "replaced", "table filled anew", "table rewritten"],
)
def test_a_row_that_was_written_since_is_hashed(
    before: Fingerprint, database: Secret, tmp_path: Path, change: str
) -> None:
    run(database, change)
    found = compared(before, tmp_path, database)["plain"]
    assert (found.by_version, found.lost + found.changed) == (False, 1)
    assert [row.key for row in found.rows] == [("17",)]


def test_the_same_values_written_again_are_equal_by_hash(before: Fingerprint, database: Secret, tmp_path: Path) -> None:
    run(database, "UPDATE plain SET note = note")
    found = compared(before, tmp_path, database)["plain"]
    assert (found.by_version, found.intact) == (False, True)


def test_a_version_is_as_old_after_vacuum(before: Fingerprint, database: Secret, tmp_path: Path) -> None:
    with psycopg.connect(database.reveal(), autocommit=True) as connection:
        connection.execute("VACUUM (FREEZE) plain")
    assert by_version(before, tmp_path, database) == TOLD
    with psycopg.connect(database.reveal(), autocommit=True) as connection:
        connection.execute("UPDATE plain SET note = 'other' WHERE id = 17")
        connection.execute("VACUUM (FULL, FREEZE) plain")
    found = compared(before, tmp_path, database)["plain"]
    assert (found.by_version, found.changed) == (False, 1)


def test_a_transaction_that_ended_after_the_snapshot_is_not_older(database: Secret, tmp_path: Path) -> None:
    """Its id is smaller than that of others who ended before; what it wrote was not in the snapshot."""
    with psycopg.connect(database.reveal()) as slow:
        slow.execute("UPDATE plain SET note = 'other' WHERE id = 17")
        run(database, "UPDATE plain SET note = note WHERE id = 18")
        before = fingerprint.record(database, tmp_path, silent)
        assert compared(before, tmp_path, database)["plain"].intact
        slow.commit()
    found = compared(before, tmp_path, database)["plain"]
    assert (found.by_version, found.changed) == (False, 1)


def test_labels_and_names_that_change_are_seen(before: Fingerprint, database: Secret, tmp_path: Path) -> None:
    """No row is written, and its text is another one."""
    run(database, "ALTER TYPE mood RENAME VALUE 'cross' TO 'angry'; ALTER TABLE named ADD more int")
    assert compared(before, tmp_path, database)["moods"].changed == 1


def test_a_copy_of_the_database_or_another_start_of_the_server_is_hashed(
    before: Fingerprint, database: Secret, server: Secret, platform: Stage, tmp_path: Path
) -> None:
    """Ids of transactions mean nothing there."""
    horizon = before.horizon
    assert horizon is not None
    none = dict.fromkeys(TOLD, False)
    for other in (
        None,
        replace(horizon, server_started="2026-01-01 00:00:00.000001"),
        replace(horizon, database=horizon.database + 1),
        replace(horizon, oldest_running=horizon.oldest_running - (1 << 31)),
    ):
        assert by_version(replace(before, horizon=other), tmp_path, database) == none
    assert platform.cluster is not None
    tools = PostgresTools.found(platform.cluster.bin)
    dump = tools.dump(database, tmp_path / "x.dump")
    with spare(server, "SELECT 1") as copy:
        tools.restore(dump.path, copy)
        assert by_version(before, tmp_path, copy) == none


def test_a_session_with_another_time_zone_and_date_style_can_tell_as_well(
    before: Fingerprint, database: Secret
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(database.reveal())["dbname"]
    run(
        database,
        f"ALTER DATABASE {name} SET timezone = 'America/New_York'; ALTER DATABASE {name} SET datestyle = 'German'",
    )
    with StageSession(database) as session:
        session.begin()
        assert session.rows_by_version("plain", before.horizon) == (100, 100)


def test_a_changed_file_of_rows_is_refused(before: Fingerprint, database: Secret, tmp_path: Path) -> None:
    table = before.table("plain")
    assert table is not None
    path = tmp_path / before.folder / table.rows
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(fingerprint.RowsMissing, match="MIG-145"):
        compared(before, tmp_path, database)
