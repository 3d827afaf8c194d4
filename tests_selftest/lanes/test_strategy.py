"""4.1.A2, A3 and A5 on a real Directus: a strategy Postgres would refuse, and a plan that is not the one on disk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.model.dataset import ImportOrder
from fixtures.model.finding import Finding
from fixtures.model.imports import CollectionPlan, ImportPlan
from fixtures.operations.imports import import_documents, strategy
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.lanes.project import Project

PLAN = ImportPlan(
    made_at=datetime(2026, 1, 1, tzinfo=UTC),
    lane="sql",
    policy="stop",
    order=ImportOrder(("categories", "articles", "comments")),
    collections=(
        CollectionPlan("categories", in_file=2, before=0, create=2, identical=0, conflicts=0),
        CollectionPlan("articles", in_file=2, before=1, create=1, identical=1, conflicts=0, to_backfill=1),
        CollectionPlan("comments", in_file=1, before=1, create=0, identical=1, conflicts=0),
        CollectionPlan("not_there_yet", in_file=1, before=0, create=1, identical=0, conflicts=0),
    ),
    conflicts=(),
    paused_flows=(),
)


def found(project: Project, plan: ImportPlan = PLAN, *, lane: str = "sql") -> list[Finding]:
    with PostgresObserver(project.url) as database:
        return strategy.problems(plan, project.operator, database, lane=lane, policy="stop")


FAULTS = {
    "no right to INSERT": (
        "categories",
        "REVOKE INSERT ON categories FROM CURRENT_USER",
        "GRANT INSERT ON categories TO CURRENT_USER",
    ),
    "no right to UPDATE": (
        "articles",
        "REVOKE UPDATE ON articles FROM CURRENT_USER",
        "GRANT UPDATE ON articles TO CURRENT_USER",
    ),
    "row security, with which COPY does not work": (
        "categories",
        "ALTER TABLE categories ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        "ALTER TABLE categories DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY",
    ),
}


@pytest.mark.parametrize("observed", FAULTS)
def test_a_lane_that_may_not_write_is_told_before_the_first_row(project: Project, observed: str) -> None:
    table, fault, correction = FAULTS[observed]
    assert found(project) == []
    project.ask(fault)
    try:
        (finding,) = found(project)
        assert [each for each in found(project, replace(PLAN, lane="api"), lane="api") if each.code == "MIG-440"] == []
    finally:
        project.ask(correction)
    assert (finding.code, finding.observed) == ("MIG-440", observed)
    assert f'table "{table}"' in finding.where


def test_another_strategy_than_the_plan_was_made_for_is_told(project: Project) -> None:
    (finding,) = found(project, lane="api")
    assert (finding.code, finding.expected) == ("MIG-449", "lane api, policy stop")
    assert found(project, replace(PLAN, lane="api"), lane="api") == []


def test_a_plan_on_disk_that_is_another_one_is_named(tmp_path: Path) -> None:
    assert [each.code for each in import_documents.plan_problems(tmp_path, PLAN)] == ["MIG-612"]
    import_documents.write_plan(tmp_path, PLAN)
    assert import_documents.plan_problems(tmp_path, PLAN) == []
    path = tmp_path / import_documents.PLAN
    path.write_text(path.read_text().replace('"create": 2', '"create": 3'))
    (finding,) = import_documents.plan_problems(tmp_path, PLAN)
    assert "'   \"create\": 3,' instead of '   \"create\": 2,'" in finding.observed
    path.write_text("{")
    assert [each.code for each in import_documents.plan_problems(tmp_path, PLAN)] == ["MIG-612"]
