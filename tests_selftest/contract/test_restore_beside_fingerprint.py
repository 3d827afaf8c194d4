"""1.4.4 hashes the rows while their dump is restored: what stops one of them stops both, and nothing is left behind."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pyrage
import pytest
from psycopg.conninfo import conninfo_to_dict

from fixtures.model.backup import Artefact
from fixtures.model.secret import Secret
from fixtures.operations.backups import backup, trial_restore
from fixtures.operations.backups.backup import BackupStorage
from fixtures.operations.backups.trial_restore import TrialRestore
from fixtures.operations.preservation import fingerprint
from fixtures.process.command import CommandFailed
from fixtures.process.waiting import wait_until
from fixtures.systems.postgres import fingerprint as reading
from fixtures.systems.postgres.dump import PostgresTools
from fixtures.systems.postgres.fingerprint import SnapshotReader
from tests_selftest.contract.spare import run, silent, spare, verified

SCHEMA = """
    CREATE TABLE boards (id serial PRIMARY KEY, name text NOT NULL);
    INSERT INTO boards (name) SELECT 'board ' || n FROM generate_series(1, 2000) n;
"""
SOON_S = 5.0


@pytest.fixture
def database(server: Secret) -> Iterator[Secret]:
    with spare(server, SCHEMA) as url:
        yield url


def pretending(tools: PostgresTools, folder: Path, script: str) -> PostgresTools:
    """The tools with a pg_dump that does this instead."""
    program = folder / "pg_dump"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return replace(tools, pg_dump=program)


def test_a_dump_that_fails_says_why(database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path) -> None:
    """No row is hashed for it, and nothing of what it has written stays."""
    failing = pretending(tools, tmp_path, 'echo rows; echo "pg_dump: error: no room" >&2; exit 1')
    storage = BackupStorage(tmp_path / "backups", failing, server)
    begun: list[Artefact] = []
    with SnapshotReader(database) as reader, pytest.raises(CommandFailed, match="no room"):
        backup.dump_and_fingerprint(database, reader, storage, tmp_path / "rows", silent, then=begun.append)
    assert begun == []
    assert not (tmp_path / "rows").exists()
    assert list(storage.folder.iterdir()) == []


def test_a_dump_that_was_whole_before_the_fingerprint_failed_does_not_stay(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    storage = BackupStorage(tmp_path / "backups", tools, server)

    def broken(what: str, *_: object) -> None:
        if what == "fingerprint":
            assert list(storage.folder.glob("*.dump"))
            raise ValueError("the fingerprint")

    with SnapshotReader(database) as reader, pytest.raises(ValueError, match="the fingerprint"):
        backup.dump_and_fingerprint(database, reader, storage, tmp_path, broken)
    assert list(storage.folder.iterdir()) == []


def test_a_sequence_drawn_from_after_the_dump_is_not_behind_in_it(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """Postgres keeps no versions of sequences: the fingerprint must have read them before the dump does."""
    storage = BackupStorage(tmp_path / "backups", tools, server)
    said = []

    def drawn(*told: object) -> None:
        run(database, "SELECT nextval('boards_id_seq')")
        said.append(told[1])

    with SnapshotReader(database) as reader:
        made, held = backup.dump_and_fingerprint(database, reader, storage, tmp_path, drawn)
    assert verified(made, held, storage) is not None
    assert said == ["pg_dump of the production database", "hashing the rows of boards, tables"]


def test_the_dump_is_restored_while_rows_are_hashed(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """The fingerprint waits here until the restored rows are there."""
    storage = BackupStorage(tmp_path / "backups", tools, server)
    with TrialRestore(tools, server) as restore:

        def waiting(what: str, *_: object) -> None:
            if what == "fingerprint":
                restore.ended()

        with SnapshotReader(database) as reader:
            made, held = backup.dump_and_fingerprint(database, reader, storage, tmp_path, waiting, then=restore.begin)
        proof = backup.verify_restore(made, held, restore, storage, silent)
    assert proof is not None
    assert proof.rows == 2000
    assert scratch_databases(server) == 1  # that of this test


@pytest.mark.parametrize("encrypted", [False, True])
def test_what_fails_beside_the_restore_ends_it(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path, encrypted: bool
) -> None:
    """A restore that would take a minute; no program of it stays, and no database."""
    name = conninfo_to_dict(database.reveal())["dbname"]
    run(
        database,
        "CREATE FUNCTION waits(int) RETURNS boolean LANGUAGE sql AS"
        f" $$ SELECT current_database() = '{name}' OR pg_sleep(60)::text = '' $$;"
        "CREATE TABLE late (id int CHECK (waits(id))); INSERT INTO late VALUES (1)",
    )
    tools = replace(tools, key=Secret(str(pyrage.x25519.Identity.generate()))) if encrypted else tools
    storage = BackupStorage(tmp_path / "backups", tools, server)

    def broken(what: str, *_: object) -> None:
        if what == "fingerprint":
            wait_until(
                lambda: asleep(server), until=bool, deadline_s=SOON_S, every_s=0.02, reason="the restore is under way"
            )
            raise ValueError("the fingerprint")

    began = time.monotonic()
    with (
        pytest.raises(ValueError, match="the fingerprint"),
        TrialRestore(tools, server) as restore,
        SnapshotReader(database) as reader,
    ):
        backup.dump_and_fingerprint(database, reader, storage, tmp_path, broken, then=restore.begin)
    assert time.monotonic() - began < SOON_S
    assert list(storage.folder.iterdir()) == []
    assert asleep(server) == 0
    assert scratch_databases(server) == 1  # that of this test


def test_a_full_disk_while_rows_are_hashed_ends_everything(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next lines are asked for in another thread at that moment; its connection must not be closed under it."""
    run(database, "INSERT INTO boards SELECT n, 'board ' || n FROM generate_series(2001, 60000) n; ANALYZE")
    monkeypatch.setattr(fingerprint, "ROWS_PER_RANGE", 50)
    monkeypatch.setattr(reading, "ROWS_PER_MESSAGE", 5000)
    storage = BackupStorage(tmp_path / "backups", tools, server)
    for written in range(0, 400, 20):
        bodies = itertools.count()

        def full(_, __, bodies=bodies, written=written):  # type: ignore[no-untyped-def]
            if next(bodies) == written:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(fingerprint._RowFile, "write", full)
        with (
            pytest.raises(OSError, match="No space"),
            TrialRestore(tools, server) as restore,
            SnapshotReader(database) as reader,
        ):
            backup.dump_and_fingerprint(database, reader, storage, tmp_path, silent, then=restore.begin)
        assert list(storage.folder.iterdir()) == []
        assert scratch_databases(server) == 1  # that of this test


