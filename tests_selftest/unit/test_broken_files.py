"""A file of the export that is broken as a file is refused whole, with its line, before a row of it is believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.model.dataset import ExportedFile
from fixtures.operations.source import export_reader
from fixtures.process.files import sha256
from tests_selftest.hostile.corpus import FILES, Broken

GOOD = b'[\n{"id":1,"title":"a"},\n{"id":2,"title":"\xc3\xa9"},\n{"id":3,"title":"c"}\n]\n'


def recorded(folder: Path, content: bytes, rows: int = 3) -> ExportedFile:
    path = folder / "t.json"
    path.write_bytes(content)
    return ExportedFile("t", "t.json", rows, sha256(path), path.stat().st_size, "integer")


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}', b'{"n":123456789012345678901234567890}', b'{"n":-9223372036854775809}', b'{"n":1e400}',
        b'{"n":9007199254740993.0}', b'{"n":0.1,"m":-0,"k":1E5}', b'{"n":NaN}', b'{"t":"\\ud800"}',
        b'{"t":"\\u0000\xc3\xa9"}', b"[1,true,null]", b"", b"{", b'{"t":"\xff"}', b'{"n":' + b"9" * 5000 + b"}",
        b"[" * 100_000 + b"]" * 100_000,
    ],
    ids=lambda text: f"{text[:20]!r}",
)  # fmt: skip
def test_the_faster_decoder_reads_what_the_standard_library_reads(text: bytes) -> None:
    def seen(read: Callable[[bytes], object]) -> str:
        try:
            return repr(read(text))
        except (ValueError, RecursionError) as problem:
            return RecursionError.__name__ if isinstance(problem, RecursionError) else ValueError.__name__

    assert seen(export_reader.parse_json) == seen(json.loads)


def test_a_good_file_is_read_with_its_lines(tmp_path: Path) -> None:
    file = recorded(tmp_path, GOOD)
    assert export_reader.file_problems(tmp_path, file) == []
    assert [line for line, _ in export_reader.numbered_lines(tmp_path, file)] == [2, 3, 4]
    assert [row["id"] for row in export_reader.rows(tmp_path, file, without={3})] == [1, 3]


@pytest.mark.parametrize("broken", FILES, ids=lambda each: each.name)
def test_each_way_of_being_broken_is_refused(tmp_path: Path, broken: Broken) -> None:
    content = broken.change(GOOD)
    if "flipped" in broken.name:
        file = recorded(tmp_path, GOOD)
        (tmp_path / "t.json").write_bytes(content)
    else:
        file = recorded(tmp_path, content)
    (finding,) = export_reader.file_problems(tmp_path, file)
    assert finding.code == "MIG-411"
    assert finding.where.startswith("migration/t.json")


def test_a_line_too_long_to_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_reader, "LARGEST_ROW", 20)
    (finding,) = export_reader.file_problems(tmp_path, recorded(tmp_path, GOOD))
    assert "line 2" in finding.where
