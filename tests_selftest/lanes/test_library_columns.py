"""Every column of the library's files and folders is in production as in local, whatever its type; nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from fixtures.checks.rows import data_rules
from fixtures.model.export import AssetInventory
from fixtures.model.imports import ImportResult
from fixtures.model.snapshot import Snapshot
from fixtures.operations.imports import library, library_completion
from fixtures.operations.source import asset_export, not_carried
from fixtures.operations.verification import data_audit, library_audit
from tests_selftest.lanes.project import PICTURE, Killed, Migration, Project, column, killed

A, B, C, D = (f"{digit * 8}-2222-4222-8222-222222222222" for digit in "abcd")
TOP, WITHIN = (f"{digit * 8}-3333-4333-8333-333333333333" for digit in "ef")
CATEGORY, OWNER = "11111111-4444-4444-8444-444444444444", "22222222-4444-4444-8444-444444444444"
KINDS = (
    column("credit"), column("note", "text"), column("price", "decimal", numeric_precision=12, numeric_scale=4),
    column("big", "bigInteger"), column("ratio", "float"), column("taken", "timestamp"), column("shot", "dateTime"),
    column("at", "time"), column("day", "date"), column("camera", "json", special="cast-json"),
    column("words", "csv", special="cast-csv"), column("ok", "boolean", default_value=True),
    column("code", "uuid"), column("secret", "hash", special="hash"), column("pin", special="conceal"),
    column("category", "uuid", special="m2o"), column("owner", "uuid", special="m2o"),
    column("sibling", "uuid", special="m2o"), column("made_by", "uuid", special="user-created"),
    column("made_on", "timestamp", special="date-created"), column("rank", "integer", default_value=7),
)  # fmt: skip
RELATIONS = (("category", "categories"), ("owner", "directus_users"), ("sibling", "directus_files"))
BY_HAND = {"window": "interval", "address": "inet", "raw": "bytea", "labels": "text[]", "paid": "money"}
VALUES = {
    "title": "'A ''title'''", "description": "NULL", "tags": "'[\"one\", \"two\"]'", "location": "'Ghent'",
    "embed": "'https://video.example/1'", "duration": "61", "charset": "'utf-8'", "focal_point_x": "3",
    "focal_point_y": "0", "width": "80", "height": "81",
    "metadata": "'{\"n\": 12345678901234567890, \"exif\": {\"f\": 1.10, \"x\": null}}'",
    "uploaded_on": "'2026-01-02 03:04:05.123456+00'", "created_on": "'2026-01-02 03:04:05.654321+00'",
    "modified_on": "'2026-01-03 03:04:05.000001+00'",
    "credit": "E'a\\tb\\\\c'", "note": "E'line\\nline \\u00e9'", "price": "1234.5000", "big": "9007199254740993",
    "ratio": "'-Infinity'", "taken": "'2026-01-02 03:04:05.123456+00'", "shot": "'2026-01-02 03:04:05.75'",
    "at": "'03:04:05.123456'", "day": "'2026-01-02'",
    "camera": "'{\"a\": 9007199254740993, \"b\":1.10, \"e\": 1e400}'", "words": "'one,\"t,wo\"'", "ok": "false",
    "code": f"'{CATEGORY}'", "secret": "'$argon2id$v=19$m=1$abc'", "pin": "'1234'", "category": f"'{CATEGORY}'",
    "owner": f"'{OWNER}'", "sibling": f"'{B}'", "made_by": f"'{OWNER}'",
    "made_on": "'2025-12-31 23:59:59.999999+00'", "rank": "8", "window": "'1 day 02:03:04.5'",
    "address": "'10.0.0.0/8'", "raw": "'\\xdeadbeef'", "labels": "'{a,\"b c\",NULL}'", "paid": "12.30",
}  # fmt: skip
OWN = tuple(name for name in VALUES if name in {str(each["field"]) for each in KINDS} | BY_HAND.keys())
NEW = frozenset({*(f"directus_files.{name}" for name in OWN), "directus_folders.colour", "directus_folders.made"})


@pytest.fixture(scope="module")
def started() -> Iterator[Project]:
    project = Project()
    try:
        project.start()
        for each in KINDS:
            project.rest.post("/fields/directus_files", each)
        for name, kind in BY_HAND.items():
            project.ask(f'ALTER TABLE directus_files ADD COLUMN "{name}" {kind}')
        project.operator.clear_cache()
        for name in BY_HAND:
            project.rest.patch(f"/fields/directus_files/{name}", {"meta": {"note": "made by hand"}})
        for name, target in RELATIONS:
            relation = {"collection": "directus_files", "field": name, "related_collection": target}
            project.rest.post("/relations", relation)
        project.rest.post("/fields/directus_folders", column("colour"))
        project.rest.post("/fields/directus_folders", column("made", "timestamp"))
        yield project
    finally:
        project.stop()


def silent(*_: object) -> None:
    """Nobody watches."""


class Library:
    """Local's library, exported; production is the same Directus afterwards."""

    def __init__(self, project: Project, folder: Path, *, exact: bool = True) -> None:
        self.project, self.folder, self.exact = project, folder, exact
        project.empty()
        project.ask("DELETE FROM directus_folders")
        project.person("owner@example.org", OWNER)
        self.category()
        project.ask("INSERT INTO directus_folders (id, name, colour, made) VALUES (%s, 'same', 'red', %s)",
                    TOP, "2026-01-02 03:04:05.123456+00")  # fmt: skip
        project.ask("INSERT INTO directus_folders (id, name, parent) VALUES (%s, 'same', %s)", WITHIN, TOP)
        for key in (A, B, C, D):
            project.rest.upload({"id": key, "title": key[:1], "folder": WITHIN}, f"{key[:1]}.png", PICTURE, "image/png")
        settings = ", ".join(f'"{name}" = {value}' for name, value in VALUES.items())
        project.ask(f"UPDATE directus_files SET {settings} WHERE id = '{A}'".replace("%", "%%"))
        self.schema: Snapshot = project.operator.snapshot()
        self.assets: AssetInventory = asset_export.export_assets(
            project.operator, folder, silent, schema=self.schema, database=project.url if exact else None
        )
        self.was = self.rows()

    def category(self) -> None:
        self.project.ask("INSERT INTO categories (id, name) VALUES (%s, 'Maps')", CATEGORY)

    def rows(self) -> dict[str, dict[str, str | None]]:
        """Every file and folder by id, each column as Postgres' own text, by a query of this test."""
        found: dict[str, dict[str, str | None]] = {}
        for table in ("directus_files", "directus_folders"):
            names = [name for (name,) in self.project.ask(
                "SELECT column_name::text FROM information_schema.columns WHERE table_name = %s"
                " AND column_name NOT IN ('filename_disk', 'storage') ORDER BY 1", table,
            )]  # fmt: skip
            texts = ", ".join(f'"{name}"::text' for name in names)
            for row in self.project.ask(f"SELECT {texts} FROM {table}"):
                values = dict(zip(names, row, strict=True))
                found[str(values["id"])] = values
        return found

    def blank(self) -> None:
        """Production without a row of the library, and without the row a file refers to."""
        self.project.ask("DELETE FROM directus_files")
        self.project.ask("DELETE FROM directus_folders")
        self.project.ask("DELETE FROM categories")

    def migration(self, lane: str, *, policies: str = "stop") -> Migration:
        files = {name: (self.folder / name).read_bytes() for name in ("files.json", "folders.json")}
        rows = {"categories": [{"id": CATEGORY, "name": "Maps"}]}
        migration = Migration(
            self.project, self.folder, rows, {OWNER: OWNER}, lane=lane, snapshot=self.schema, policies=policies
        )
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        return migration

    def run(self, migration: Migration, **more: Any) -> ImportResult:
        return migration.run(**{"assets": self.assets, "new_columns": NEW, **more})

    def verified(self, migration: Migration, result: ImportResult) -> list[str]:
        """What 4.3.2 says of the library."""
        import_set = migration.import_set(assets=self.assets, new_columns=NEW)
        found = library_audit.verify(
            self.project.operator, self.project.url, import_set, result.conflicts, set(), tuple
        )
        return [f"{each.code} {each.where}: {each.observed}" for each in data_rules.library_mismatches(found)]

    def left(self, migration: Migration, result: ImportResult) -> dict[str, int]:
        """What another import would do."""
        import_set = migration.import_set(assets=self.assets, new_columns=NEW)
        return data_audit.remaining_imports(
            self.project.operator, import_set, result.conflicts, lambda *_: {}, database=self.project.url
        )


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_every_column_of_new_files_and_folders_is_as_in_local(started: Project, tmp_path: Path, lane: str) -> None:
    local = Library(started, tmp_path)
    local.blank()
    migration = local.migration(lane)
    result = local.run(migration)
    assert result.refusals == ()
    assert [each.created for each in result.outcomes[:2]] == [2, 4]
    now = local.rows()
    assert {key: {c: v for c, v in row.items() if v != local.was[key][c]} for key, row in now.items()} == {
        key: {} for key in local.was
    }
    assert local.verified(migration, result) == []
    assert local.left(migration, result) == {}


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_what_production_has_is_filled_where_a_column_is_new_and_empty_and_never_overwritten(
    started: Project, tmp_path: Path, lane: str
) -> None:
    local = Library(started, tmp_path)
    empty = ", ".join(f'"{name}" = {"true" if name == "ok" else 7 if name == "rank" else "NULL"}' for name in OWN)
    started.ask(f"UPDATE directus_files SET {empty} WHERE id = '{A}'")
    started.ask("UPDATE directus_folders SET colour = NULL, made = NULL")
    started.ask("UPDATE directus_files SET title = 'an editor''s' WHERE id = %s", A)
    started.ask("UPDATE directus_files SET credit = 'an editor''s' WHERE id = %s", B)
    before = local.rows()
    migration = local.migration(lane, policies="keep")
    result = local.run(migration)
    now, edited = local.rows(), {A: ("title",), B: ("credit",)}
    assert {each.key: each.columns for each in result.conflicts if each.key in edited} == edited
    expected = {key: dict(row) for key, row in local.was.items()}
    expected[A]["title"] = expected[B]["credit"] = "an editor's"
    assert now == expected
    assert {name for name in now[A] if now[A][name] != before[A][name]} == set(OWN)
    assert local.verified(migration, result) == []
    assert local.left(migration, result) == {}
    started.ask("UPDATE directus_files SET note = NULL, secret = NULL WHERE id = %s", A)
    assert {each.key: each.columns for each in local.run(migration).conflicts if each.key == A} == {
        A: ("note", "secret", "title")
    }


