"""On a real Postgres: what explains a changed row, what does not, and what a restored backup adds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.checks.backups import row_preservation
from fixtures.checks.backups.row_preservation import PlannedChanges
from fixtures.model.fingerprint import RowComparison
from fixtures.model.secret import Secret
from fixtures.operations.backups.restored_tables import RestoredTables
from fixtures.operations.preservation import changed_columns, existing_rows, fingerprint
from fixtures.operations.preservation.existing_rows import InitialRows
from fixtures.systems.http.transport import USER_AGENT
from fixtures.systems.postgres.dump import PostgresTools, scratch_database
from fixtures.systems.postgres.observer import PostgresObserver
from fixtures.systems.postgres.session import transaction
from tests_selftest.contract.spare import artefact
from tests_selftest.contract.stage import Stage

SCHEMA = """
    CREATE TABLE directus_users (id uuid PRIMARY KEY, email text, last_access timestamptz, last_page text);
    CREATE TABLE directus_activity (
        id serial PRIMARY KEY, action text, "user" uuid, "timestamp" timestamptz DEFAULT now(), user_agent text,
        collection text, item text
    );
    CREATE TABLE directus_collections (collection text PRIMARY KEY, note text);
    CREATE TABLE directus_fields (id serial PRIMARY KEY, collection text, field text, note text);
    CREATE TABLE directus_relations (id serial PRIMARY KEY, many_collection text, many_field text);
    CREATE TABLE directus_presets (id serial PRIMARY KEY, collection text);
    CREATE TABLE articles (id serial PRIMARY KEY, title text, price numeric(12, 4));
    CREATE TABLE notes (id serial PRIMARY KEY, text text);
    INSERT INTO directus_users VALUES ('22222222-2222-4222-8222-222222222222', 'ada@udo.example', now(), '/');
    INSERT INTO directus_collections VALUES ('articles'), ('notes');
    INSERT INTO directus_fields (collection, field) VALUES ('articles', 'title'), ('articles', 'price'), ('notes', 'text');
    INSERT INTO directus_presets (collection) VALUES ('notes'), ('articles');
    INSERT INTO articles (title, price) SELECT 'title ' || n, n + 0.1234 FROM generate_series(1, 20) n;
    INSERT INTO notes (text) VALUES ('a'), ('b');
    SELECT lo_from_bytea(4711, 'large');
"""  # noqa: E501
ACTIVITY = """
    INSERT INTO directus_activity (action, "user", user_agent, collection, item)
    VALUES ('{action}', {user}, '{agent}', 'articles', '{item}')
