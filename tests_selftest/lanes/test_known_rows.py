"""What one comparison has read serves the next one; a file that changed since, or a last look, is read from disk."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.model.fingerprint import Fingerprint
from fixtures.model.imports import ImportResult
from fixtures.model.screening import Screening
from fixtures.operations import lanes
from fixtures.operations.lane_sql import copy_spool
from fixtures.operations.preservation.existing_rows import InitialRows
from fixtures.operations.source.export_reader import ExportChanged, Reading
from fixtures.operations.verification import verify
from tests_selftest.lanes.project import Migration, Project

ROWS: dict[str, list[dict[str, Any]]] = {
    "categories": [
        {"id": f"1ca10000-0000-4000-8000-{number:012d}", "name": f"Category {number}", "note": "a\tb\\n\n"}
        for number in range(1, 4)
    ],
    "comments": [],
    "blocks": [{"id": number, "collection": "categories", "item": None} for number in (7, 8)],
}
CHANGED = "categories"


class ReadAgain(Exception):
    """A file was read that was known."""


@pytest.fixture(params=["api", "sql"])
def migration(request: pytest.FixtureRequest, project: Project, tmp_path: Path) -> Migration:
    """A dry run was made: every row was read and judged."""
    made = Migration(project, tmp_path, ROWS, lane=request.param)
    time.sleep(0.1)  # a file that was written a moment ago is not believed by its time
    found: list[Screening] = []
    compare(made, on_screening=found.append)
    assert [each.refusals for each in found] == [()]
    return made


def compare(migration: Migration, **how: object) -> dict[str, tuple[int, int]]:
    """By collection, the rows that would be created and those that are there."""
    observe = lanes.class_counter(migration.lane, migration.project.operator, migration.project.url, **how)  # type: ignore[arg-type]
    found = observe(migration.import_set(invalid_rows={}), ())
    return {name: (each.create, each.identical) for name, each in found.items() if each.create or each.identical}


def imported(migration: Migration) -> ImportResult:
    return migration.run(invalid_rows={})


def with_the_old_time(path: Path) -> None:
    """Other bytes, as many as before, and the old modification time."""
    was, content = path.stat(), path.read_bytes()
    path.write_bytes(content.replace(b"Category 1", b"Category X"))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def _no_reading(reading: Reading) -> Iterator[tuple[int, bytes]]:
    raise ReadAgain(reading._file.path)


def test_an_import_and_what_is_left_need_no_reading(migration: Migration, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Reading, "__iter__", _no_reading)
        assert imported(migration).created == 5
        assert compare(migration) == {"blocks": (0, 2), "categories": (0, 3)}
        with pytest.raises(ReadAgain):
            compare(migration, reread=True)
    assert compare(migration, reread=True) == {"blocks": (0, 2), "categories": (0, 3)}
    assert migration.project.ask("SELECT name, note FROM categories ORDER BY id") == [
        (f"Category {number}", "a\tb\\n\n") for number in (1, 2, 3)
    ]


def test_an_earlier_export_does_not_take_the_place_of_this_one(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many files as may be open at once, for each of two exports in one process."""
    with monkeypatch.context() as patched:
        patched.setattr(copy_spool, "MAX_SPOOLS", len(project.snapshot.tables))
        for export in ("earlier", "this"):
            (tmp_path / export).mkdir()
            migration = Migration(project, tmp_path / export, ROWS, lane="sql")
            time.sleep(0.1)
            compare(migration, on_screening=lambda _: None)
        patched.setattr(Reading, "__iter__", _no_reading)
        assert imported(migration).created == 5


@pytest.mark.parametrize("change", [with_the_old_time, Path.unlink], ids=["other bytes, same time", "gone"])
@pytest.mark.parametrize(
    "line",
    [imported, compare, lambda made: compare(made, reread=True), lambda made: verified(made)],
    ids=["4.2.2", "4.2.3", "4.3.A7", "4.3.1"],
)
def test_a_file_that_changed_since_stops_every_line(
    migration: Migration, line: Callable[[Migration], object], change: Callable[[Path], object]
) -> None:
    change(migration.folder / "data" / f"{CHANGED}.json")
    with pytest.raises(ExportChanged):
        line(migration)
    assert migration.project.ask("SELECT count(*) FROM categories") == [(0,)]


def test_a_file_that_changed_after_the_import_fails_the_last_look(migration: Migration) -> None:
    imported(migration)
    with_the_old_time(migration.folder / "data" / f"{CHANGED}.json")
    for line in (compare, lambda made: compare(made, reread=True), verified):
        with pytest.raises(ExportChanged):
            line(migration)


def test_rows_that_are_rewritten_otherwise_are_read_again(migration: Migration) -> None:
    """Between two lines somebody gave the row another key in production: what is known of it holds no more."""
    assert imported(migration).created == 5
    theirs = "9ca10000-0000-4000-8000-000000000001"
    migration.project.ask("UPDATE categories SET id = %s WHERE name = 'Category 1'", theirs)
    assert compare(migration) == {"blocks": (0, 2), "categories": (0, 2)}


def verified(migration: Migration) -> object:
    """4.3.1, where production had no row before."""
    import_set, production = migration.import_set(invalid_rows={}), migration.project.operator
    nothing = InitialRows(Fingerprint(import_set.export.exported_at, "", (), {}), migration.folder)
    return verify.rows(production, migration.project.url, import_set, nothing, (), progress=lambda *_: None)
