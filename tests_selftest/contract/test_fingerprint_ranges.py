"""Large tables are read in parts that the server puts together, and compared from their first different range on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Timer
from unittest import mock

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from fixtures.model.fingerprint import Fingerprint, RowChangeKind, TableFingerprint
from fixtures.model.secret import Secret
from fixtures.operations.preservation import fingerprint, row_changes
from fixtures.process.waiting import wait_until
from fixtures.systems.failure import Refused
from fixtures.systems.postgres import fingerprint as reading
from fixtures.systems.postgres import hash_queries
from fixtures.systems.postgres.snapshot_sessions import SnapshotSessions
from tests_selftest.contract.spare import changed, equal_tables, run, silent, spare

SCHEMA = """
    CREATE TABLE numbers (id serial PRIMARY KEY, body text);
    CREATE TABLE uuids (id uuid PRIMARY KEY, body text);
    CREATE TABLE pairs (a int, b uuid, body text, PRIMARY KEY (b, a));
    CREATE TABLE words (id text PRIMARY KEY, body text);
    CREATE TABLE unsorted (id uuid PRIMARY KEY, body text);
    INSERT INTO numbers SELECT n, nullif('row ' || n, 'row 7') FROM generate_series(1, 3000) n;
    INSERT INTO uuids SELECT lpad(n::text, 32, '0')::uuid, 'row ' || n FROM generate_series(1, 2990) n;
    INSERT INTO pairs SELECT n % 3, lpad((n / 3)::text, 32, '0')::uuid, 'row ' || n FROM generate_series(1, 3001) n;
    INSERT INTO words SELECT 'word ' || n, 'row ' || n FROM generate_series(1, 3000) n;
    ANALYZE;
"""
SOON_S = 5.0
PLAIN = ["numbers", "uuids", "pairs"]


@pytest.fixture
def database(server: Secret, monkeypatch: pytest.MonkeyPatch) -> Iterator[Secret]:
    """Tables that are large beside the parts in which they are read here."""
    monkeypatch.setattr(fingerprint, "ROWS_PER_RANGE", 50)
    monkeypatch.setattr(reading, "ROWS_PER_MESSAGE", 120)
    with spare(server, SCHEMA) as url:
        yield url


def of(found: Fingerprint, name: str) -> TableFingerprint:
    table = found.table(name)
    assert table is not None
    return table


def test_a_table_read_in_parts_has_the_fingerprint_of_one_read_row_by_row(
    database: Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the last part is a whole one; keys of several columns, and texts, which the server would sort."""
    parts, together = [], hash_queries.gathered

    def counted(table, *others):  # type: ignore[no-untyped-def]
        parts.append(table.name)
        return together(table, *others)

    monkeypatch.setattr(hash_queries, "gathered", counted)
    in_parts = fingerprint.record(database, tmp_path, silent)
    # One question more than there are parts: the first asks how the server would read the table.
    assert {name: parts.count(name) for name in set(parts)} == {"numbers": 32, "uuids": 31, "pairs": 32}
    monkeypatch.setattr(reading, "ROWS_PER_MESSAGE", 1_000_000)
    row_by_row = fingerprint.record(database, tmp_path, silent)
    assert [replace(each, rows_sha256="") for each in in_parts.tables] == [
        replace(each, rows_sha256="") for each in row_by_row.tables
    ]
    assert in_parts.counts == {"numbers": 3000, "uuids": 2990, "pairs": 3001, "words": 3000, "unsorted": 0}
    assert list(fingerprint.keys(in_parts, tmp_path, "pairs"))[4:7] == [
        (f"{'0' * 8}-0000-0000-0000-{'0' * 11}{b}", str(a)) for b, a in ((1, 2), (2, 0), (2, 1))
    ]


def without_offsets(taken: Fingerprint) -> Fingerprint:
    """As an older release wrote it."""
    return replace(
        taken,
        tables=tuple(
            replace(each, ranges=tuple(replace(one, offset=None) for one in each.ranges)) for each in taken.tables
        ),
    )


def test_a_difference_in_any_range_is_found(database: Secret, tmp_path: Path) -> None:
    """By hash, by version and by the files of two fingerprints: `changed` holds that all three say the same."""
    taken = fingerprint.record(database, tmp_path, silent)
    assert changed(taken, tmp_path, database) == []
    run(database, "UPDATE numbers SET body = 'x' WHERE id = 7")
    run(database, "DELETE FROM uuids WHERE body = 'row 1751'")
    run(database, "UPDATE pairs SET body = body || '.' WHERE body = 'row 3001'")
    run(database, "DELETE FROM words WHERE id = 'word 999'")
    run(database, "INSERT INTO numbers VALUES (3001, 'new'); INSERT INTO uuids SELECT gen_random_uuid(), 'new'")
    for before in (taken, without_offsets(taken)):
        found = changed(before, tmp_path, database)
        assert [(each.table, each.lost, each.changed) for each in found] == [
            ("numbers", 0, 1), ("pairs", 0, 1), ("uuids", 1, 0), ("words", 1, 0)
        ]  # fmt: skip
        assert [row.kind for each in found for row in each.rows] == [
            RowChangeKind.OTHER_VALUES, RowChangeKind.OTHER_VALUES, RowChangeKind.GONE, RowChangeKind.GONE
        ]  # fmt: skip
        assert found[0].rows[0].key == ("7",)
        assert {each.table: each.now for each in found}["numbers"] == 3001


