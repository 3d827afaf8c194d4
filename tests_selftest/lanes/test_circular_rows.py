"""Rows of one collection that refer to each other, and a singleton that production refuses: nothing else is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.model.snapshot import Snapshot
from fixtures.operations.lane_api.second_pass import SecondPass
from tests_selftest.lanes.project import Killed, Migration, Project, column, killed, serial

CATEGORIES = [f"c1c1e000-0000-4000-8000-00000000000{number}" for number in range(5)]
# 0 and 1 refer to each other, 2 is below them, 3 is the root of 4.
PARENTS = {0: 1, 1: 0, 2: 1, 3: None, 4: 3}
ROWS = {
    "categories": [
        {"id": CATEGORIES[key], "name": f"n{key}", "parent": None if parent is None else CATEGORIES[parent]}
        for key, parent in PARENTS.items()
    ]
}


def parents(project: Project) -> dict[str, str | None]:
    return dict(project.ask("SELECT id::text, parent::text FROM categories"))


EXPECTED = {row["id"]: row["parent"] for row in ROWS["categories"]}


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_rows_that_refer_to_each_other_arrive(project: Project, tmp_path: Path, lane: str) -> None:
    migration = Migration(project, tmp_path, ROWS, lane=lane)
    result = migration.run()
    assert result.refusals == ()
    assert parents(project) == EXPECTED
    again = migration.run()
    assert (again.created, again.conflicts, again.completed) == (0, (), 0)


def test_a_run_that_was_killed_between_the_passes_is_finished(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(SecondPass, "run", killed)
        with pytest.raises(Killed):
            Migration(project, tmp_path, ROWS).run()
    there = parents(project)
    assert [there[CATEGORIES[number]] for number in (0, 1, 2)] == [None, None, None]
    again = Migration(project, tmp_path, ROWS).run()
    assert again.conflicts == ()
    assert parents(project) == EXPECTED


def test_a_parent_that_a_person_removed_elsewhere_is_not_set_again(project: Project, tmp_path: Path) -> None:
    Migration(project, tmp_path, ROWS).run()
    project.ask("UPDATE categories SET parent = NULL WHERE name = 'n4'")
    again = Migration(project, tmp_path, ROWS, policies="keep").run()
    assert [(each.key, each.columns) for each in again.conflicts] == [(CATEGORIES[4], ("parent",))]
    assert parents(project)[CATEGORIES[4]] is None


@pytest.fixture
def with_settings(project: Project) -> Iterator[tuple[Project, Snapshot]]:
    """The project with a singleton that refers to an article."""
    fields = [serial(), column("name"), column("home", "integer")]
    meta = {"singleton": True}
    project.rest.post("/collections", {"collection": "r_settings", "schema": {}, "meta": meta, "fields": fields})
    project.rest.post("/relations", {"collection": "r_settings", "field": "home", "related_collection": "articles"})
    try:
        yield project, project.snapshot_with("r_settings")
    finally:
        project.rest.delete("/collections/r_settings")


def test_a_singleton_comes_after_what_it_refers_to(with_settings: tuple[Project, Snapshot], tmp_path: Path) -> None:
    project, snapshot = with_settings
    articles = [{"id": key, "slug": f"s{key}", "title": f"t{key}"} for key in range(1, 250)]
    rows = {"articles": articles, "r_settings": [{"id": 1, "name": "site", "home": 249}]}
    result = Migration(project, tmp_path, rows, snapshot=snapshot).run()
    assert result.refusals == ()
    assert project.ask("SELECT name, home FROM r_settings") == [("site", 249)]


def test_a_singleton_that_is_refused_ends_nothing(with_settings: tuple[Project, Snapshot], tmp_path: Path) -> None:
    project, snapshot = with_settings
    project.ask("ALTER TABLE r_settings ADD CHECK (name <> 'refused')")
    rows = {
        "articles": [{"id": 1, "slug": "s", "title": "t"}],
        "r_settings": [{"id": 1, "name": "refused", "home": 1}],
    }
    result = Migration(project, tmp_path, rows, snapshot=snapshot).run()
    assert [(each.collection, each.key) for each in result.refusals] == [("r_settings", "1")]
    assert project.ask("SELECT count(*) FROM articles") == [(1,)]
