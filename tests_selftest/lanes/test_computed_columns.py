"""Columns the database computes, and keys it insists on giving itself, through both lanes on a real Directus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.checks.rows.profile import profile, profiles
from fixtures.model.export import CollectionCount, Inventory
from fixtures.model.fingerprint import Fingerprint
from fixtures.model.snapshot import Snapshot
from fixtures.operations.preservation.existing_rows import InitialRows
from fixtures.operations.schema import schema_plan
from fixtures.operations.source import schema_export
from fixtures.operations.verification import verify
from fixtures.systems.postgres import catalog as postgres_catalog
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.lanes.project import Migration, Project

NAME = "invoices"
TABLE = f"""
    CREATE TABLE {NAME} (id {{key}} PRIMARY KEY, net numeric(10,2), title varchar(50),
        gross numeric(12,4) GENERATED ALWAYS AS (net * 1.19) STORED,
        shout text GENERATED ALWAYS AS (upper(title)) VIRTUAL)
"""
ROWS: dict[str, list[dict[str, object]]] = {
    NAME: [{"id": 7, "net": "10.00", "title": "one"}, {"id": 9, "net": None, "title": "two"}]
}
EXPECTED = [(7, "10.00", "one", "11.9000", "ONE"), (9, None, "two", None, "TWO")]
STORED = f"SELECT id, net::text, title, gross::text, shout FROM {NAME} ORDER BY id"


@pytest.fixture
def with_invoices(project: Project, request: pytest.FixtureRequest) -> Iterator[tuple[Project, Snapshot]]:
    project.ask(TABLE.format(key=request.param))
    project.ask("INSERT INTO directus_collections (collection) VALUES (%s)", NAME)
    for column in ("id", "net", "title", "gross", "shout"):
        project.ask("INSERT INTO directus_fields (collection, field) VALUES (%s, %s)", NAME, column)
    project.operator.clear_cache()
    try:
        with PostgresObserver(project.url) as database:
            here = postgres_catalog.read(database)
        yield project, schema_export.with_computed_columns(project.snapshot_with(NAME), here)
    finally:
        project.ask(f"DROP TABLE {NAME}")
        project.ask("DELETE FROM directus_fields WHERE collection = %s", NAME)
        project.ask("DELETE FROM directus_collections WHERE collection = %s", NAME)
        project.operator.clear_cache()


@pytest.mark.parametrize("with_invoices", ["serial"], indirect=True)
@pytest.mark.parametrize("lane", ["api", "sql"])
def test_a_computed_column_is_neither_exported_nor_written_nor_compared(
    with_invoices: tuple[Project, Snapshot], tmp_path: Path, lane: str
) -> None:
    project, snapshot = with_invoices
    assert snapshot.computed == (f"{NAME}.gross", f"{NAME}.shout")
    assert profile(snapshot, NAME).columns == ("id", "net", "title")
    migration = Migration(project, tmp_path, ROWS, lane=lane, snapshot=snapshot)
    result = migration.run()
    assert (result.refusals, result.conflicts) == ((), ())
    assert project.ask(STORED) == EXPECTED
    import_set = migration.import_set()
    nothing = InitialRows(Fingerprint(import_set.export.exported_at, "", (), {}), tmp_path)
    found = verify.rows(project.operator, project.url, import_set, nothing, (), progress=lambda *_: None)
    assert next(each.equal for each in found if each.collection == NAME) == 2
    assert migration.run().created == 0


@pytest.mark.parametrize("with_invoices", ["integer GENERATED ALWAYS AS IDENTITY"], indirect=True)
@pytest.mark.parametrize("beside", [(), ({"net": "1.00", "title": "theirs"},)], ids=["empty", "with a row"])
def test_lane_sql_writes_a_key_the_database_insists_on_giving(
    with_invoices: tuple[Project, Snapshot], tmp_path: Path, beside: tuple[dict[str, str], ...]
) -> None:
    project, snapshot = with_invoices
    for row in beside:
        project.rest.post(f"/items/{NAME}", row)
    result = Migration(project, tmp_path, ROWS, lane="sql", snapshot=snapshot).run()
    assert (result.refusals, result.created) == ((), 2)
    assert [row for row in project.ask(STORED) if row[0] in {7, 9}] == EXPECTED
    project.ask(f"INSERT INTO {NAME} (title) VALUES ('next')")
    assert project.ask(f"SELECT id FROM {NAME} WHERE title = 'next'") == [(10,)]


@pytest.mark.parametrize("with_invoices", ["integer GENERATED ALWAYS AS IDENTITY"], indirect=True)
def test_lane_api_is_stopped_by_that_key_before_the_first_write(with_invoices: tuple[Project, Snapshot]) -> None:
    project, snapshot = with_invoices
    assert project.transport.ask("POST", f"/items/{NAME}", json={"id": 7}).status == 500
    with PostgresObserver(project.url) as database:
        (stop,) = schema_plan.refused_by_rest(database, snapshot, inventory(snapshot, 2))
        assert schema_plan.refused_by_rest(database, snapshot, inventory(snapshot, 0)) == []
    assert (stop.code, stop.where) == ("MIG-315", f'production · "{NAME}.id"')
    assert "IMPORT_LANE=sql" in stop.do


def inventory(snapshot: Snapshot, rows: int) -> Inventory:
    return Inventory(datetime.now(UTC), profiles(snapshot), (CollectionCount(NAME, rows, 0),))