def test_without_a_server_nothing_is_restored(
    database: Secret, tools: PostgresTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = BackupStorage(tmp_path / "backups", tools, Secret(""))
    monkeypatch.setattr(trial_restore, "scratch_database", lambda _: pytest.fail("a scratch database was made"))
    with TrialRestore(tools, storage.scratch) as restore:
        with SnapshotReader(database) as reader:
            made, held = backup.dump_and_fingerprint(database, reader, storage, tmp_path, silent, then=restore.begin)
        assert backup.verify_restore(made, held, restore, storage, silent) is None


def test_a_dump_that_does_not_restore_says_why(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    failing = tmp_path / "pg_restore"
    listing = f'case " $* " in *" --list "*) exec {tools.pg_restore} "$@";; esac'
    failing.write_text(f'#!/bin/sh\n{listing}\necho "error: no room" >&2\nexit 1\n')
    failing.chmod(0o700)
    tools = replace(tools, pg_restore=failing)
    storage = BackupStorage(tmp_path / "backups", tools, server)
    with TrialRestore(tools, server) as restore:
        with SnapshotReader(database) as reader:
            made, held = backup.dump_and_fingerprint(database, reader, storage, tmp_path, silent, then=restore.begin)
        with pytest.raises(CommandFailed, match="no room"):
            backup.verify_restore(made, held, restore, storage, silent)
    assert scratch_databases(server) == 1  # that of this test


def asleep(server: Secret) -> int:
    """Sessions in which a restore waits."""
    with psycopg.connect(server.reveal()) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'").fetchone()
    return int(row[0]) if row else 0


def scratch_databases(server: Secret) -> int:
    with psycopg.connect(server.reveal()) as connection:
        row = connection.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'scratch_%'").fetchone()
    return int(row[0]) if row else 0
