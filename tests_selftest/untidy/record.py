"""
What became of each kind alone, as data: a table of tabs, kind by kind, in the order of the catalogue.

    python -m tests_selftest.untidy --record tests_selftest/untidy/recorded.tsv
    python -m tests_selftest.untidy.record INTO FILE…       # a run in parts: later files win

A cell is a fate, and where the migration stopped its finding and line: "refused MIG-310 3.2.3".
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tests_selftest.untidy import generator
from tests_selftest.untidy.kinds import KINDS

RECORDED = Path(__file__).parent / "recorded.tsv"
Record = Mapping[str, Mapping[str, str]]
"""Kind → form ("blank, lane sql") → what became of it; what was not run is not there."""


def read(file: Path) -> dict[str, dict[str, str]]:
    """The record of *file*; empty where there is none, and without kinds that are no more."""
    if not file.exists():
        return {}
    head, *lines = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
    rows = {line[0]: {form: cell for form, cell in zip(head[1:], line[1:], strict=True) if cell} for line in lines}
    return {kind: cells for kind, cells in rows.items() if kind in KINDS}


def write(file: Path, record: Record) -> None:
    """Replace *file* as a whole; the same record is the same bytes."""
    lines = [["kind", *generator.FORMS]]
    lines += [[kind, *(record[kind].get(form, "") for form in generator.FORMS)] for kind in KINDS if kind in record]
    beside = file.with_name(f"{file.name}.new")
    beside.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
    beside.replace(file)


def merged(*records: Record) -> dict[str, dict[str, str]]:
    """All cells; where two records have one, that of the later."""
    found: dict[str, dict[str, str]] = {}
    for record in records:
        for kind, cells in record.items():
            found.setdefault(kind, {}).update(cells)
    return found


def add(file: Path, number: int, fate: str, code: str, line: str) -> None:
    """Add one database of one kind to *file*; a combination, and what could not be made, is not recorded."""
    place = generator.place(number)
    if place is not None and fate != "NOT MADE":
        kind, form = place
        write(file, merged(read(file), {kind: {form: " ".join(filter(None, (fate, code, line)))}}))


if __name__ == "__main__":
    into, *parts = map(Path, sys.argv[1:])
    write(into, merged(read(into), *map(read, parts)))
