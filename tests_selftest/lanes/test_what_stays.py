"""What an import and an apply must leave alone: production's children of a list, and whoever administers it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.model.snapshot import Snapshot
from fixtures.process.files import sha256
from tests_selftest.lanes.project import Migration, Project

ADA, ADA_THERE = "ada00000-0000-4000-8000-000000000001", "ada00000-0000-4000-8000-000000000002"
MOMENT = "2025-11-02T01:30:00Z"
FILE = "f11e0000-0000-4000-8000-000000000001"
WHO = ("directus_users", "directus_roles", "directus_policies", "directus_access", "directus_permissions")


@pytest.fixture(params=["nullify", "delete"])
def with_list(project: Project, request: pytest.FixtureRequest) -> Iterator[tuple[Project, Snapshot]]:
    """Categories list their articles; who leaves the list is set to null, or deleted."""
    relation = {"collection": "articles", "field": "category", "related_collection": "categories"}
    meta = {"one_field": "listed", "one_deselect_action": request.param}
    project.rest.post("/fields/categories", {"field": "listed", "type": "alias", "meta": {"special": ["o2m"]}})
    project.rest.patch("/relations/articles/category", {**relation, "meta": meta})
    try:
        yield project, project.snapshot_with("categories")
    finally:
        project.rest.patch("/relations/articles/category", {**relation, "meta": {"one_field": None}})
        project.rest.delete("/fields/categories/listed")


PARENT, OTHER = "9a7e0000-0000-4000-8000-000000000001", "9a7e0000-0000-4000-8000-000000000002"


def filled(project: Project) -> None:
    """A parent with three children, of which local has only the first."""
    project.rest.post("/items/categories", {"id": PARENT, "name": "Parent", "note": "theirs"})
    children = [{"id": key, "slug": f"s{key}", "title": f"t{key}", "category": PARENT} for key in (1, 50, 51)]
    project.rest.post("/items/articles", children)


ROWS: dict[str, list[dict[str, Any]]] = {
    "categories": [{"id": PARENT, "name": "Parent", "note": "ours"}, {"id": OTHER, "name": "New"}],
    "articles": [
        {"id": 1, "slug": "s1", "title": "t1", "category": PARENT},
        {"id": 2, "slug": "s2", "title": "t2", "category": PARENT},
        {"id": 3, "slug": "s3", "title": "t3", "category": OTHER},
    ],
}


def children(project: Project) -> list[Any]:
    return project.ask("SELECT id, category::text FROM articles ORDER BY id")


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_children_only_production_has_stay_in_the_list_of_an_updated_parent(
    with_list: tuple[Project, Snapshot], tmp_path: Path, lane: str
) -> None:
    project, snapshot = with_list
    filled(project)
    migration = Migration(project, tmp_path, ROWS, policies="update", lane=lane, snapshot=snapshot)
    result = migration.run()
    assert (result.refusals, result.updated) == ((), 1)
    assert project.ask("SELECT note FROM categories WHERE id = %s", PARENT) == [("ours",)]
    assert children(project) == [(1, PARENT), (2, PARENT), (3, OTHER), (50, PARENT), (51, PARENT)]
    listed = project.rest.get(f"/items/categories/{PARENT}", fields="listed")["listed"]
    assert sorted(listed) == [1, 2, 50, 51]


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_a_file_that_holds_the_list_is_refused_and_detaches_nobody(
    with_list: tuple[Project, Snapshot], tmp_path: Path, lane: str
) -> None:
    """As other tools export it: with `fields=*`, the keys of the children under the name of the list."""
    project, snapshot = with_list
    filled(project)
    migration = Migration(project, tmp_path, ROWS, policies="update", lane=lane, snapshot=snapshot)
    path = tmp_path / "data" / "categories.json"
    row = {"id": PARENT, "name": "Parent", "parent": None, "note": "ours", "listed": [1]}
    path.write_text(f"[\n{json.dumps(row)}\n]\n", encoding="utf-8")
    digest, size = sha256(path), path.stat().st_size
    migration.files = tuple(
        replace(each, rows=1, sha256=digest, size_bytes=size) if each.collection == "categories" else each
        for each in migration.files
    )
    result = migration.run()
    refused = {(each.collection, each.key, each.code) for each in result.refusals}
    assert ("categories", PARENT, "ALIAS" if lane == "api" else "NOT_A_ROW") in refused
    assert [(key, parent) for key, parent in children(project) if key != 2] == [
        (1, PARENT), (50, PARENT), (51, PARENT),
    ]  # fmt: skip


def who(project: Project) -> dict[str, list[Any]]:
    """Everybody and everything that lets them in, without the moment and page they were seen last."""
    return {
        table: project.ask(f"SELECT to_jsonb(t) - 'last_access' - 'last_page' FROM {table} t ORDER BY id::text")
        for table in WHO
    }


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_administrator_role_policy_and_token_survive_apply_and_import(
    project: Project, tmp_path: Path, lane: str
) -> None:
    project.person("ada@example.org", ADA_THERE)
    before = who(project)
    assert all(before[table] for table in WHO[:4])
    wanted = json.loads(json.dumps(project.operator.snapshot().raw))
    ours = next(each for each in wanted["fields"] if (each["collection"], each["field"]) == ("categories", "note"))
    added = json.loads(json.dumps(ours))
    added["field"] = added["meta"]["field"] = added["schema"]["name"] = "remark"
    wanted["fields"].append(added)
    diff = project.operator.diff(Snapshot(wanted))
    assert diff is not None
    project.operator.apply_schema(diff.hash, diff.diff)
    try:
        uploaded = {"uploaded_by": ADA, "uploaded_on": MOMENT, "created_on": MOMENT, "modified_on": MOMENT}
        library = [{"id": FILE, "filename_download": "a.png", "type": "image/png", **uploaded}]
        rows = {"articles": [{"id": 1, "slug": "s", "title": "t", "user_created": ADA, "owner": ADA}]}
        migration = Migration(
            project,
            tmp_path,
            rows,
            people={ADA: ADA_THERE},
            library=library,
            lane=lane,
            snapshot=project.snapshot_with(),
        )
        assert migration.run().refusals == ()
        assert who(project) == before
        assert project.operator.is_admin(), "the token of before still administers production"
    finally:
        project.rest.delete("/fields/categories/remark")
