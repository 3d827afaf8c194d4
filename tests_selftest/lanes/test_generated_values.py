"""A column in which Directus puts a new UUID for null stays null, also after an interrupted run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.model.snapshot import Snapshot
from fixtures.operations.lane_api.second_pass import SecondPass
from tests_selftest.lanes.project import Killed, Migration, Project, column, killed, serial

TOKEN = "70ce0000-0000-4000-8000-000000000001"
ROWS = {"g_tokens": [{"id": 1, "name": "with", "token": TOKEN}, {"id": 2, "name": "without", "token": None}]}


@pytest.fixture
def with_tokens(project: Project) -> Iterator[tuple[Project, Snapshot]]:
    """The project with a collection whose column `token` is filled by Directus."""
    fields = [serial(), column("name"), column("token", "uuid", special="uuid")]
    project.rest.post("/collections", {"collection": "g_tokens", "schema": {}, "meta": {}, "fields": fields})
    try:
        yield project, project.snapshot_with("g_tokens")
    finally:
        project.rest.delete("/collections/g_tokens")


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_null_stays_null(with_tokens: tuple[Project, Snapshot], tmp_path: Path, lane: str) -> None:
    project, snapshot = with_tokens
    migration = Migration(project, tmp_path, ROWS, lane=lane, snapshot=snapshot)
    result = migration.run()
    assert result.refusals == ()
    assert project.ask("SELECT id, token::text FROM g_tokens ORDER BY id") == [(1, TOKEN), (2, None)]
    again = migration.run()
    assert (again.created, again.conflicts) == (0, ())


def test_a_run_that_was_killed_before_its_second_pass_is_finished(
    with_tokens: tuple[Project, Snapshot], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, snapshot = with_tokens
    with monkeypatch.context() as patched:
        patched.setattr(SecondPass, "run", killed)
        with pytest.raises(Killed):
            Migration(project, tmp_path, ROWS, snapshot=snapshot).run()
    assert project.ask("SELECT count(*) FROM g_tokens WHERE token IS NULL") == [(0,)], "Directus has put no UUID in"
    again = Migration(project, tmp_path, ROWS, snapshot=snapshot).run()
    assert again.conflicts == ()
    assert project.ask("SELECT id, token::text FROM g_tokens ORDER BY id") == [(1, TOKEN), (2, None)]


def test_a_value_in_a_row_of_production_is_a_conflict(with_tokens: tuple[Project, Snapshot], tmp_path: Path) -> None:
    project, snapshot = with_tokens
    project.rest.post("/items/g_tokens", {"id": 2, "name": "without"})
    result = Migration(project, tmp_path, ROWS, policies="keep", snapshot=snapshot).run()
    assert [(each.key, each.columns) for each in result.conflicts] == [("2", ("token",))]
