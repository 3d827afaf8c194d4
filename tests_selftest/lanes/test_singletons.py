"""The one row of a singleton, with values REST does not tell, on a real Directus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.checks.rows import singletons
from fixtures.checks.rows.profile import profile
from fixtures.model.export import CollectionCount, Inventory
from fixtures.model.imports import ConflictKind
from tests_selftest.lanes.project import Project, column, serial
from tests_selftest.lanes.test_finer_values import FINER, NAME, migration


@pytest.fixture
def single(project: Project) -> Iterator[Project]:
    fields = [serial(), column("name"), column("at", "timestamp")]
    meta = {"singleton": True}
    project.rest.post("/collections", {"collection": NAME, "schema": {}, "meta": meta, "fields": fields})
    try:
        yield project
    finally:
        project.rest.delete(f"/collections/{NAME}")


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_rows_of_a_singletons_table_that_nobody_sees_are_not_filled(single: Project, tmp_path: Path, lane: str) -> None:
    single.ask(f"INSERT INTO {NAME} (id, name, at) VALUES (1, 'a', {FINER['at'][0]})")
    again = migration(single, tmp_path, lane)
    single.ask(f"TRUNCATE {NAME}")
    single.ask(f"INSERT INTO {NAME} (id, name) VALUES (9, 'z'), (1, 'a')")
    result = again.run(new_columns=frozenset({f"{NAME}.at"}))
    assert (result.conflicts, result.refusals) == ((), ())
    held = single.ask(f"SELECT id, name, at = {FINER['at'][0]} FROM {NAME} ORDER BY id")
    assert held == [(1, "a", True), (9, "z", None)]


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_a_singleton_with_another_value_is_a_conflict(single: Project, tmp_path: Path, lane: str) -> None:
    single.ask(f"INSERT INTO {NAME} (name, at) VALUES ('a', {FINER['at'][0]})")
    again = migration(single, tmp_path, lane, policies="keep")
    single.ask(f"UPDATE {NAME} SET id = 7, at = {FINER['at'][1]}")
    assert [(each.kind, each.columns) for each in again.run().conflicts] == [(ConflictKind.EDITED, ("at",))]


def test_a_singletons_table_of_several_rows_stops_before_the_first_write(single: Project) -> None:
    single.ask(f"INSERT INTO {NAME} (id, name) VALUES (9, 'z'), (1, 'a')")
    held = single.operator.counts([NAME])[NAME]
    of_table = profile(single.snapshot_with(NAME), NAME)

    def findings(local: int, production: int, lane: str) -> list[tuple[str, str]]:
        inventory = Inventory(datetime.now(UTC), (of_table,), (CollectionCount(NAME, local, production),))
        return [(each.where.split(" ")[0], each.observed) for each in singletons.of_several_rows(inventory, lane=lane)]

    assert findings(held, held, "api") == [("local", "2 rows"), ("production", "2 rows")]
    assert findings(held, held, "sql") == [("local", "2 rows")]
    assert findings(1, -1, "api") == findings(0, 1, "api") == []