"""
ADA, NOBODY = "'22222222-2222-4222-8222-222222222222'", "NULL"
Compare = Callable[[PlannedChanges], RowComparison]


def silent(*_: object) -> None:
    """Nobody watches."""


def run(url: Secret, statements: str) -> None:
    with transaction(url, system="test database") as connection:
        connection.execute(statements)


@pytest.fixture
def server(platform: Stage) -> Secret:
    assert platform.cluster is not None
    return Secret(platform.cluster.superuser_url)


@pytest.fixture
def database(server: Secret) -> Iterator[Secret]:
    with scratch_database(server) as (_, url):
        run(url, SCHEMA)
        yield url


@pytest.fixture
def compare(database: Secret, server: Secret, platform: Stage, tmp_path: Path) -> Compare:
    """Looks for the rows there were when the test began, with a backup of that moment at hand."""
    assert platform.cluster is not None
    tools = PostgresTools.found(platform.cluster.bin)
    was = InitialRows(fingerprint.record(database, tmp_path, silent), tmp_path)
    dump = tools.dump(database, tmp_path / "before.dump")

    @contextmanager
    def open_backup(tables: Collection[str]) -> Iterator[Secret]:
        with RestoredTables(artefact(dump), was.value, tools, server) as restored:
            yield restored.holding(tables)

    def compared(planned_changes: PlannedChanges) -> RowComparison:
        with PostgresObserver(database) as observer:
            found = existing_rows.compare(was, database, observer, planned_changes, open_backup, silent)
            told = changed_columns.differing_columns(found.unexplained, database, open_backup)
            return replace(found, unexplained=tuple(told))

    return compared


def named(found: RowComparison) -> dict[str, list[str]]:
    return {each.table: [",".join(row.key) for row in each.rows] for each in found.unexplained}


def test_only_a_person_explains_a_changed_row(database: Secret, compare: Compare) -> None:
    """This suite does not, nor does a flow or SQL; what people did is told with name and time."""
    run(database, "UPDATE articles SET title = 'edited' WHERE id IN (3, 4, 5, 6); DELETE FROM articles WHERE id = 7")
    chrome = "Mozilla/5.0 Chrome/150"
    run(database, ACTIVITY.format(action="update", user=ADA, agent=chrome, item=3))
    run(database, ACTIVITY.format(action="update", user=ADA, agent=USER_AGENT, item=4))
    run(database, ACTIVITY.format(action="update", user=ADA, agent=f"{chrome} {USER_AGENT}", item=5))
    run(database, ACTIVITY.format(action="update", user=NOBODY, agent="", item=6))
    run(database, ACTIVITY.format(action="delete", user=ADA, agent=chrome, item=7))
    found = compare(PlannedChanges())
    assert named(found) == {"articles": ["4", "5", "6"]}
    assert [(write.key, write.action, write.who) for write in found.live] == [
        ("3", "update", "ada@udo.example"), ("7", "delete", "ada@udo.example")
    ]  # fmt: skip
    assert {finding.code for finding in row_preservation.losses(found)} == {"MIG-345"}
    assert {row.columns for row in found.unexplained[0].rows} == {("title",)}, "which column differs is not told"


def test_a_changed_large_object_keeps_no_column_of_a_table_from_being_named(database: Secret, compare: Compare) -> None:
    """It has no columns itself, and no rows that a backup lists."""
    run(database, "UPDATE articles SET title = 'other' WHERE id = 9; SELECT lo_put(4711, 0, 'other')")
    told = {each.table: [row.columns for row in each.rows] for each in compare(PlannedChanges()).unexplained}
    assert told == {"articles": [("title",)], "large objects": [()]}


def test_a_column_somebody_accepted_to_round_hides_no_other_change(database: Secret, compare: Compare) -> None:
    """Each of its values is what that rounding makes of the backup's; without a waiver all rows are a loss."""
    run(database, "ALTER TABLE articles ALTER price TYPE numeric(6, 1) USING price::numeric(6, 1)")
    assert [len(keys) for keys in named(compare(PlannedChanges())).values()] == [20]
    waived = PlannedChanges(altered=frozenset({"articles.price"}))
    found = compare(waived)
    assert found.unexplained == ()
    assert [str(each) for each in found.rewritten] == ["articles.price (numeric(12,4) → numeric(6,1))"]
    run(database, "UPDATE articles SET title = 'other' WHERE id = 9; DELETE FROM articles WHERE id = 10")
    run(
        database,
        "UPDATE articles SET price = price + 0.1 WHERE id = 11; UPDATE articles SET price = NULL WHERE id = 12",
    )
    found = compare(waived)
    assert named(found) == {"articles": ["9", "10", "11", "12"]}
    assert [row.columns for row in found.unexplained[0].rows] == [("title",), (), ("price",), ("price",)]


def test_a_column_somebody_accepted_to_drop_hides_no_other_change(database: Secret, compare: Compare) -> None:
    run(database, "ALTER TABLE articles DROP price; UPDATE articles SET title = 'other' WHERE id = 9")
    found = compare(PlannedChanges(dropped=frozenset({"articles.price"})))
    assert named(found) == {"articles": ["9"]}
    assert [str(each) for each in found.rewritten] == ["articles.price (dropped)"]


def test_a_collection_somebody_accepted_to_drop_hides_no_other_loss(database: Secret, compare: Compare) -> None:
    """With it go the rows of Directus' own tables that spoke of it, and no others."""
    run(database, "DROP TABLE notes; DELETE FROM directus_collections WHERE collection = 'notes'")
    run(database, "DELETE FROM directus_fields WHERE collection = 'notes'; DELETE FROM directus_presets WHERE id = 1")
    waived = PlannedChanges(names=frozenset({"notes"}), dropped=frozenset({"notes"}))
    assert compare(waived).unexplained == ()
    assert set(named(compare(PlannedChanges()))) == {
        "notes", "directus_collections", "directus_fields", "directus_presets"
    }  # fmt: skip
    run(database, "DELETE FROM directus_fields WHERE field = 'title'; DELETE FROM directus_presets WHERE id = 2")
    assert named(compare(waived)) == {"directus_fields": ["1"], "directus_presets": ["2"]}


def test_the_plan_explains_what_it_says_of_a_field(database: Secret, compare: Compare) -> None:
    run(database, "UPDATE directus_fields SET note = 'new'")
    found = compare(PlannedChanges(names=frozenset({"articles.title", "notes"})))
    assert found.planned == ("articles.title",)
    assert named(found) == {"directus_fields": ["2", "3"]}