def test_lines_of_any_ranges(database: Secret, tmp_path: Path) -> None:
    taken = fingerprint.record(database, tmp_path, silent)
    for before in (taken, without_offsets(taken)):
        table = of(before, "numbers")
        whole = list(fingerprint.lines(before, tmp_path, table))
        assert len(whole) == 3000
        for wanted in ([], [0], [31, 32, 59], list(range(60))):
            expected = [line for number in wanted for line in whole[number * 50 : (number + 1) * 50]]
            assert list(fingerprint.lines(before, tmp_path, table, ranges=wanted)) == expected, wanted


@pytest.mark.parametrize("name", [*PLAIN[:2], "words"])
def test_keys_are_looked_for_where_they_would_be(database: Secret, tmp_path: Path, name: str) -> None:
    """First and last of a range, between two of them, before and behind all; texts that are no key of the table."""
    run(database, "DELETE FROM numbers WHERE id IN (1, 101, 2999)")
    taken = fingerprint.record(database, tmp_path, silent)
    for before in (taken, without_offsets(taken)):
        there = {key for (key,) in fingerprint.keys(before, tmp_path, name)}
        assert fingerprint.keys_among(before, tmp_path, of(before, name), there) == there
        odd = ["0", "-1", "1", "101", "2999", "4000000000", "01", "1_0", "word", "", "f" * 32]
        assert fingerprint.keys_among(before, tmp_path, of(before, name), odd) == set(), name
        edges = {each for one in of(before, name).ranges for each in (*one.first, *one.last)}
        assert fingerprint.keys_among(before, tmp_path, of(before, name), [*edges, *odd]) == edges
    assert fingerprint.keys_among(taken, tmp_path, of(taken, "unsorted"), ["1"]) == set()


def digests(url: Secret, name: str, before: TableFingerprint) -> list[int]:
    """The numbers of the ranges whose digest is another now."""
    with reading.SnapshotReader(url) as reader:
        table = next(each for each in reader.tables() if each.name == name)
        found = reader.digests(table, before.ranges, before.hashed)
    return [number for number, each in enumerate(before.ranges) if each.digest != found[number]]


@pytest.mark.parametrize("name", PLAIN)
def test_the_server_hashes_ranges_as_they_are_hashed_here(database: Secret, tmp_path: Path, name: str) -> None:
    """Numbers, UUIDs and keys of two columns; also where it knows nothing of how many rows there are."""
    before = of(fingerprint.record(database, tmp_path, silent), name)
    assert len(before.ranges) > 2 * reading.RANGES_PER_STATEMENT
    assert digests(database, name, before) == []
    run(database, "DELETE FROM pg_statistic; UPDATE pg_class SET reltuples = -1 WHERE relkind = 'r'")
    assert digests(database, name, before) == []


