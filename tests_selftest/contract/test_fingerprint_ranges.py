"""Large tables are read in parts that the server puts together, and compared from their first different range on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from fixtures.model.fingerprint import Fingerprint, RowChangeKind, TableFingerprint
from fixtures.model.secret import Secret
from fixtures.operations.preservation import fingerprint
from fixtures.systems.postgres import fingerprint as reading
from tests_selftest.contract.spare import changed, run, silent, spare

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
    parts, together = [], reading._gathered

    def counted(table, *others):  # type: ignore[no-untyped-def]
        parts.append(table.name)
        return together(table, *others)

    monkeypatch.setattr(reading, "_gathered", counted)
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


def test_lines_begin_behind_any_range(database: Secret, tmp_path: Path) -> None:
    taken = fingerprint.record(database, tmp_path, silent)
    for before in (taken, without_offsets(taken)):
        table = of(before, "numbers")
        whole = list(fingerprint.lines(before, tmp_path, table))
        assert len(whole) == 3000
        for behind in (0, 1, 31, 59, 60):
            assert list(fingerprint.lines(before, tmp_path, table, behind=behind)) == whole[behind * 50 :], behind


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


def test_with_several_processors_the_fingerprint_is_the_same(
    database: Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table of this size is worth one more to the server, if it is told to take any."""
    monkeypatch.setattr(reading, "ROWS_PER_MESSAGE", 1000)
    run(database, "INSERT INTO numbers SELECT n, repeat(md5(n::text), 5) FROM generate_series(3001, 70000) n; ANALYZE")
    plans = {}
    for workers in (1, 0, None):
        with reading.SnapshotReader(database, workers=workers) as reader:
            table = next(each for each in reader.tables() if each.name == "numbers")
            plan = reader._ask(sql.SQL("EXPLAIN {}").format(reading._hashed(table, (), {})))
            plans[workers] = [line.strip() for (line,) in plan if "Workers Planned" in line]
    assert plans == {1: ["Workers Planned: 1"], 0: [], None: []}
    several = fingerprint.record(database, tmp_path, silent, workers=1)
    assert several.content == fingerprint.record(database, tmp_path, silent).content
