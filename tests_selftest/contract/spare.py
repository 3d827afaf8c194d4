"""A database of its own on the platform's cluster, for what a test wants to break."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from fixtures.model.backup import Artefact
from fixtures.model.secret import Secret
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
