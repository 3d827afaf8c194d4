"""Large tables are read in parts that the server puts together, and compared from their first different range on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.model.fingerprint import Fingerprint, RowChangeKind, TableFingerprint
from fixtures.model.secret import Secret
from fixtures.operations.preservation import fingerprint
from fixtures.systems.postgres import fingerprint as reading
from fixtures.systems.postgres import hash_queries
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
        found = reader.digests(table, [each.first for each in before.ranges], before.hashed)
    return [number for number, each in enumerate(before.ranges) if each.digest != found[number]]


@pytest.mark.parametrize("name", PLAIN)
def test_the_server_hashes_ranges_as_they_are_hashed_here(database: Secret, tmp_path: Path, name: str) -> None:
    """Numbers, UUIDs and keys of two columns; also where it knows nothing of how many rows there are."""
    before = of(fingerprint.record(database, tmp_path, silent), name)
    assert len(before.ranges) > 2 * reading.RANGES_PER_QUESTION
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
    starts = [each.first for each in before.ranges]
    with reading.SnapshotReader(database) as reader:
        table = next(each for each in reader.tables() if each.name == "numbers")
        run(database, "UPDATE numbers SET body = 'later'")
        assert reader.digests(table, starts) == [each.digest for each in before.ranges]
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
    changes = {each.table: each for each in fingerprint.changes(before, tmp_path, database, silent)}
    # Once more for the digests; then of the last range, which is found whole in what was read, nothing.
    assert read == {"numbers": 101 + 101 + 50}
    assert [row.key for row in changes["numbers"].rows] == [("707",)]
    assert (changes["numbers"].before, changes["numbers"].now) == (3000, 3001)


def test_a_column_that_came_later_is_not_hashed_in_the_comparison(database: Secret, tmp_path: Path) -> None:
    before = fingerprint.record(database, tmp_path, silent)
    run(database, "ALTER TABLE numbers ADD COLUMN more text DEFAULT 'new'; UPDATE numbers SET body = 'x' WHERE id = 9")
    run(database, "ALTER TABLE uuids ALTER COLUMN body TYPE varchar(40); ANALYZE")
    found = {each.table: each for each in changed(before, tmp_path, database)}
    assert [row.key for row in found["numbers"].rows] == [("9",)]
    assert (found["uuids"].changed, [str(each) for each in found["uuids"].columns]) == (
        0, ['column "body" is character varying(40) and was text']
    )  # fmt: skip
