"""On a real Postgres: whether rows are there is told for keys of any type at once, and looked up by the key's index."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from psycopg import sql

from fixtures.model.secret import Secret
from fixtures.systems.postgres import queries
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.contract.spare import spare

SCHEMA = """
    CREATE TABLE numbers (id bigint PRIMARY KEY);
    CREATE TABLE people (id uuid PRIMARY KEY);
    CREATE TABLE "Old words" ("the word" character varying(40) PRIMARY KEY);
    CREATE TABLE codes (code character(6) PRIMARY KEY);
    CREATE TABLE prices (price numeric(6, 2) PRIMARY KEY);
    CREATE TABLE pairs (one int, two int, PRIMARY KEY (one, two));
    CREATE TABLE heap (id int);
    CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100);
    INSERT INTO numbers SELECT generate_series(1, 50000);
    INSERT INTO people VALUES ('22222222-2222-4222-8222-222222222222');
    INSERT INTO "Old words" VALUES ('it''s; 100%'), ('');
    INSERT INTO codes VALUES ('abc');
    INSERT INTO prices VALUES (1.50);
    INSERT INTO parts VALUES (7);
    ANALYZE;
"""


@pytest.fixture(scope="module")
def database(server: Secret) -> Iterator[PostgresObserver]:
    with spare(server, SCHEMA) as url, PostgresObserver(url) as observer:
        yield observer


def test_each_row_is_told_by_its_key_as_text_whatever_its_type(database: PostgresObserver) -> None:
    there = [
        ("numbers", "50000"), ("people", "22222222-2222-4222-8222-222222222222"), ("Old words", "it's; 100%"),
        ("Old words", ""), ("codes", "abc"), ("prices", "1.50"), ("parts", "7"),
    ]  # fmt: skip
    gone = [
        ("numbers", "50001"), ("people", "33333333-3333-4333-8333-333333333333"), ("Old words", "it's"),
        ("codes", "abd"), ("prices", "1.51"), ("parts", "8"),
    ]  # fmt: skip
    assert database.rows_exist([*gone, *there]) == {**dict.fromkeys(there, True), **dict.fromkeys(gone, False)}


def test_of_a_table_without_a_key_of_one_column_nothing_is_told(database: PostgresObserver) -> None:
    assert database.rows_exist([("pairs", "1"), ("heap", "1"), ("no such table", "1")]) == {}
    assert database.rows_exist([]) == {}


def test_a_large_table_is_not_read(database: PostgresObserver) -> None:
    question = queries.keys_there(sql.Identifier("numbers"), "numbers", "id", "bigint", [str(n) for n in range(100)])
    plan = json.dumps(database.ask(sql.SQL("EXPLAIN (FORMAT JSON) ") + question))
    assert "numbers_pkey" in plan
    assert "Seq Scan" not in plan
