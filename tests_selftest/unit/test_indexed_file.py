"""Rows read from disk by their key are those of the file, wherever they stand and however long they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.checks.rows.row_index import RowIndex
from fixtures.model.dataset import ExportedFile
from fixtures.operations.source import indexed_file
from fixtures.operations.source.export_reader import ExportChanged, VerifiedExport
from fixtures.operations.source.indexed_file import IndexedFile
from fixtures.process.files import sha256

_ROWS = st.lists(
    st.fixed_dictionaries({"id": st.integers(1, 10**6), "text": st.text(max_size=300)}), unique_by=lambda row: row["id"]
)


def written(folder: Path, rows: list[dict[str, Any]], *, more: int = 0) -> ExportedFile:
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path = folder / "t.json"
    path.write_bytes((f"[\n{lines}\n]\n" if rows else "[]\n").encode("utf-8", "surrogatepass"))
    return ExportedFile("t", "t.json", len(rows) + more, sha256(path), path.stat().st_size, "")


def key(row: Any) -> str:
    return str(row["id"])


@settings(max_examples=60, deadline=None)
@given(_ROWS, st.randoms(use_true_random=False))
def test_every_row_is_found_under_its_key(tmp_path_factory: pytest.TempPathFactory, rows: Any, chance: Any) -> None:
    folder = tmp_path_factory.mktemp("rows")
    found = IndexedFile.read(folder, written(folder, rows), RowIndex(key))
    assert list(found) == [key(row) for row in rows]
    assert list(found.values()) == rows
    mixed = chance.sample(rows, len(rows))
    assert [found[key(row)] for row in mixed] == mixed
    assert list(found.several(map(key, rows))) == rows
    assert list(found.several(map(key, mixed))) == mixed


def test_a_row_longer_than_what_is_read_at_once_is_whole(tmp_path: Path) -> None:
    rows = [{"id": number, "text": "x" * (indexed_file._WINDOW - 40 + number)} for number in range(80)]
    found = IndexedFile.read(tmp_path, written(tmp_path, rows), RowIndex(key))
    assert list(found.values()) == rows
    assert list(found.several(found)) == rows


def test_lines_that_were_refused_are_not_there(tmp_path: Path) -> None:
    file = written(tmp_path, [{"id": 1}, {"id": 2}, {"id": 3}])
    assert list(IndexedFile.read(tmp_path, file, RowIndex(key), without={3})) == ["1", "3"]


def test_a_file_that_is_another_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(ExportChanged):
        IndexedFile.read(tmp_path, written(tmp_path, [{"id": 1}], more=1), RowIndex(key))


def test_no_more_is_read_than_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows here and there cost a few rows; all of them in order cost little more than the file."""
    rows = [{"id": number, "text": "x" * 60} for number in range(1000, 2000)]
    file = written(tmp_path, rows)
    found = IndexedFile.read(tmp_path, file, RowIndex(key))
    read: list[int] = []
    whole = VerifiedExport.read

    def counted(export: VerifiedExport, begin: int, end: int) -> bytes:
        held = whole(export, begin, end)
        read.append(len(held))
        return held

    monkeypatch.setattr(VerifiedExport, "read", counted)

    def cost(keys: list[str], *, together: bool = False) -> float:
        read.clear()
        assert [key(row) for row in (found.several(keys) if together else map(found.__getitem__, keys))] == keys
        return sum(read) / (file.size_bytes / len(rows))

    some, all_ = ["1100", "1101", "1700", "1300", "1999"], list(found)
    assert cost(some) < 9
    assert cost(some, together=True) < 5.1
    assert cost(all_) < 1.1 * len(rows)
    assert cost(all_, together=True) < 1.001 * len(rows)
    assert cost(all_[::2], together=True) < 0.51 * len(rows)
