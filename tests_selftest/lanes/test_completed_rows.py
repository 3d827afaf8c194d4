"""New columns are filled in in rows of production; who changed these rows last, and when, stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.checks.backups import row_preservation
from fixtures.checks.backups.row_preservation import PlannedChanges
from fixtures.model.fingerprint import RowComparison
from fixtures.model.secret import Secret
from fixtures.operations.backups.restored_tables import RestoredTables
from fixtures.operations.imports import stamps
from fixtures.operations.lane_api import load
from fixtures.operations.preservation import existing_rows, fingerprint
from fixtures.operations.preservation.existing_rows import InitialRows
from fixtures.systems.postgres.dump import PostgresTools
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.contract.spare import artefact
from tests_selftest.lanes.project import TOKEN, Migration, Project

NEW = frozenset({"articles.title", "articles.body"})
MOMENT = "2025-11-02 01:30:00.654321+00"
EDITOR = "ed170000-0000-4000-8000-000000000001"
STAMPS = "SELECT id, user_created::text, date_created::text, user_updated::text, date_updated::text FROM articles"
CHROME = {"Authorization": f"Bearer {TOKEN}", "User-Agent": "Mozilla/5.0 Chrome/150"}


def silent(*_: object) -> None:
    """Nobody watches."""


@pytest.fixture
def migration(project: Project, tmp_path: Path) -> Migration:
    """Three articles an editor wrote last year; local has texts for two of them, and a new one."""
    project.rest.post("/items/articles", [{"id": key, "slug": f"a-{key}"} for key in (1, 2, 3)])
    project.person("editor@example.org", EDITOR)
    project.ask("UPDATE articles SET user_updated = %s, date_updated = %s, date_created = %s", EDITOR, MOMENT, MOMENT)
    project.ask("UPDATE articles SET user_updated = NULL, date_updated = NULL WHERE id = 2")
    rows = [{"id": key, "slug": f"a-{key}", "title": f"Title {key}", "body": "text"} for key in (1, 2, 4)]
    return Migration(project, tmp_path / "m", {"articles": rows})


def imported(migration: Migration) -> Any:
    return migration.run(new_columns=NEW)


def compared(project: Project, folder: Path) -> Callable[[Migration], RowComparison]:
    """Production's rows of now are what a later comparison begins with; their backup is at hand."""
    tools, server = PostgresTools.found(project.cluster.bin), Secret(project.cluster.superuser_url)
    was = InitialRows(fingerprint.record(project.url, folder, silent), folder)
    dump = tools.dump(project.url, folder / "before.dump")

    @contextmanager
    def open_backup(tables: Collection[str]) -> Iterator[Secret]:
        with RestoredTables(artefact(dump), was.value, tools, server) as restored:
            yield restored.holding(tables)

    def compare(migration: Migration) -> RowComparison:
        with PostgresObserver(project.url) as database:
            return existing_rows.compare(
                was, project.url, database, PlannedChanges(), open_backup, silent,
                completed=migration.journal.left_restamped,
            )  # fmt: skip

    return compare


def test_completed_rows_keep_their_stamps_to_the_microsecond(migration: Migration) -> None:
    project = migration.project
    before = project.ask(f"{STAMPS} ORDER BY id")
    result = imported(migration)
    assert (result.completed, result.stamps.kept) == (2, 2)
    assert project.ask("SELECT title FROM articles ORDER BY id") == [("Title 1",), ("Title 2",), (None,), ("Title 4",)]
    assert project.ask(f"{STAMPS} WHERE id < 4 ORDER BY id") == before
    assert "Stamps of 2 rows in which new columns were filled in are what they were." in stamps.summarize(result.stamps)


def test_a_run_that_was_killed_after_the_write_is_finished_by_the_next(
    migration: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run finds the rows complete and restamped; what the first one read is in the journal."""
    project = migration.project
    before = project.ask(f"{STAMPS} ORDER BY id")

    class Killed(Exception):
        """The run ends here."""

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(load.Import, "_stamp", killed)
        with pytest.raises(Killed):
            imported(migration)
    assert project.ask(f"{STAMPS} WHERE id < 4 ORDER BY id") != before
    result = imported(migration)
    assert (result.completed, result.stamps.kept) == (0, 2)
    assert project.ask(f"{STAMPS} WHERE id < 4 ORDER BY id") == before
    edited(project, 1)
    there = project.ask(f"{STAMPS} ORDER BY id")
    assert imported(migration).stamps.kept == 0
    assert project.ask(f"{STAMPS} ORDER BY id") == there, "a later edit was dated back"


def test_what_a_person_edits_between_write_and_stamps_keeps_their_stamps(
    migration: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, stamp = migration.project, load.Import._stamp
    before = project.ask(f"{STAMPS} WHERE id = 2")

    def edited_first(self: load.Import, *given: Any) -> Any:
        edited(project, 1)
        return stamp(self, *given)

    monkeypatch.setattr(load.Import, "_stamp", edited_first)
    assert imported(migration).stamps.kept == 1
    assert project.ask("SELECT date_updated > now() - interval '1 hour' FROM articles WHERE id = 1") == [(True,)]
    assert project.ask(f"{STAMPS} WHERE id = 2") == before


def edited(project: Project, key: int) -> None:
    """Somebody with a browser changes a row."""
    url = f"{project.running.url}/items/articles/{key}"
    httpx.patch(url, json={"extra": {"edited": True}}, headers=CHROME).raise_for_status()


def test_where_stamps_may_not_be_written_their_change_is_explained_and_no_other(
    migration: Migration, tmp_path: Path
) -> None:
    """STAMPS=leave: a completed row that differs in its stamps alone is no loss; one that differs elsewhere is."""
    project = migration.project
    project.ask("ALTER TABLE articles DROP title, DROP body")
    compare = compared(project, tmp_path)
    project.ask("ALTER TABLE articles ADD title varchar(60), ADD body text")
    migration.stamps = False
    assert imported(migration).completed == 2
    assert changed(compare(migration)) == []
    assert compare(migration).restamped == 2
    project.ask("UPDATE articles SET date_updated = now() WHERE id = 3")
    project.ask("UPDATE articles SET slug = 'spoiled' WHERE id = 2")
    assert changed(compare(migration)) == ["2", "3"]
    assert {each.code for each in row_preservation.losses(compare(migration))} == {"MIG-345"}


def changed(found: RowComparison) -> list[str]:
    return [",".join(row.key) for each in found.unexplained if each.table == "articles" for row in each.rows]
