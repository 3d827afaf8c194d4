"""What only the admin app asks for (choices, required fields) refuses no row; rows that differ are told with counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.checks.rows.anomalies import ASKED_BY_THE_APP
from fixtures.model.snapshot import Snapshot
from fixtures.operations.verification import audit
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.lanes.project import Migration, Project, column, serial

NAME = "app_rules"


def offering(name: str, *choices: dict[str, Any], kind: str = "string") -> dict[str, Any]:
    field = column(name, kind)
    field["meta"] |= {"interface": "select-dropdown", "options": {"choices": list(choices)}}
    return field


def asked_for(name: str) -> dict[str, Any]:
    field = column(name)
    field["meta"]["required"] = True
    return field


def choice(value: str) -> dict[str, Any]:
    return {"text": value.capitalize(), "value": value}


FIELDS = [
    serial(),
    offering("status", choice("draft"), choice("published")),
    offering("level", choice("1"), choice("2"), kind="integer"),
    offering("area", {"text": "North", "children": [choice("porch"), choice("attic")]}, choice("cellar")),
    asked_for("title"),
]
WHOLE = {"status": "draft", "level": 2, "area": "cellar", "title": "whole"}
ROWS: list[dict[str, Any]] = [
    {"id": 1, **WHOLE},
    {"id": 2, **WHOLE, "area": "attic"},
    {"id": 3, **WHOLE, "status": "archived"},
    {"id": 4, **WHOLE, "status": "archived"},
    {"id": 5, **WHOLE, "title": None},
]
"""Whole, of a nested choice, two of a choice that there was once, and without what the app asks for."""


@pytest.fixture
def asked(project: Project) -> Iterator[tuple[Project, Snapshot]]:
    project.rest.post("/collections", {"collection": NAME, "schema": {}, "meta": {}, "fields": FIELDS})
    try:
        yield project, project.snapshot_with(NAME)
    finally:
        project.rest.delete(f"/collections/{NAME}")


def held(project: Project) -> list[Any]:
    return project.ask(f"SELECT id, status, level, area, title FROM {NAME} ORDER BY id")


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_rows_the_api_accepts_arrive_and_the_unusual_ones_are_counted(
    asked: tuple[Project, Snapshot], tmp_path: Path, lane: str
) -> None:
    project, snapshot = asked
    project.rest.post(f"/items/{NAME}", ROWS)
    accepted = held(project)
    assert [row[0] for row in accepted] == [1, 2, 3, 4, 5], "Directus itself takes each of them"
    project.ask(f"TRUNCATE {NAME}")

    migration = Migration(project, tmp_path, {NAME: ROWS}, lane=lane, snapshot=snapshot)
    result = migration.run()
    assert (result.created, result.refusals) == (5, ())
    assert held(project) == accepted

    with PostgresObserver(project.url) as database:
        export = migration.import_set().export
        found = audit.anomalies(project.operator, database, snapshot, export, tmp_path, lambda *_: None).findings
    assert [(each.code, each.where.rpartition(" · ")[2], each.sentence.split()[0]) for each in found] == [
        ("MIG-531", 'field "title"', "1"),
        ("MIG-532", 'field "status"', "2"),
    ]
    assert {each.code for each in found} <= ASKED_BY_THE_APP
