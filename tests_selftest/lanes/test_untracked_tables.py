"""Another program's tables in a real database: told on the right side, left alone, and never taken for a new one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.checks.code import rollout as checks
from fixtures.checks.schema import catalog, plan_safety
from fixtures.model.snapshot import Snapshot
from fixtures.operations.code import rollout
from fixtures.operations.preservation import fingerprint
from fixtures.operations.schema import apply, schema_plan
from fixtures.operations.source import schema_export
from fixtures.systems.postgres import catalog as postgres_catalog
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.lanes.project import Project, serial

OTHERS = ("_prisma_migrations", "job queue", "queue")


@pytest.fixture
def shared(project: Project) -> Iterator[Project]:
    """A database with three tables of another program: with a key, with a blank in its name, without a key."""
    project.ask("CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, logs text)")
    project.ask("INSERT INTO _prisma_migrations VALUES ('1', 'applied')")
    project.ask('CREATE TABLE "job queue" (id int PRIMARY KEY)')
    project.ask("CREATE TABLE queue (payload text)")
    project.ask("INSERT INTO queue VALUES ('one'), ('two')")
    project.operator.clear_cache()
    yield project
    for name in OTHERS:
        project.ask(f'DROP TABLE IF EXISTS "{name}"')
    project.operator.clear_cache()


def silent(*_: object) -> None:
    """Nobody watches."""


@pytest.mark.parametrize("side", ["local", "production"])
def test_they_are_told_and_no_problem_of_either_side(shared: Project, side: str) -> None:
    now = shared.operator.snapshot()
    assert schema_export.snapshot_problems(now, shared.operator, side=side) == []
    (sentence,) = schema_export.summarize_untracked(shared.operator, side)
    assert f"tables of {side} are not tracked" in sentence
    assert "_prisma_migrations" in sentence
    cut = Snapshot({**now.raw, "collections": [c for c in now.raw["collections"] if c["collection"] != "blocks"]})
    (problem,) = schema_export.snapshot_problems(cut, shared.operator, side=side)
    assert (problem.code, problem.where) == ("MIG-121", f'migration/schema-{side}.json · collection "blocks"')


def test_the_administrator_need_not_reach_them_and_the_app_need_not_list_them(shared: Project) -> None:
    reachable, names = rollout.readable_collections(shared.operator)
    assert set(names) == set(shared.operator.snapshot().tables)
    assert checks.unreachable_collections(reachable, names) == []
    shown = [f"{name} a note" for name in names if name != "blocks"]
    (absent,) = checks.unlisted_collections(shown, names)
    assert (absent.code, '"blocks"' in absent.where) == ("MIG-247", True)


def test_they_are_fingerprinted_and_named_as_outside_of_every_snapshot(shared: Project, tmp_path: Path) -> None:
    found = fingerprint.record(shared.url, tmp_path, silent)
    assert (found.counts["_prisma_migrations"], found.counts["queue"]) == (1, 2)
    with PostgresObserver(shared.url) as database:
        outside = catalog.objects_outside_snapshot(shared.operator.snapshot(), postgres_catalog.read(database))
    assert {f"table {name}" for name in OTHERS} <= set(outside)


def test_a_planned_collection_of_the_same_name_stops_the_plan_before_the_first_write(shared: Project) -> None:
    shared.rest.post("/collections", {"collection": "notices", "schema": {}, "meta": {}, "fields": [serial()]})
    desired = shared.operator.snapshot()
    assert shared.transport.ask("DELETE", "/collections/notices").status == 204
    shared.ask("CREATE TABLE notices (id int PRIMARY KEY, secret text)")
    try:
        shared.ask("INSERT INTO notices VALUES (7, 'theirs')")
        shared.operator.clear_cache()
        current = shared.operator.snapshot()
        assert schema_export.snapshot_problems(current, shared.operator, side="production") == [], "3.1.4 lets it pass"
        with PostgresObserver(shared.url) as database:
            assert schema_plan.catalog_mismatches(database, current) == []
            plan, _ = schema_plan.make_plan(shared.operator, database, desired, current)
            stops = plan_safety.blockers(plan)
            assert {stop.code for stop in stops} == {"SC109"}
            assert 'production · "notices"' in {stop.where for stop in stops}
            with pytest.raises(apply.PlanForbidden, match="SC109"):
                apply.apply(shared.operator, database, plan, desired)
        assert shared.ask("SELECT * FROM notices") == [(7, "theirs")]
        assert shared.operator.snapshot().digest == current.digest
    finally:
        shared.ask("DROP TABLE notices")
