"""
What the second pass set in a row is recorded: a later run sets only what is not, and a person's change stays.

Values of the second pass, of which each is tried: the null of a uuid column, the parent in a cycle, a reference
that closes a circle of collections, a column that is new in production.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fixtures.checks.rows import import_rules
from fixtures.model.conflict_policy import parse_policies
from fixtures.model.snapshot import Snapshot
from fixtures.operations import lanes
from fixtures.operations.imports import import_plan
from fixtures.operations.lane_api.second_pass import SecondPass
from fixtures.operations.verification import data_audit
from tests_selftest.lanes.project import Killed, Migration, Project, column, killed, serial

A, B = "c1c1e000-0000-4000-8000-00000000000a", "c1c1e000-0000-4000-8000-00000000000b"
TYPED = "70ce0000-0000-4000-8000-000000000002"


@dataclass(frozen=True)
class Later:
    """
    One value that is set in a row after the row was created.

    Attributes:
        wanted: The value, as text, once the import has ended.
        change: What a person does to it afterwards, in SQL, which leaves no trace in directus_activity.
        changed: The value from then on.
    """

    collection: str
    key: str
    column: str
    rows: Mapping[str, Any]
    wanted: str | None
    changed: str | None
    new_columns: frozenset[str] = frozenset()
    there: Mapping[str, Any] = field(default_factory=dict)

    def value(self, project: Project) -> str | None:
        asked = f"SELECT {self.column}::text FROM {self.collection} WHERE id::text = %s"
        ((found,),) = project.ask(asked, self.key)
        return None if found is None else str(found)

    def change(self, project: Project) -> None:
        changed = "NULL" if self.changed is None else f"'{self.changed}'"
        project.ask(f"UPDATE {self.collection} SET {self.column} = {changed} WHERE id::text = %s", self.key)


UUID_NULL = Later(
    "g_tokens", "2", "token",
    {"g_tokens": [{"id": 1, "name": "n", "token": A}, {"id": 2, "name": "m", "token": None}]},
    None, TYPED,
)  # fmt: skip
CYCLE_PARENT = Later(
    "categories", A, "parent",
    {"categories": [{"id": A, "name": "a", "parent": B}, {"id": B, "name": "b", "parent": A}]}, B, None,
)  # fmt: skip
DEFERRED = Later(
    "articles", "1", "lead",
    {
        "articles": [{"id": 1, "slug": "s", "title": "t", "lead": 1}],
        "comments": [{"id": 1, "article": 1, "text": "first"}],
    },
    "1", None,
)  # fmt: skip
NEW_COLUMN = Later(
    "articles", "1", "title", {"articles": [{"id": 1, "slug": "s", "title": "Ours"}]}, "Ours", None,
    frozenset({"articles.title"}), {"articles": {"id": 1, "slug": "s"}},
)  # fmt: skip
NEW_COLUMN_OF_OURS = Later(
    "articles", "1", "title", {"articles": [{"id": 1, "slug": "s", "title": "Ours"}]}, "Ours", None,
    frozenset({"articles.title"}),
)  # fmt: skip
EVERY = {
    "uuid null": UUID_NULL,
    "cycle parent": CYCLE_PARENT,
    "deferred reference": DEFERRED,
    "new column": NEW_COLUMN,
    "new column of a row that was created": NEW_COLUMN_OF_OURS,
}
OF_CREATED_ROWS = [UUID_NULL, CYCLE_PARENT, DEFERRED]


@pytest.fixture
def target(project: Project) -> Iterator[tuple[Project, Snapshot]]:
    """The project with a collection whose column `token` is filled by Directus."""
    fields = [serial(), column("name"), column("token", "uuid", special="uuid")]
    project.rest.post("/collections", {"collection": "g_tokens", "schema": {}, "meta": {}, "fields": fields})
    try:
        yield project, project.snapshot_with("g_tokens")
    finally:
        project.rest.delete("/collections/g_tokens")


def migration_of(target: tuple[Project, Snapshot], folder: Path, later: Later, **more: Any) -> Migration:
    project, snapshot = target
    for name, row in later.there.items():
        project.rest.post(f"/items/{name}", row)
    return Migration(project, folder, later.rows, snapshot=snapshot, **more)


def left_to_import(migration: Migration, later: Later) -> dict[str, int]:
    """What 4.3 says another import would do."""
    observe = lanes.class_counter("api", migration.project.operator, migration.project.url)
    import_set = migration.import_set(new_columns=later.new_columns)
    return data_audit.remaining_imports(migration.project.operator, import_set, (), observe)


@pytest.mark.parametrize("later", EVERY.values(), ids=EVERY)
def test_what_is_changed_after_the_second_pass_is_a_conflict_and_stays(
    target: tuple[Project, Snapshot], tmp_path: Path, later: Later
) -> None:
    project, _ = target
    migration = migration_of(target, tmp_path, later, policies="keep")
    assert migration.run(new_columns=later.new_columns).conflicts == ()
    assert later.value(project) == later.wanted
    assert left_to_import(migration, later) == {}

    later.change(project)
    assert left_to_import(migration, later) == {later.collection: 1}, "4.3 takes the change for an unfinished run"
    again = migration.run(new_columns=later.new_columns)
    assert [(each.collection, each.key, each.columns) for each in again.conflicts] == [
        (later.collection, later.key, (later.column,))
    ]
    assert later.value(project) == later.changed
    assert (again.completed, again.refusals) == (0, ())


@pytest.mark.parametrize("later", EVERY.values(), ids=EVERY)
def test_under_the_policy_stop_the_change_stops_the_preparation(
    target: tuple[Project, Snapshot], tmp_path: Path, later: Later
) -> None:
    project, _ = target
    migration = migration_of(target, tmp_path, later)
    migration.run(new_columns=later.new_columns)
    later.change(project)
    observe = lanes.class_counter("api", project.operator, project.url)
    import_set = migration.import_set(new_columns=later.new_columns)
    plan, _ = import_plan.review(project.operator, import_set, parse_policies("stop"), observe)
    assert [each.code for each in import_rules.unresolved_conflicts(plan)] == ["MIG-413"]


@pytest.mark.parametrize("later", OF_CREATED_ROWS, ids=["uuid null", "cycle parent", "deferred reference"])
def test_a_run_that_was_killed_between_the_passes_is_finished_and_then_recorded(
    target: tuple[Project, Snapshot], tmp_path: Path, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = target
    migration = migration_of(target, tmp_path, later, policies="keep")
    with monkeypatch.context() as patched:
        patched.setattr(SecondPass, "run", killed)
        with pytest.raises(Killed):
            migration.run()
    assert later.value(project) != later.wanted
    again = migration.run()
    assert (again.conflicts, again.refusals) == ((), ())
    assert later.value(project) == later.wanted
    later.change(project)
    migration.run()
    assert later.value(project) == later.changed


@pytest.mark.parametrize("later", EVERY.values(), ids=EVERY)
def test_a_run_that_was_killed_before_the_answer_is_observed_and_then_recorded(
    target: tuple[Project, Snapshot], tmp_path: Path, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The values arrived and nobody heard of it: the next run sets nothing, and knows from then on."""
    project, _ = target
    migration = migration_of(target, tmp_path, later, policies="keep")
    send = type(project.operator).update_encoded

    def send_and_die(self: Any, *given: Any, **named: Any) -> None:
        send(self, *given, **named)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(project.operator), "update_encoded", send_and_die)
        if later is NEW_COLUMN_OF_OURS:
            migration.run(new_columns=later.new_columns)
        else:
            with pytest.raises(Killed):
                migration.run(new_columns=later.new_columns)
    assert later.value(project) == later.wanted
    again = migration.run(new_columns=later.new_columns)
    assert (again.completed, again.conflicts) == (0, ())
    later.change(project)
    last = migration.run(new_columns=later.new_columns)
    assert [(each.key, each.columns) for each in last.conflicts] == [(later.key, (later.column,))]
    assert later.value(project) == later.changed