def test_a_value_in_a_column_production_had_is_a_conflict_where_it_is_empty(started: Project, tmp_path: Path) -> None:
    local = Library(started, tmp_path)
    started.ask("UPDATE directus_files SET tags = NULL, secret = NULL WHERE id = %s", A)
    found = library.read(started.operator, local.migration("api").import_set(assets=local.assets), started.url)
    assert [(each.key, each.columns) for each in found.conflicts] == [(A, ("secret", "tags"))]
    assert not any(found.incomplete.values())


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_a_run_that_was_killed_before_it_set_them_is_continued(
    started: Project, tmp_path: Path, lane: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = Library(started, tmp_path)
    local.blank()
    migration = local.migration(lane)
    with monkeypatch.context() as patched:
        patched.setattr(library_completion, "complete", killed)
        with pytest.raises(Killed):
            local.run(migration)
    assert local.rows()[A]["secret"] is None
    result = local.run(migration)
    assert result.conflicts == ()
    assert local.rows() == local.was
    assert local.verified(migration, result) == []


@pytest.mark.parametrize("name", ["secret", "taken", "metadata", "uploaded_on", "raw"])
def test_a_value_that_did_not_arrive_is_named_by_file_and_column(started: Project, tmp_path: Path, name: str) -> None:
    local = Library(started, tmp_path)
    local.blank()
    migration = local.migration("api")
    result = local.run(migration)
    other = {"secret": "'x'", "taken": "'2026-01-02 03:04:05.123457+00'", "raw": "'\\x00'",
             "metadata": "'{\"n\": 12345678901234567891}'", "uploaded_on": "uploaded_on + '1 microsecond'"}  # fmt: skip
    started.ask(f"UPDATE directus_files SET {name} = {other[name]} WHERE id = '{A}'")
    assert local.verified(migration, result) == [f"MIG-434 production · directus_files · key {A}: differs in {name}"]


def test_without_local_s_database_the_api_carries_what_it_can_and_the_rest_needs_a_signature(
    started: Project, tmp_path: Path
) -> None:
    local = Library(started, tmp_path, exact=False)
    blank = Mock(all_columns=dict)
    found = not_carried.find(local.schema, started.operator, blank, [])
    counted = {each.what: (each.count, each.meaning) for each in found}
    assert not_carried.find(local.schema, started.operator, blank, [], exact_library=True) == []
    rounded = {"taken", "shot", "camera", "ratio"}
    assert {name.split(".")[1] for name, (_, why) in counted.items() if why == not_carried.VALUE_ROUNDED} == {
        *rounded, "made"
    }  # fmt: skip
    left = {
        "window",
        "address",
        "raw",
        "labels",
        "paid",
        "secret",
        "pin",
        "category",
        "owner",
        "sibling",
        "made_by",
        "made_on",
    }
    assert {name.split(".")[1] for name, (_, why) in counted.items() if why == not_carried.VALUE_LEFT_OUT} == left
    assert [each.code for each in not_carried.not_accepted(found)] == ["MIG-135"] * len(found)
    local.blank()
    migration = local.migration("api")
    result = local.run(migration)
    now = local.rows()
    assert local.verified(migration, result) == []
    carried = ("title", "description", "location", "embed", "duration", "charset", "width", "height", "credit", "note",
               "price", "big", "day", "ok", "code", "rank", "focal_point_x", "folder")  # fmt: skip
    assert {name: now[A][name] for name in carried} == {name: local.was[A][name] for name in carried}
    assert now[TOP]["colour"] == "red"
