"""A database of its own on the platform's cluster, for what a test wants to break."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fixtures.model.secret import Secret
from fixtures.systems.postgres.dump import scratch_database
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


def silent(*_: object) -> None:
    """Nobody watches."""
