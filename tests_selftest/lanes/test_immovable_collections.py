"""Tables made by SQL of which Directus knows only a part: exact, or named before the first write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from fixtures.checks.rows.profile import profile
from fixtures.model.finding import Finding
from fixtures.model.snapshot import Snapshot
from fixtures.model.waiver import Waiver
from fixtures.operations.schema import schema_plan
from fixtures.operations.source import schema_export, unconfigured
from tests_selftest.lanes.project import Project

TODAY = date(2026, 11, 30)
PLAIN = "CREATE TABLE {name} (code varchar(20) PRIMARY KEY, label varchar(99), amount numeric(8, 2))"
WITHOUT_KEY = "CREATE TABLE {name} (code varchar(20), label varchar(99))"
WITH_TWO = "CREATE TABLE {name} (code varchar(20), label varchar(99), PRIMARY KEY (code, label))"
PARTITIONED = "CREATE TABLE {name} (id integer PRIMARY KEY, label varchar(99)) PARTITION BY RANGE (id)"

Tracked = Callable[..., Snapshot]


@pytest.fixture
def tracked(project: Project) -> Iterator[Tracked]:
    """Makes a table by SQL, tracks it as a person does in the app, configures some of its fields."""
    made = []

    def track(statement: str, *fields: str, name: str = "made_by_sql") -> Snapshot:
        made.append(name)
        project.ask(statement.format(name=name))
        project.operator.clear_cache()
        project.rest.patch(f"/collections/{name}", {"meta": {"icon": "box"}})
        project.operator.clear_cache()
        for field in fields:
            project.rest.patch(f"/fields/{name}/{field}", {"meta": {"interface": "input"}})
        project.operator.clear_cache()
        return project.operator.snapshot()

    yield track
    for name in made:
        project.ask(f"DROP TABLE {name}")
        project.ask("DELETE FROM directus_fields WHERE collection = %s", name)
        project.ask("DELETE FROM directus_collections WHERE collection = %s", name)
    project.operator.clear_cache()


def told(project: Project, snapshot: Snapshot) -> list[Finding]:
    return schema_export.snapshot_problems(snapshot, project.operator)


@pytest.mark.parametrize("configured", [(), ("label",)], ids=["no field", "all but the key"])
def test_a_key_that_is_not_configured_is_named_with_what_to_do(
    project: Project, tracked: Tracked, configured: tuple[str, ...]
) -> None:
    snapshot = tracked(PLAIN, *configured)
    with pytest.raises(ValueError, match="no key column"):
        profile(snapshot, "made_by_sql")
    (problem,) = told(project, snapshot)
    assert (problem.code, problem.where) == ("MIG-123", 'local · collection "made_by_sql"')
    assert "made_by_sql → code → Save" in problem.do
    assert schema_export.snapshot_problems(snapshot, project.operator, side="production") == []


@pytest.mark.parametrize("statement", [WITHOUT_KEY, WITH_TWO], ids=["no key", "a key of two columns"])
def test_a_table_whose_rows_directus_cannot_read_is_named(project: Project, tracked: Tracked, statement: str) -> None:
    (problem,) = told(project, tracked(statement))
    assert (problem.code, problem.where) == ("MIG-125", 'local · collection "made_by_sql"')


def test_a_partitioned_table_that_directus_takes_for_a_folder_is_named(project: Project, tracked: Tracked) -> None:
    snapshot = tracked(PARTITIONED)
    assert told(project, snapshot) == [], "over REST there is nothing of it"
    (problem,) = schema_export.snapshot_problems(
        snapshot, project.operator, database=schema_plan.read_local(project.url)
    )
    assert (problem.code, problem.where) == ("MIG-127", 'local · collection "made_by_sql"')


def test_the_tracked_table_of_another_tool_is_named(project: Project, tracked: Tracked) -> None:
    snapshot = tracked(PLAIN, "code", "label", "amount", name="directus_sync_id_map")
    (problem,) = told(project, snapshot)
    assert (problem.code, problem.where) == ("MIG-124", 'local · collection "directus_sync_id_map"')


def test_values_in_a_column_that_is_not_configured_are_counted_and_wait_for_a_waiver(
    project: Project, tracked: Tracked
) -> None:
    snapshot = tracked(PLAIN, "code", "label")
    assert told(project, snapshot) == []
    assert unconfigured.find(snapshot, project.operator) == [], "a column without a value loses nothing"
    project.ask("INSERT INTO made_by_sql VALUES ('a', 'one', 1.50), ('b', 'two', NULL), ('c', 'three', 0)")
    found = unconfigured.find(snapshot, project.operator)
    assert [(each.what, each.count) for each in found] == [("made_by_sql.amount", 2)]
    (stop,) = unconfigured.not_accepted(found)
    assert (stop.code, stop.where) == ("MIG-126", 'local · "made_by_sql.amount"')
    waiver = Waiver("NOT_CARRIED", "made_by_sql.amount", "computed anew in production", "Ada", TODAY)
    signed = unconfigured.find(snapshot, project.operator, [waiver], today=TODAY)
    assert unconfigured.not_accepted(signed) == []
    assert "accepted by Ada" in str(signed[0])


def test_a_table_made_by_sql_and_configured_whole_is_moved(project: Project, tracked: Tracked) -> None:
    snapshot = tracked(PLAIN, "code", "label", "amount")
    project.ask("INSERT INTO made_by_sql VALUES ('a', 'one', 1.50)")
    assert told(project, snapshot) == []
    assert unconfigured.find(snapshot, project.operator) == []
    assert profile(snapshot, "made_by_sql").key == "code"


@pytest.mark.parametrize(
    ("kind", "value"),
    [("bytea", "\\x00ff"), ("jsonb", '{"a": 1}'), ("point", "(1,2)"), ("text[]", "{a}"), ("inet", "::1")],
)
def test_values_of_every_type_are_counted(project: Project, tracked: Tracked, kind: str, value: str) -> None:
    snapshot = tracked(PLAIN.replace("amount numeric(8, 2)", f"amount {kind}"), "code", "label")
    project.ask("INSERT INTO made_by_sql VALUES ('a', 'one', %s)", value)
    (found,) = unconfigured.find(snapshot, project.operator)
    assert (found.what, found.count) == ("made_by_sql.amount", 1)
