"""A fingerprint is exact, the same on every server, and a later look names each row that is gone or changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fixtures.model.fingerprint import Fingerprint, RowChange, RowChangeKind
from fixtures.model.secret import Secret
from fixtures.operations.preservation import fingerprint, row_changes
from fixtures.systems.postgres.dump import PostgresTools, scratch_database
from tests_selftest.contract.spare import changed, run, silent, spare
from tests_selftest.contract.stage import Stage

SCHEMA = """
    CREATE TABLE kinds (
        id serial PRIMARY KEY, big bigint, amount numeric(20, 10), rough double precision, thin real, told json,
        parsed jsonb, label varchar(100), at timestamptz, local timestamp, day date, hour time, span interval,
        raw bytea, marks text[], ref uuid, yes boolean
    );
    INSERT INTO kinds (big, amount, rough, thin, told, parsed, label, at, local, day, hour, span, raw, marks, ref, yes)
    SELECT 9007199254740993 + n, 1.0000000001 + n, 0.1 + n, 0.1, '{"a": 1.10, "n": 9007199254740993}', '{"a": 1}',
        'label ' || n, '2024-03-31 02:30:00+02', '2024-03-31 02:30:00.123456', '2024-02-29', '23:59:59.999999',
        '1 mon 2 days', '\\x00ff', ARRAY['a,b', 'c'], '11111111-1111-4111-8111-111111111111', true
    FROM generate_series(1, 25) n;
    CREATE TABLE pairs (a text, b uuid, note text, PRIMARY KEY (b, a));
    INSERT INTO pairs SELECT 'tab\t' || n, md5(n::text)::uuid, 'x' FROM generate_series(1, 50) n;
    CREATE TABLE words (word text PRIMARY KEY, note text);
    INSERT INTO words SELECT unnest(ARRAY['Ä', 'a', 'B', '_', 'a b', 'back\\slash', '']), 'x';
    CREATE TABLE loose (name text, number int);
    INSERT INTO loose VALUES ('twice', 1), ('twice', 1), ('once', NULL), (NULL, 1);
    CREATE TABLE empty (id int PRIMARY KEY);
    CREATE TABLE directus_users (id uuid PRIMARY KEY, email text, last_access timestamptz);
    INSERT INTO directus_users VALUES ('22222222-2222-4222-8222-222222222222', 'a@b.org', now());
