"""A database of its own on the platform's cluster, for what a test wants to break."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from fixtures.model.backup import Artefact, Proof
from fixtures.model.fingerprint import Fingerprint, TableChange
from fixtures.model.secret import Secret
from fixtures.operations.backups import backup
from fixtures.operations.backups.backup import BackupStorage
from fixtures.operations.backups.trial_restore import TrialRestore
from fixtures.operations.preservation import fingerprint, row_changes
from fixtures.systems.postgres.dump import Dump, scratch_database
from fixtures.systems.postgres.fingerprint import SnapshotReader
from fixtures.systems.postgres.session import transaction


@contextmanager
def spare(server: Secret, schema: str) -> Iterator[Secret]:
    """The address of a new database in which *schema* was run; it goes when the block ends."""
    with scratch_database(server) as (_, url):
        run(url, schema)
        yield url


def run(url: Secret, statements: str) -> None:
    """Some statements in one transaction, as the owner."""
    with transaction(url, system="test database") as connection:
        connection.execute(statements.encode())


def verified(made: Artefact, held: Fingerprint, storage: BackupStorage) -> Proof | None:
    """A dump restored and compared."""
    with TrialRestore(storage.tools, storage.scratch) as restore:
        restore.begin(made)
        return backup.verify_restore(made, held, restore, storage, silent)


def artefact(dump: Dump) -> Artefact:
    """An own dump as a rollback point names it."""
    return Artefact("pg_dump", dump.path.name, str(dump.path), dump.size_bytes, dump.sha256, datetime.now(UTC), 0)


def silent(*_: object) -> None:
    """Nobody watches."""


def equal_tables(now: Fingerprint, before: Fingerprint) -> set[str]:
    """By their digests."""
    return {name for name, digest in now.content.items() if before.content.get(name) == digest}


def changed(before: Fingerprint, folder: Path, url: Secret) -> list[TableChange]:
    """
    What is not intact by hash.

    By ranges, by version, and after a second fingerprint along the first, it must be the same as row by row.
    """
    with mock.patch.object(SnapshotReader, "divisible", return_value=False):
        by_hash = row_changes.find_changes(before, folder, url, silent)
    assert row_changes.find_changes(before, folder, url, silent) == by_hash
    by_version = row_changes.find_changes(before, folder, url, silent, by_version=True)
    assert [replace(each, by_version=False) for each in by_version] == by_hash
    with SnapshotReader(url) as reader:
        now = fingerprint.read(reader, folder, silent, keep_rows=False, along=before)
        alone = fingerprint.read(reader, folder, silent, keep_rows=False)
        assert equal_tables(now, before) == equal_tables(alone, before)
        assert now.counts == alone.counts
        assert row_changes.find_changes_in(reader, before, folder, silent, now=now) == by_hash
    return [each for each in by_hash if not each.intact]
