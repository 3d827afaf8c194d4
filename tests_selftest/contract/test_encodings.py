"""A database in another encoding than UTF-8 is read exactly, or named by code before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from fixtures.checks.rows import text_encoding
from fixtures.model.secret import Secret
from fixtures.operations.source import local_database
from fixtures.systems.postgres.fingerprint import SnapshotReader
from fixtures.systems.postgres.lock import TargetLock
from fixtures.systems.postgres.observer import PostgresObserver

ZURICH = b"Z\xc3\xbcrich"


@contextmanager
def database(server: Secret, encoding: str) -> Iterator[Secret]:
    """A database in *encoding* with one text of a letter that is not in ASCII, sent as UTF-8."""
    name = sql.Identifier(f"in_{encoding.lower()}")
    url = Secret(psycopg.conninfo.make_conninfo(server.reveal(), dbname=f"in_{encoding.lower()}"))
    with psycopg.connect(server.reveal(), autocommit=True) as root:
        root.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'").format(
                name, sql.Literal(encoding)
            )
        )
        try:
            with psycopg.connect(url.reveal()) as connection:
                connection.execute("SET client_encoding TO 'UTF8'")
                connection.execute("CREATE TABLE towns (id serial PRIMARY KEY, name text)")
                connection.execute(b"INSERT INTO towns (name) VALUES ('" + ZURICH + b"')")
            yield url
        finally:
            root.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "WIN1252", "UTF8"])
def test_names_and_texts_are_read_in_every_encoding(
    server: Secret, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the variable of libpq asks for another one."""
    with database(server, encoding) as url:
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
        with PostgresObserver(url) as observer, TargetLock(url):
            assert observer.encoding() == encoding
            assert observer.ask("SELECT id, name FROM towns") == [{"id": 1, "name": "Zürich"}]
            assert observer.columns("towns") == ["id", "name"]
        with SnapshotReader(url) as reader:
            (towns,) = reader.tables()
            assert (towns.name, towns.key, towns.columns) == ("towns", ("id",), {"id": "integer", "name": "text"})
        monkeypatch.delenv("PGCLIENTENCODING")


@pytest.mark.parametrize(("encoding", "codes"), [("SQL_ASCII", ["MIG-139"]), ("LATIN1", []), ("UTF8", [])])
def test_a_local_database_that_takes_any_bytes_is_named(server: Secret, encoding: str, codes: list[str]) -> None:
    with database(server, encoding) as url:
        found = local_database.problems(url)
    assert [each.code for each in found] == codes
    assert [each.observed for each in found] == [encoding for _ in codes]


@pytest.mark.parametrize(("encoding", "codes"), [("SQL_ASCII", ["MIG-166"]), ("LATIN1", ["MIG-166"]), ("UTF8", [])])
def test_a_production_that_could_not_be_restored_exactly_is_named(
    server: Secret, encoding: str, codes: list[str]
) -> None:
    with database(server, encoding) as url, PostgresObserver(url) as observer:
        found = text_encoding.production_not_in_utf8(observer.encoding())
    assert [each.code for each in found] == codes


def test_without_a_local_database_there_is_nothing_to_say() -> None:
    assert local_database.problems(None) == []