def test_every_row_is_in_the_digest_of_one_range(database: Secret, tmp_path: Path) -> None:
    """Rows before the first key, between two ranges, behind the last; a range whose rows are gone."""
    run(database, "DELETE FROM numbers WHERE id BETWEEN 30 AND 40")
    before = of(fingerprint.record(database, tmp_path, silent), "numbers")
    last = len(before.ranges) - 1
    [one] = [number for number, each in enumerate(before.ranges) if int(each.first[0]) <= 700 <= int(each.last[0])]
    at = before.ranges[one]
    for statement, ranges in {
        "INSERT INTO numbers VALUES (-5, 'new')": [0],
        "INSERT INTO numbers VALUES (35, 'new')": [0],
        f"UPDATE numbers SET id = 0 WHERE id = {at.last[0]}": [0, one],
        "INSERT INTO numbers VALUES (2000000, 'new')": [last],
        f"DELETE FROM numbers WHERE id BETWEEN {at.first[0]} AND {at.last[0]}": [one],
        f"UPDATE numbers SET body = body WHERE id = {at.first[0]}": [],
        f"UPDATE numbers SET body = '' WHERE id = {at.first[0]}": [one],
        "UPDATE numbers SET body = NULL WHERE id IN (7, 8)": [0],
    }.items():
        run(database, statement)
        assert digests(database, "numbers", before) == ranges, statement
        run(database, "DELETE FROM numbers WHERE id < 1 OR id = 35 OR id > 3000")
        run(
            database,
            "INSERT INTO numbers SELECT n, nullif('row ' || n, 'row 7') FROM generate_series(1, 3000) n"
            " WHERE n NOT BETWEEN 30 AND 40 ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        )
        assert digests(database, "numbers", before) == [], statement


def test_the_sessions_beside_see_the_same_snapshot(database: Secret, tmp_path: Path) -> None:
    before = of(fingerprint.record(database, tmp_path, silent), "numbers")
    with reading.SnapshotReader(database) as reader:
        table = next(each for each in reader.tables() if each.name == "numbers")
        run(database, "UPDATE numbers SET body = 'later'")
        assert reader.digests(table, before.ranges) == [each.digest for each in before.ranges]
    assert len(digests(database, "numbers", before)) == len(before.ranges)


def test_only_ranges_with_another_hash_are_read(
    database: Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a table with a new row and a changed one, two of sixty; of an equal one, none."""
    before = fingerprint.record(database, tmp_path, silent)
    run(database, "UPDATE numbers SET body = 'x' WHERE id = 707; INSERT INTO numbers VALUES (3001, 'new'); ANALYZE")
    read: dict[str, int] = {}
    between = reading.SnapshotReader.between

    def counted(self, table, *others, **more):  # type: ignore[no-untyped-def]
        for chunk in between(self, table, *others, **more):
            read[table.name] = read.get(table.name, 0) + len(chunk)
            yield chunk

    monkeypatch.setattr(reading.SnapshotReader, "between", counted)
    now = fingerprint.record(database, tmp_path, silent, keep_rows=False, along=before)
    assert read == {"numbers": 101}
    assert now.counts == {**before.counts, "numbers": 3001}
    assert equal_tables(now, before) == {"pairs", "unsorted", "uuids", "words"}
    changes = {each.table: each for each in row_changes.find_changes(before, tmp_path, database, silent)}
    # Once more for the digests; then of the last range, which is found whole in what was read, nothing.
    assert read == {"numbers": 101 + 101 + 50}
    assert [row.key for row in changes["numbers"].rows] == [("707",)]
    assert (changes["numbers"].before, changes["numbers"].now) == (3000, 3001)


def test_a_long_run_of_ranges_with_another_hash_ends_where_they_end(database: Secret, tmp_path: Path) -> None:
    """Longer than one message, and followed by equal ranges."""
    before = fingerprint.record(database, tmp_path, silent)
    run(database, "UPDATE numbers SET body = 'x' WHERE id BETWEEN 300 AND 900; ANALYZE")
    run(database, "UPDATE uuids SET body = 'x' WHERE body BETWEEN 'row 1' AND 'row 2'; ANALYZE")
    found = {each.table: (each.changed, each.now) for each in changed(before, tmp_path, database)}
    assert found == {"numbers": (601, 3000), "uuids": (1112, 2990)}


def test_no_more_lines_are_hashed_than_a_range_had(database: Secret, tmp_path: Path) -> None:
    """Behind the last key, before the first and in a gap: however many rows are new, they are not put together."""
    run(database, "DELETE FROM numbers WHERE id BETWEEN 120 AND 2900; ANALYZE numbers")
    before = of(fingerprint.record(database, tmp_path, silent), "numbers")
    run(database, "INSERT INTO numbers SELECT n, 'new' FROM generate_series(-5000, 9000) n ON CONFLICT DO NOTHING")
    queries = []

    def kept(_, query):  # type: ignore[no-untyped-def]
        queries.append(query)
        return [[([None] * len(before.ranges),)]]

    with (
        mock.patch.object(SnapshotSessions, "ask_each", kept),
        reading.SnapshotReader(database) as reader,
    ):
        table = next(each for each in reader.tables() if each.name == "numbers")
        reader.digests(table, before.ranges)
    with psycopg.connect(database.reveal()) as connection:
        for statement in queries[0]:
            longest = statement.as_string(connection).replace(
                "encode(sha256(convert_to(string_agg(line, E'\\n') || E'\\n', 'UTF8')), 'hex')", "count(*)"
            )
            row = connection.execute(longest.encode()).fetchone()
            assert row is not None
            assert max(row[0]) == fingerprint.ROWS_PER_RANGE + 1


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("numbers", "ALTER id TYPE bigint"),
        ("numbers", "RENAME id TO number"),
        ("numbers", "ALTER body TYPE varchar(90)"),
        ("uuids", "DROP id, ADD id serial PRIMARY KEY"),
        ("pairs", "DROP CONSTRAINT pairs_pkey, ADD PRIMARY KEY (a, b)"),
    ],
)
def test_along_another_key_or_type_the_fingerprint_is_that_of_now(
    database: Secret, tmp_path: Path, name: str, change: str
) -> None:
    """A key of another type, name or order, a column of another type."""
    before = fingerprint.record(database, tmp_path, silent)
    run(database, f"ALTER TABLE {name} {change}; ANALYZE")
    now = fingerprint.record(database, tmp_path, silent, keep_rows=False, along=before)
    assert now.content == fingerprint.record(database, tmp_path, silent).content
    assert equal_tables(now, before) == {"numbers", "pairs", "unsorted", "uuids", "words"} - {name}


def test_ranges_have_one_hash_whatever_the_database_has_set(database: Secret, tmp_path: Path) -> None:
    """Moments, floats, bytes and intervals, in sessions of other defaults; rows of child tables are not its."""
    run(
        database,
        """
        CREATE TABLE values_of (id int PRIMARY KEY, at timestamptz, day date, real float4, bytes bytea, took interval);
        INSERT INTO values_of SELECT n, timestamptz '2026-03-29 00:30+00' + n * interval '1.000001 h', date '2026-01-01'
            + n, n / 3.0, sha256(n::text::bytea), n * interval '1 day 2 h' FROM generate_series(1, 1000) n;
        CREATE TABLE children () INHERITS (values_of); INSERT INTO children SELECT * FROM values_of; ANALYZE;
        """,
    )
    before = of(fingerprint.record(database, tmp_path, silent), "values_of")
    assert (before.count, len(before.ranges)) == (1000, 20)
    name = conninfo_to_dict(database.reveal())["dbname"]
    for setting, value in {
        "TimeZone": "Asia/Tokyo", "DateStyle": "German", "IntervalStyle": "iso_8601", "extra_float_digits": "-5",
        "bytea_output": "escape",
    }.items():  # fmt: skip
        run(database, f"ALTER DATABASE {name} SET {setting} = '{value}'")
    assert digests(database, "values_of", before) == []


def test_a_role_with_one_connection_can_compare(database: Secret, tmp_path: Path) -> None:
    """A second session makes it faster; where there is none to be had, one is enough."""
    before = fingerprint.record(database, tmp_path, silent)
    run(database, "UPDATE numbers SET body = 'x' WHERE id = 7")
    run(database, "CREATE ROLE alone LOGIN PASSWORD 'x' CONNECTION LIMIT 1; GRANT pg_read_all_data TO alone")
    try:
        as_alone = Secret(make_conninfo(database.reveal(), user="alone", password="x"))
        found = {each.table: each.changed for each in row_changes.find_changes(before, tmp_path, as_alone, silent)}
        assert found == {"numbers": 1, "pairs": 0, "unsorted": 0, "uuids": 0, "words": 0}
    finally:
        run(database, "DROP OWNED BY alone; DROP ROLE alone")


def test_what_runs_beside_is_cancelled_before_a_session_is_closed(database: Secret) -> None:
    """As when the disk is full while the next lines are asked for: closed under its thread, it may wait for ever."""
    began = time.monotonic()
    with reading.SnapshotReader(database) as reader:
        asked = reader._sessions.ask_ahead("SELECT pg_sleep(60)")
        wait_until(asked.running, until=bool, deadline_s=SOON_S, every_s=0.01, reason="another thread asks")
    with pytest.raises(Refused, match="57014"):
        asked.result()
    assert time.monotonic() - began < SOON_S


def test_an_interrupt_does_not_wait_for_what_is_asked(database: Secret) -> None:
    began = time.monotonic()
    interrupt = Timer(0.3, partial(os.kill, os.getpid(), signal.SIGINT))
    was = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts its background jobs deaf to it
    try:
        with reading.SnapshotReader(database) as reader:
            interrupt.start()
            with pytest.raises(KeyboardInterrupt):
                reader._sessions.ask_each(["SELECT pg_sleep(20)"] * 10)
    finally:
        signal.signal(signal.SIGINT, was)
    assert time.monotonic() - began < SOON_S


def test_a_column_that_came_later_is_not_hashed_in_the_comparison(database: Secret, tmp_path: Path) -> None:
    """And its table is not read: the digests of its ranges are of the columns of then."""
    before = fingerprint.record(database, tmp_path, silent)
    run(database, "ALTER TABLE numbers ADD COLUMN more text DEFAULT 'new'; UPDATE numbers SET body = 'x' WHERE id = 9")
    run(database, "ALTER TABLE uuids ALTER COLUMN body TYPE varchar(40); ANALYZE")
    found = {each.table: each for each in changed(before, tmp_path, database)}
    assert [row.key for row in found["numbers"].rows] == [("9",)]
    assert (found["uuids"].changed, [str(each) for each in found["uuids"].columns]) == (
        0, ['column "body" is character varying(40) and was text']
    )  # fmt: skip
    run(database, "UPDATE numbers SET body = 'row 9' WHERE id = 9")
    assert digests(database, "numbers", of(before, "numbers")) == []
