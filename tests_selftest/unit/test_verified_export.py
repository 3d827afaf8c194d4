"""A file of the export is read once to be believed; whatever changed since then stops what wants to send it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.checks.rows.row_index import RowIndex
from fixtures.model.dataset import ExportedFile
from fixtures.operations.source import export_reader
from fixtures.operations.source.export_reader import ExportChanged
from fixtures.operations.source.indexed_file import IndexedFile
from fixtures.process.files import sha256

GOOD = b'[\n{"id":1,"title":"a"},\n{"id":2,"title":"b"}\n]\n'
OTHER = b'[\n{"id":1,"title":"a"},\n{"id":2,"title":"x"}\n]\n'


def written(folder: Path, content: bytes = GOOD) -> ExportedFile:
    """An export whose last write lies so far back that the clock of its file system has gone on."""
    path = folder / "data" / "t.json"
    path.parent.mkdir()
    path.write_bytes(content)
    time.sleep(0.1)
    return ExportedFile("t", "data/t.json", 2, sha256(path), len(content), "integer")


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(OTHER)
    other.replace(path)


def with_the_old_time(path: Path) -> None:
    before = path.stat()
    path.write_bytes(OTHER)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: list[Callable[[Path], object]] = [
    lambda path: path.write_bytes(OTHER),
    with_the_old_time,
    replaced,
    lambda path: path.write_bytes(GOOD[:-3]),
    lambda path: path.unlink(),
]
NAMES = ["other bytes", "other bytes, same time", "another file", "cut short", "gone"]


def test_a_file_that_was_read_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path)
    first = export_reader.verified(tmp_path, file)
    monkeypatch.setattr(export_reader, "Reading", None)
    assert export_reader.verified(tmp_path, file) is first
    assert export_reader.file_problems(tmp_path, file) == []
    assert first.read(2, len(GOOD)) == GOOD[2:]


@pytest.mark.parametrize("change", CHANGES, ids=NAMES)
def test_a_file_that_changed_since_is_refused(tmp_path: Path, change: Callable[[Path], object]) -> None:
    file = written(tmp_path)
    known = export_reader.verified(tmp_path, file)
    change(tmp_path / file.path)
    assert [finding.code for finding in export_reader.file_problems(tmp_path, file)] == ["MIG-411"]
    for attempt in (lambda: export_reader.verified(tmp_path, file), lambda: known.read(0, 9)):
        with pytest.raises(ExportChanged):
            attempt()


@pytest.mark.parametrize("change", CHANGES[:4], ids=NAMES[:4])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, change: Callable[[Path], object]) -> None:
    file = written(tmp_path)
    rows = iter(export_reader.Reading(tmp_path, file))
    next(rows)
    change(tmp_path / file.path)
    with pytest.raises(ExportChanged):
        list(rows)


def test_a_file_written_a_moment_ago_is_not_believed_by_its_time(tmp_path: Path) -> None:
    """Within one tick of the clock another write would leave the same time behind."""
    file = written(tmp_path)
    os.utime(tmp_path / file.path)
    reading = export_reader.Reading(tmp_path, file)
    assert len(list(reading)) == 2
    assert reading.verified is not None
    assert export_reader.verified(tmp_path, file) is not reading.verified


def test_rows_are_given_before_the_whole_is_known_and_the_end_raises(tmp_path: Path) -> None:
    file = written(tmp_path)
    (tmp_path / file.path).write_bytes(OTHER)
    seen: list[tuple[int, bytes]] = []
    with pytest.raises(ExportChanged) as changed:
        seen.extend(export_reader.numbered_lines(tmp_path, file))
    assert len(seen) == 2
    assert "sha256" in changed.value.finding.observed


def test_empty_lines_do_not_move_a_row(tmp_path: Path) -> None:
    content = GOOD.replace(b",\n", b",\n\n")
    index = RowIndex(lambda row: str(row["id"]))
    found = IndexedFile.read(tmp_path, written(tmp_path, content), index)
    assert [found["1"]["title"], found["2"]["title"]] == ["a", "b"]
    assert [row["title"] for row in found.several(["2", "1"])] == ["b", "a"]
