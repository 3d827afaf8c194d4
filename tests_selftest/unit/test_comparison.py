"""An earlier comparison holds where nothing it was decided by has changed, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from fixtures.model.dataset import ExportedFile, ImportOrder
from fixtures.model.export import AssetInventory, DataExport
from fixtures.model.imports import Conflict, ConflictKind, Refusal
from fixtures.model.key_map import KeyMap
from fixtures.model.snapshot import Snapshot
from fixtures.operations.imports import comparison
from fixtures.operations.imports.class_counts import ClassCounts
from fixtures.operations.imports.classify import ImportSet
from fixtures.operations.imports.comparison import Comparison, Remembered
from fixtures.systems.postgres.observer import PostgresObserver

FOUND = ClassCounts(5, 0, 4, 0, conflicts=[Conflict("t", "1", ConflictKind.EDITED, ("title",), "1")])


class Database:
    """Digests of two tables, which a test may change."""

    def __init__(self) -> None:
        self.rows = {"t": "1 a", "u": "2 b"}

    def digest(self, table: str) -> str:
        return self.rows[table]


class Observer:
    """A comparer that counts how often it was asked."""

    def __init__(self, change: Callable[[], object] = lambda: None) -> None:
        self.asked = 0
        self._change = change

    def __call__(self, _: ImportSet, __: Iterable[str]) -> Mapping[str, ClassCounts]:
        self.asked += 1
        self._change()
        return {"t": FOUND}


def given() -> ImportSet:
    return ImportSet(
        folder=Path(), export=DataExport(datetime.now(UTC), (ExportedFile("t", "data/t.json", 5, "5ha", 9, ""),)),
        order=ImportOrder(("t", "u")), assets=AssetInventory((), {}, {}),
        local_schema=Snapshot({"collections": [], "fields": [], "relations": []}), keys=KeyMap({"a": "b"}),
        people=frozenset({"b"}), invalid_rows={"t": {2: Refusal("t", "1", "KEY", "")}}, sent_keys={"t": {"7", "8"}},
    )  # fmt: skip


def remembered(database: Database, observe: Observer) -> Remembered:
    known = comparison.take(observe, given(), ["f"], cast(PostgresObserver, database))
    kept = msgspec.json.decode(msgspec.json.encode(known), type=Comparison)
    return Remembered(kept, cast(PostgresObserver, database), observe)


def test_where_nothing_changed_nothing_is_compared_again() -> None:
    observe = Observer()
    again = remembered(Database(), observe)
    assert dict(again(given(), ["f"])) == {"t": FOUND}
    assert (again.holds, observe.asked) == (True, 1)
    assert "by digest" in again.summary


@pytest.mark.parametrize(
    "change",
    [
        {"export": DataExport(datetime.now(UTC), (ExportedFile("t", "data/t.json", 5, "0ther", 9, ""),))},
        {"order": ImportOrder(("u", "t"))}, {"keys": KeyMap({"a": "c"})}, {"people": frozenset({"b", "c"})},
        {"people": None}, {"new_columns": frozenset({"t.title"})}, {"sent_keys": {"t": {"7"}}}, {"invalid_rows": None},
        {"local_schema": Snapshot({"collections": [{"collection": "t"}], "fields": [], "relations": []})},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_what_it_was_given_must_be_the_same(change: dict[str, Any]) -> None:
    observe = Observer()
    again = remembered(Database(), observe)
    again(replace(given(), **change), ["f"])
    assert (again.holds, observe.asked) == (False, 2)


def test_another_file_in_the_library_is_another_comparison() -> None:
    observe = Observer()
    again = remembered(Database(), observe)
    again(given(), ["f", "g"])
    assert (again.holds, observe.asked) == (False, 2)


def test_a_row_of_production_that_changed_is_seen() -> None:
    database, observe = Database(), Observer()
    again = remembered(database, observe)
    database.rows["u"] = "2 c"
    again(given(), ["f"])
    assert (again.holds, observe.asked) == (False, 2)
    assert "compared again" in again.summary


def test_what_changed_while_it_was_compared_holds_for_no_state() -> None:
    database = Database()
    observe = Observer(lambda: database.rows.update(t="1 z"))
    again = remembered(database, observe)
    database.rows["t"] = "1 a"  # as before it was compared; what it was compared as is unknown
    again(given(), ["f"])
    assert (again.holds, observe.asked) == (False, 2)
