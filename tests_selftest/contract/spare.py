"""A database of its own on the platform's cluster, for what a test wants to break."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from fixtures.model.backup import Artefact
from fixtures.model.fingerprint import Fingerprint, TableChange
from fixtures.model.secret import Secret
from fixtures.operations.preservation import fingerprint
from fixtures.systems.postgres.dump import Dump, scratch_database
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


def artefact(dump: Dump) -> Artefact:
    """An own dump as a rollback point names it."""
    return Artefact("pg_dump", dump.path.name, str(dump.path), dump.size_bytes, dump.sha256, datetime.now(UTC), 0)


def silent(*_: object) -> None:
    """Nobody watches."""


def changed(before: Fingerprint, folder: Path, url: Secret) -> list[TableChange]:
    """What is not intact by hash; by version, and by the files of a second fingerprint, it must be the same."""
    by_hash = fingerprint.changes(before, folder, url, silent)
    by_version = fingerprint.changes(before, folder, url, silent, by_version=True)
    assert [replace(each, by_version=False) for each in by_version] == by_hash
    with TemporaryDirectory() as place:
        now = fingerprint.record(url, Path(place), silent)
        assert fingerprint.changes(before, folder, url, silent, now=(now, Path(place))) == by_hash
    return [each for each in by_hash if not each.intact]
