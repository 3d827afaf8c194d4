"""Earlier rows of a few tables come from the backup, all of them and no others, or it is said that they do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest

from fixtures.model.secret import Secret
from fixtures.operations.backups.restored_tables import RestoredTables
from fixtures.operations.preservation import fingerprint
from fixtures.process.command import CommandFailed
from fixtures.process.command import run as run_command
from fixtures.systems.failure import IncompleteRead
from fixtures.systems.postgres.dump import PostgresTools, environment_for
from fixtures.systems.postgres.dump import fingerprint as hashed
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.contract.spare import artefact, run, silent, spare

SCHEMA = """
    CREATE TYPE mood AS ENUM ('calm', 'loud');
    CREATE TABLE authors (id int PRIMARY KEY, name text);
    CREATE TABLE articles (id int PRIMARY KEY, author int NOT NULL REFERENCES authors, mood mood, title text);
    CREATE TABLE loose (word text);
    CREATE TABLE visits (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE "Visits of 2026" PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE SCHEMA other;
    CREATE TABLE other.authors (id int PRIMARY KEY);
    INSERT INTO authors SELECT n, 'author ' || n FROM generate_series(1, 3) n;
    CREATE MATERIALIZED VIEW share AS SELECT 100 / count(*) AS percent FROM authors;
    INSERT INTO articles SELECT n, 1 + n % 3, 'calm', 'title ' || n FROM generate_series(1, 5) n;
    INSERT INTO loose VALUES ('twice'), ('twice');
    INSERT INTO visits VALUES (1, '2025-05-05'), (2, '2026-05-05'), (3, '2026-05-06');
    INSERT INTO other.authors VALUES (1), (2), (3), (4);
    SELECT lo_from_bytea(0, 'large');
    CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.mood := 'loud'; RETURN NEW; END $$;
    CREATE TRIGGER loud BEFORE INSERT ON articles FOR EACH ROW EXECUTE FUNCTION loud();
"""
ALL = {"authors": 3, "articles": 5, "loose": 2, "visits": 3, "other.authors": 4}


@pytest.fixture
def database(server: Secret) -> Iterator[Secret]:
    with spare(server, SCHEMA) as url:
        yield url


@contextmanager
def backup(
    database: Secret,
    server: Secret,
    tools: PostgresTools,
    folder: Path,
    *,
    other_counts: Mapping[str, int] | None = None,
) -> Iterator[RestoredTables]:
    """Of the database as it is now."""
    was = fingerprint.record(database, folder, silent)
    counted = tuple(replace(each, count=(other_counts or {}).get(each.table, each.count)) for each in was.tables)
    dump = artefact(tools.dump(database, folder / "before.dump"))
    with RestoredTables(dump, replace(was, tables=counted), tools, server) as restored:
        yield restored


def there(url: Secret) -> dict[str, int]:
    """The tables with rows, and how many they have."""
    with PostgresObserver(url) as observer:
        asked = " UNION ALL ".join(f"SELECT '{name}' AS name, count(*) AS n FROM {name}" for name in ALL)
        return {row["name"]: row["n"] for row in observer.ask(asked) if row["n"]}


def moods(url: Secret) -> set[str]:
    with PostgresObserver(url) as observer:
        return {row["mood"] for row in observer.ask("SELECT DISTINCT mood::text AS mood FROM articles")}


def test_only_rows_of_the_tables_asked_for_are_there(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """Without the rows their keys point to; not those of a table with the same name in another schema."""
    with backup(database, server, tools, tmp_path) as restored:
        url = restored.holding({"articles"})
        assert there(url) == {"articles": 5}
        assert moods(url) == {"calm"}
        with PostgresObserver(url) as observer:
            assert {"authors", "loose", "visits_2025"} <= set(observer.tables())
    with backup(database, server, tools, tmp_path) as restored:
        assert there(restored.holding({"other.authors"})) == {"other.authors": 4}


def test_a_table_is_restored_once_and_further_ones_are_added(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """No trigger acts on rows that come later; what was asked for before is not read from the dump again."""
    with backup(database, server, tools, tmp_path) as restored:
        url = restored.holding({"loose"})
        assert restored.holding({"loose", "articles"}) == url
        assert there(url) == {"loose": 2, "articles": 5}
        assert moods(url) == {"calm"}
        (tmp_path / "before.dump").unlink()
        assert restored.holding(["articles"]) == url
        with pytest.raises(CommandFailed):
            restored.holding({"authors"})


def test_rows_of_a_partitioned_table_come_with_it(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    with backup(database, server, tools, tmp_path) as restored:
        assert there(restored.holding({"visits"})) == {"visits": 3}


def test_an_encrypted_backup_gives_the_same_rows(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """pg_restore reads it from a pipe, in which it cannot go back."""
    key = Secret(str(pyrage.x25519.Identity.generate()))
    with backup(database, server, replace(tools, key=key), tmp_path) as restored:
        assert there(restored.holding({"articles", "visits"})) == {"articles": 5, "visits": 3}
        assert there(restored.holding({"authors"})) == {"articles": 5, "visits": 3, "authors": 3}


@pytest.mark.parametrize(("absent", "table"), [("loose", "loose"), ('"Visits of 2026"', "visits")])
def test_a_table_the_dump_has_no_rows_of_is_not_an_empty_table(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path, absent: str, table: str
) -> None:
    """Also when nothing but a part is missing, and also for a table that was empty."""
    run(database, f"TRUNCATE {absent}")
    was, path = fingerprint.record(database, tmp_path, silent), tmp_path / "some.dump"
    argv = [str(tools.pg_dump), "--format=custom", f"--exclude-table-data=public.{absent}", f"--file={path}"]
    run_command(argv, env=environment_for(database), timeout_s=60)
    with RestoredTables(artefact(hashed(path)), was, tools, server) as restored:
        for asked in ({table}, {table, "authors"}):
            with pytest.raises(IncompleteRead, match="PGS-206"):
                restored.holding(asked)
        assert there(restored.holding({"authors"})) == {"authors": 3}


def test_another_number_of_rows_than_was_proven_is_refused(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """Asking again does not make it right: rows are never added to those of a refused attempt."""
    with backup(database, server, tools, tmp_path, other_counts={"loose": 4}) as restored:
        for before in ((), ("authors",), ()):
            assert there(restored.holding(before)) == {name: ALL[name] for name in before}
            with pytest.raises(IncompleteRead, match="MIG-165") as refused:
                restored.holding({"loose"})
            assert (refused.value.finding.expected, refused.value.finding.observed) == ("4 rows", "2 rows")


def test_a_table_whose_check_reads_another_is_restored_with_all_others(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """Its rows alone would be refused."""
    run(
        database,
        """
        CREATE FUNCTION known(int) RETURNS boolean LANGUAGE sql AS
            'SELECT EXISTS (SELECT 1 FROM public.authors WHERE id = $1)';
        CREATE TABLE ratings (author int CHECK (known(author)));
        INSERT INTO ratings VALUES (1), (2);
        """,
    )
    with backup(database, server, tools, tmp_path) as restored:
        alone = restored.holding({"loose"})
        assert there(alone) == {"loose": 2}
        url = restored.holding({"ratings"})
        assert there(url) == ALL
        assert restored.holding({"loose", "articles"}) == url
        assert moods(url) == {"calm"}