"""


@pytest.fixture
def database(server: Secret) -> Iterator[Secret]:
    with spare(server, SCHEMA) as url:
        yield url


@pytest.fixture
def before(database: Secret, tmp_path: Path) -> Fingerprint:
    return fingerprint.record(database, tmp_path, silent)


def test_every_table_is_in_it(before: Fingerprint) -> None:
    """System tables, empty ones, those without a key; counts, keys, types and sequences."""
    assert before.counts == {
        "directus_users": 1, "empty": 0, "kinds": 25, "loose": 4, "pairs": 50, "words": 7
    }  # fmt: skip
    pairs, loose = before.table("pairs"), before.table("loose")
    assert pairs is not None
    assert loose is not None
    assert (pairs.key_columns, loose.key_columns) == (("b", "a"), ())
    assert pairs.columns == {"a": "text", "b": "uuid", "note": "text"}
    assert before.sequences["kinds_id_seq"].last_value == 25
    assert before.snapshot_id


def test_nothing_changed_is_said_of_an_untouched_database(
    before: Fingerprint, database: Secret, tmp_path: Path
) -> None:
    """New rows and columns, and what changes by itself, are no change."""
    assert changed(before, tmp_path, database) == []
    run(database, "ALTER TABLE kinds ADD extra int DEFAULT 7; INSERT INTO kinds (label) SELECT 'new'")
    run(database, "INSERT INTO words VALUES ('A', ''), ('zz', ''); INSERT INTO loose VALUES ('twice', 1), ('new', 2)")
    run(database, "UPDATE directus_users SET last_access = now() + interval '1 h'; INSERT INTO empty VALUES (1)")
    run(database, "INSERT INTO pairs SELECT 'n' || n, md5(n::text || 'x')::uuid, '' FROM generate_series(1, 50) n")
    assert changed(before, tmp_path, database) == []
    after = {each.table: each for each in row_changes.find_changes(before, tmp_path, database, silent)}
    assert {name: each.now - each.before for name, each in after.items()} == {
        "directus_users": 0, "empty": 1, "kinds": 1, "loose": 2, "pairs": 50, "words": 2
    }  # fmt: skip


CHANGES = [
    "big = big + 1",
    "amount = amount + 0.0000000001",
    "rough = rough + 0.000000000000001",
    "thin = 0.10000001",
    'told = \'{"a": 1.1, "n": 9007199254740993}\'',
    'told = \'{"a":1.10, "n": 9007199254740993}\'',
    "parsed = '{\"a\": 2}'",
    "label = ''",
    "label = NULL",
    "label = label || ' '",
    "at = at + interval '1 microsecond'",
    "local = local + interval '1 microsecond'",
    "day = day + 1",
    "hour = '23:59:59.999998'",
    "span = '32 days'",
    "raw = '\\x00fe'",
    "marks = ARRAY['a', 'b,c']",
    "ref = '11111111-1111-4111-8111-111111111112'",
    "yes = NULL",
]
"""The smallest change of every type; each is made to one row."""


def test_the_smallest_change_of_every_type_is_seen(before: Fingerprint, database: Secret, tmp_path: Path) -> None:
    """And named by its key; the other rows are not."""
    for number, change in enumerate(CHANGES, start=1):
        run(database, f"UPDATE kinds SET {change} WHERE id = {number}")
    (found,) = changed(before, tmp_path, database)
    assert (found.table, found.lost, found.changed) == ("kinds", 0, len(CHANGES))
    assert found.rows == tuple(RowChange((str(n),), RowChangeKind.OTHER_VALUES) for n in range(1, len(CHANGES) + 1))


def test_lost_and_changed_rows_are_named_by_any_key(before: Fingerprint, database: Secret, tmp_path: Path) -> None:
    """Composite keys, text in any order of any collation, rows that have no key."""
    run(database, "DELETE FROM words WHERE word IN ('Ä', ''); UPDATE words SET note = '' WHERE word = 'back\\slash'")
    run(database, "UPDATE pairs SET note = NULL WHERE a = E'tab\\t17'; DELETE FROM pairs WHERE a = E'tab\\t3'")
    run(database, "DELETE FROM loose WHERE ctid = (SELECT min(ctid) FROM loose WHERE name = 'twice')")
    found = {each.table: each for each in changed(before, tmp_path, database)}
    assert set(found) == {"words", "pairs", "loose"}
    assert {(row.key[0], row.kind) for row in found["words"].rows} == {
        ("Ä", "gone"), ("", "gone"), ("back\\slash", "other values")
    }  # fmt: skip
    assert {(row.key[1], row.kind) for row in found["pairs"].rows} == {
        ("tab\t17", "other values"), ("tab\t3", "gone")
    }  # fmt: skip
    assert (found["loose"].lost, found["loose"].changed, found["loose"].now) == (1, 0, 3)


def test_columns_and_tables_that_go_are_said(before: Fingerprint, database: Secret, tmp_path: Path) -> None:
    """A dropped column, another type, a dropped table."""
    run(database, "ALTER TABLE kinds DROP COLUMN label, ALTER big TYPE numeric; DROP TABLE loose")
    found = {each.table: each for each in changed(before, tmp_path, database)}
    assert [str(each) for each in found["kinds"].columns] == [
        'column "big" is numeric and was bigint', 'column "label" is gone'
    ]  # fmt: skip
    assert (found["loose"].lost, found["loose"].problem) == (4, "the table is gone")


def test_two_databases_with_the_same_content_have_one_fingerprint(
    before: Fingerprint, database: Secret, server: Secret, platform: Stage, tmp_path: Path
) -> None:
    """A restored copy equals its original, whatever the defaults of its server; one flipped bit and it does not."""
    assert platform.cluster is not None
    tools = PostgresTools.found(platform.cluster.bin)
    dump = tools.dump(database, tmp_path / "x.dump")
    with scratch_database(server) as (name, copy):
        tools.restore(dump.path, copy)
        with psycopg.connect(copy.reveal(), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET timezone = 'America/New_York'")
            connection.execute(f"ALTER DATABASE {name} SET datestyle = 'German'")
            connection.execute(f"ALTER DATABASE {name} SET extra_float_digits = -5")
            connection.execute(f"ALTER DATABASE {name} SET bytea_output = 'escape'")
        again = fingerprint.record(copy, tmp_path, silent, keep_rows=False)
        assert (again.content, again.sequences) == (before.content, before.sequences)
        run(copy, "UPDATE kinds SET label = overlay(label placing 'L' from 1) WHERE id = 3")
        again = fingerprint.record(copy, tmp_path, silent, keep_rows=False)
        assert [name for name, digest in again.content.items() if before.content[name] != digest] == ["kinds"]


def test_ranges_follow_each_other(database: Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First and last key of each, together every row; the keys come back in order."""
    monkeypatch.setattr(fingerprint, "ROWS_PER_RANGE", 10)
    taken = fingerprint.record(database, tmp_path, silent)
    kinds = taken.table("kinds")
    assert kinds is not None
    assert [(each.first, each.last, each.count) for each in kinds.ranges] == [
        (("1",), ("10",), 10), (("11",), ("20",), 10), (("21",), ("25",), 5)
    ]  # fmt: skip
    assert list(fingerprint.keys(taken, tmp_path, "kinds")) == [(str(n),) for n in range(1, 26)]
    assert changed(taken, tmp_path, database) == []


def test_keys_are_found_among_the_lines_whatever_characters_they_have(database: Secret, tmp_path: Path) -> None:
    """As COPY writes them: each control character that has an escape of its own, and one that has none."""
    odd = [
        "back\bspace",
        "form\ffeed",
        "vertical\vtab",
        "line\nend",
        "return\r",
        "tab\t",
        "back\\slash",
        "bell\a",
        "ä",
        "",
    ]
    with psycopg.connect(database.reveal()) as connection:
        connection.execute("DELETE FROM words")
        connection.cursor().executemany("INSERT INTO words VALUES (%s, 'x')", [(word,) for word in odd])
    table = (before := fingerprint.record(database, tmp_path, silent)).table("words")
    assert table is not None
    assert list(fingerprint.keys(before, tmp_path, "words")) == [(word,) for word in sorted(odd)]
    assert fingerprint.keys_among(before, tmp_path, table, [*odd, "back", "tab"]) == set(odd)


def test_a_changed_file_of_rows_is_refused(before: Fingerprint, database: Secret, tmp_path: Path) -> None:
    table = before.table("kinds")
    assert table is not None
    path = tmp_path / before.folder / table.rows
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(fingerprint.RowsMissing, match="MIG-145"):
        changed(before, tmp_path, database)
