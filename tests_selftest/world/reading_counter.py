"""
A pytest plugin: how often a run reads the files of the export, and how often it decodes each of their rows.

    python -m pytest -p tests_selftest.world.reading_counter phases/ …      READINGS_FILE=/tmp/readings.json

A pass is as many bytes as the file has, read in one line of the runbook, whoever asks for them; bytes are counted at
`open` itself. A decode is one text of a row made into values, in whatever way: by a JSON decoder, or by the pattern of
its collection. A text is taken for the row it is, so a row that is decoded twice in a line counts twice.
"""

from __future__ import annotations

import builtins
import io
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.checks.rows import strict_json
from fixtures.checks.rows.row_pattern import RowPattern
from fixtures.operations.imports import finer_values
from fixtures.operations.lane_sql import copy_rows
from fixtures.operations.source import export_reader
from fixtures.systems.postgres.copy_text import RowWriter

OUTPUT = "READINGS_FILE"
"""Environment variable: the file the counts are written to at the end of the run."""

FIRST, BEHIND = "1.3", "5"
"""Lines of the runbook that are counted: from the export to the verification of the data."""

_open = builtins.open


class Counts:
    """What this process has read and decoded so far, by line of the runbook."""

    def __init__(self) -> None:
        self.line = ""
        self.bytes_read: dict[str, Counter[str]] = defaultdict(Counter)
        self.decodes: dict[str, Counter[bytes]] = defaultdict(Counter)
        self.files: dict[str, Path] = {}

    def read(self, path: Path, number: int) -> None:
        self.files[path.stem] = path
        self.bytes_read[self.line][path.stem] += number

    def decoded(self, text: bytes) -> None:
        self.decodes[self.line][_plain(text)] += 1

    def tables(self) -> dict[str, Any]:
        """
        By collection: its rows, and by line of the runbook its passes and the decodes of its rows.

        Decodes: the mean of all rows, and the highest number of any row; how many rows were decoded how often in all.
        """
        found: dict[str, Any] = {}
        lines_read = [line for line in dict.fromkeys([*self.bytes_read, *self.decodes]) if FIRST <= line < BEHIND]
        for name, path in sorted(self.files.items()):
            texts = [_plain(text) for text in path.read_bytes().split(b"\n") if text.startswith(b"{")]
            size = path.stat().st_size
            lines = {}
            for line in lines_read:
                of_rows = [self.decodes[line][text] for text in texts] if line in self.decodes else []
                passes = self.bytes_read[line][name] / size if line in self.bytes_read else 0.0
                if passes or any(of_rows):
                    mean = sum(of_rows) / len(texts) if texts else 0.0
                    lines[line] = {"passes": passes, "mean": mean, "most": max(of_rows, default=0)}
            of_all = [sum(self.decodes[line][text] for line in lines_read if line in self.decodes) for text in texts]
            found[name] = {"rows": len(texts), "lines": lines, "decoded": dict(sorted(Counter(of_all).items()))}
        return found


COUNTS = Counts()


class _Counted(io.BufferedReader):
    """A file of the export; what is taken from it is counted."""

    path: Path

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        COUNTS.read(self.path, len(found))
        return found

    def readinto(self, buffer: Any, /) -> int:
        number = super().readinto(buffer)
        COUNTS.read(self.path, number)
        return number

    def readline(self, size: int | None = -1, /) -> bytes:
        found = super().readline(size)
        COUNTS.read(self.path, len(found))
        return found

    def __next__(self) -> bytes:
        found = super().__next__()
        COUNTS.read(self.path, len(found))
        return found


def _counting(file: Any, mode: str = "r", *given: Any, **named: Any) -> Any:
    path = Path(file) if isinstance(file, str | os.PathLike) else None
    if path is None or path.suffix != ".json" or path.parts[-3:-1] != ("migration", "data") or "r" not in mode:
        return _open(file, mode, *given, **named)
    counted = _Counted(io.FileIO(path))
    counted.path = path
    return counted if "b" in mode else io.TextIOWrapper(counted, encoding="utf-8")


def _wrapped(owner: Any, name: str, place: int, *, only_found: bool = False) -> None:
    """Counts every call of a decoder; its argument at *place* is the text."""
    decoder: Callable[..., Any] = getattr(owner, name)

    def counting(*given: Any, **named: Any) -> Any:
        if not only_found:
            COUNTS.decoded(given[place])
        found = decoder(*given, **named)
        if only_found and found is not None:
            COUNTS.decoded(given[place])
        return found

    setattr(owner, name, counting)


def _plain(text: bytes) -> bytes:
    return text.strip().removesuffix(b",")


def pytest_configure() -> None:
    """Before anything of the suite is used."""
    builtins.open = _counting
    io.open = _counting  # what Path.open calls
    _wrapped(export_reader, "decode_row", 2)
    _wrapped(strict_json, "parse_row", 0)
    _wrapped(copy_rows, "decoded", 0)
    _wrapped(finer_values, "decoded", 0)
    _wrapped(RowWriter, "fields", 1)
    _wrapped(RowPattern, "match", 1, only_found=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """What happens between the beginning and the end of a test is of its line."""
    marker = item.get_closest_marker("runbook")
    COUNTS.line = str(marker.args[0]) if marker else item.nodeid
    return (yield)


def pytest_sessionfinish() -> None:
    """Writes {collection: {rows, lines: {line: {passes, mean, most}}, decoded: {times: rows}}}."""
    Path(os.environ[OUTPUT]).write_text(json.dumps(COUNTS.tables(), indent=1), encoding="utf-8")
