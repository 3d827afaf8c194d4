"""Fields a project adds to Directus' own collections are planned, applied, compared and shown like any other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.operations.preservation import existing_data
from fixtures.operations.schema import apply, data_model_view, schema_plan, schema_verification
from fixtures.operations.scratch_rows import related
from fixtures.operations.source import export
from fixtures.operations.verification import audit, relation_checks
from fixtures.systems.browser.window import Browser
from fixtures.systems.directus.sandbox import DirectusSandbox
from fixtures.systems.postgres.observer import PostgresObserver
from fixtures.world import toolchain
from fixtures.world.progress import no_progress
from tests_selftest.lanes.project import Migration, Project, column

NEW = ("directus_files.alt_text", "directus_users.bio", "directus_users.department", "directus_users.reviewed")


@pytest.fixture(scope="module")
def started() -> Iterator[Project]:
    """A project of its own, as its data model changes, with the admin app."""
    project = Project(serve_app=True)
    try:
        project.start()
        yield project
    finally:
        project.stop()


@pytest.fixture(scope="module")
def local(started: Project) -> Snapshot:
    """The schema with fields and relations on Directus' own collections; production lacks them again."""
    rest = started.rest
    rest.post("/fields/directus_users", column("bio", "text"))
    rest.post("/fields/directus_users", column("department", "uuid"))
    rest.post("/fields/directus_files", column("alt_text"))
    rest.post("/fields/articles", column("reviewer", "uuid"))
    rest.post("/fields/directus_users", {"field": "reviewed", "type": "alias", "meta": {"special": ["o2m"]}})
    rest.post(
        "/relations",
        {"collection": "directus_users", "field": "department", "related_collection": "categories"},
    )
    rest.post(
        "/relations",
        {
            "collection": "articles",
            "field": "reviewer",
            "related_collection": "directus_users",
            "meta": {"one_field": "reviewed"},
        },
    )
    found = started.operator.snapshot()
    assert export.snapshot_problems(found, started.operator) == []
    for name in ("articles.reviewer", *NEW):
        if name in started.operator.snapshot().fields:
            assert started.transport.ask("DELETE", f"/fields/{name.replace('.', '/')}").status == 204
    return found


def silent(*_: object) -> None:
    """Nobody watches."""


def test_a_snapshot_without_a_field_of_a_system_collection_is_incomplete(started: Project, local: Snapshot) -> None:
    cut = Snapshot({**local.raw, "fields": [each for each in local.raw["fields"] if each["field"] != "bio"]})
    started.rest.post("/fields/directus_users", column("bio", "text"))
    (problem,) = export.snapshot_problems(Snapshot({**cut.raw, "relations": []}), started.operator)
    started.transport.ask("DELETE", "/fields/directus_users/bio")
    assert (problem.code, "directus_users.bio" in str(problem)) == ("MIG-121", True)


def test_they_are_planned_applied_and_found_and_the_second_plan_is_empty(started: Project, local: Snapshot) -> None:
    with PostgresObserver(started.url) as database:
        current = started.operator.snapshot()
        plan, _ = schema_plan.make_plan(started.operator, database, local, current)
        assert set(NEW) <= {change.name for change in plan.to_apply}
        before = existing_data.missing_objects(local, started.operator, database)
        assert [name for name in NEW if not any(f'"{name}"' in str(each) for each in before)] == []
        state = apply.apply(started.operator, database, plan, local)
        assert state.is_applied
        second, _ = schema_plan.make_plan(started.operator, database, local, started.operator.snapshot())
        assert second.to_apply == ()
        assert schema_verification.missing_in_database(database, local, plan) == []
        assert existing_data.missing_objects(local, started.operator, database) == []
        assert schema_plan.catalog_mismatches(database, started.operator.snapshot()) == []
        assert len(audit.references(database, local, silent)) >= audit.expected_references(local)
    new = plan.created_columns
    assert schema_verification.unreadable_fields(started.operator, local, new) == []
    assert schema_verification.unplanned_differences(started.operator, local, started.operator.snapshot(), plan) == []


def test_a_field_that_cannot_be_read_is_found(
    started: Project, local: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_verification, "READABLE_S", 0.1)
    started.ask("ALTER TABLE directus_users RENAME COLUMN bio TO gone")
    started.operator.clear_cache()
    try:
        (problem,) = schema_verification.unreadable_fields(started.operator, local, ["directus_users.bio"])
    finally:
        started.ask("ALTER TABLE directus_users RENAME COLUMN gone TO bio")
        started.operator.clear_cache()
    assert problem.code == "MIG-338"


def test_their_relations_are_tried_or_said_not_to_be(started: Project, local: Snapshot, tmp_path: Path) -> None:
    chosen = related.relations(local)
    with DirectusSandbox(started.transport, run="run-20261101T120000Z") as sandbox:
        found = related.navigation(local, chosen, started.operator, sandbox)
        edges = related.edge_cases(local, local.tables, started.operator, sandbox)
        edges += related.cascades(local, chosen, started.operator, sandbox)
    by_name = {trial.name: trial for trial in found}
    assert by_name["articles.reviewer"].held
    assert "directus_users" in by_name["directus_users.department"].not_tried
    assert "directus_users.department" not in related.testable_relations(local)
    assert related.untried_rules(local, edges) == []
    migration = Migration(started, tmp_path, {}, snapshot=local)
    read = relation_checks.check_relations(started.operator, started.url, migration.import_set(), silent)
    assert {each.relation for each in read} == relation_checks.relation_names(local)


@pytest.mark.usefixtures("local")
def test_the_admin_app_shows_them_and_a_missing_one_is_named(started: Project) -> None:
    desired = {"directus_files": ["alt_text"], "directus_users": ["bio", "department"], "articles": ["reviewer"]}
    tools = toolchain.ensure(toolchain.CACHE, supervisor=started.supervisor, progress=no_progress)
    with Browser(tools.chromium, own=(started.running.url,)) as browser, tempfile.TemporaryDirectory() as folder:
        seen = data_model_view.observe(
            browser,
            started.running.url,
            email="admin@example.org",
            password=Secret("admin"),
            desired={**desired, "articles": ["reviewer"]},
            production=started.operator,
            picture=Path(folder, "model.jpg"),
            on_item=silent,
        )
    assert data_model_view.missing_in_app(seen, desired) == []
    (absent,) = data_model_view.missing_in_app(seen, {"directus_users": ["bio", "motto"]})
    assert (absent.code, '"directus_users.motto"' in str(absent)) == ("MIG-334", True)
