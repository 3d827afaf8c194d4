"""Fields a project adds to Directus' own collections are planned, applied, compared and shown like any other."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

from fixtures.model.export import FileWithoutBytes
from fixtures.model.not_carried import NotCarried
from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.model.waiver import Waiver
from fixtures.operations.imports import library
from fixtures.operations.preservation import existing_data
from fixtures.operations.schema import apply, data_model_view, schema_plan, schema_verification
from fixtures.operations.scratch_rows import navigation, related
from fixtures.operations.source import asset_export, not_carried, schema_export, unconfigured
from fixtures.operations.verification import audit, relation_checks
from fixtures.systems.browser.window import Browser
from fixtures.systems.directus import DirectusObserver
from fixtures.systems.directus.admin import DirectusAdmin
from fixtures.systems.directus.sandbox import DirectusSandbox
from fixtures.systems.postgres.observer import PostgresObserver
from fixtures.world import toolchain
from fixtures.world.progress import no_progress
from tests_selftest.lanes.project import PICTURE, Migration, Project, column

NEW = (
    "directus_files.alt_text",
    "directus_settings.motto",
    "directus_users.bio",
    "directus_users.department",
    "directus_users.reviewed",
    "directus_users.vip",
)


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
    rest.post("/fields/directus_users", column("vip", "boolean", default_value=False))
    rest.post("/fields/directus_settings", column("motto"))
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
    assert schema_export.snapshot_problems(found, started.operator) == []
    for name in ("articles.reviewer", *NEW):
        if name in started.operator.snapshot().fields:
            assert started.transport.ask("DELETE", f"/fields/{name.replace('.', '/')}").status == 204
    return found


@pytest.fixture
def extended(started: Project, local: Snapshot) -> Project:
    """Production with local's schema."""
    with PostgresObserver(started.url) as database:
        plan, _ = schema_plan.make_plan(started.operator, database, local, started.operator.snapshot())
        apply.apply(started.operator, database, plan, local)
    return started


def silent(*_: object) -> None:
    """Nobody watches."""


def test_a_snapshot_without_a_field_of_a_system_collection_is_incomplete(started: Project, local: Snapshot) -> None:
    cut = Snapshot({**local.raw, "fields": [each for each in local.raw["fields"] if each["field"] != "bio"]})
    started.rest.post("/fields/directus_users", column("bio", "text"))
    (problem,) = schema_export.snapshot_problems(Snapshot({**cut.raw, "relations": []}), started.operator)
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


@pytest.mark.usefixtures("extended")
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


@pytest.mark.usefixtures("extended")
def test_their_relations_are_tried_or_said_not_to_be(started: Project, local: Snapshot, tmp_path: Path) -> None:
    chosen = related.relations(local)
    with DirectusSandbox(started.transport, run="run-20261101T120000Z") as sandbox:
        found = navigation.exercise_relations(local, chosen, started.operator, sandbox)
        edges = related.edge_cases(local, local.tables, started.operator, sandbox)
        edges += related.cascades(local, chosen, started.operator, sandbox)
    by_name = {trial.name: trial for trial in found}
    assert by_name["articles.reviewer"].held
    assert "directus_users" in by_name["directus_users.department"].not_tried
    assert "directus_users.department" not in related.testable_relations(local)
    assert related.untried_rules(local, edges) == []
    migration = Migration(started, tmp_path, {}, snapshot=local)
    held = started.operator.counts(local.tables)
    read = relation_checks.check_relations(started.operator, started.url, migration.import_set(), held, silent)
    assert {each.relation for each in read} == relation_checks.relation_names(local)


@pytest.mark.usefixtures("extended")
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


@pytest.mark.usefixtures("extended")
def test_the_data_model_is_not_loaded_again_where_the_login_opened_it(started: Project) -> None:
    """The app opens the last page of a user; to load it anew takes seconds."""
    tools = toolchain.ensure(toolchain.CACHE, supervisor=started.supervisor, progress=no_progress)
    url = started.running.url
    started.ask("UPDATE directus_users SET last_page = '/settings/data-model' WHERE email = 'admin@example.org'")
    with Browser(tools.chromium, own=(url,)) as browser, browser.tab(url) as tab:
        admin = DirectusAdmin(tab, url)
        admin.log_in("admin@example.org", Secret("admin"))
        tab.wait_visible(".collection-item")
        loaded: list[str] = []
        tab.page.on("load", lambda page: loaded.append(page.url))
        admin.data_model()
        shown = admin.collections_shown()
    assert loaded == []
    assert any(text.startswith("articles") for text in shown)


@pytest.mark.usefixtures("extended")
def test_a_column_added_to_a_system_collection_by_hand_is_named_where_it_has_values(
    started: Project, local: Snapshot
) -> None:
    for table in ("directus_users", "directus_files"):
        started.ask(f"ALTER TABLE {table} ADD COLUMN by_hand text")
    started.ask("UPDATE directus_users SET by_hand = 'x'")
    started.operator.clear_cache()
    try:
        found = unconfigured.find(local, started.operator)
    finally:
        for table in ("directus_users", "directus_files"):
            started.ask(f"ALTER TABLE {table} DROP COLUMN by_hand")
        started.operator.clear_cache()
    assert [each.what for each in found] == ["directus_users.by_hand"]
    assert [each.code for each in unconfigured.not_accepted(found)] == ["MIG-126"]
    assert unconfigured.find(local, started.operator) == []


A, B, C = (f"{digit * 8}-1111-4111-8111-111111111111" for digit in "abc")


class Production:
    """A production with these columns, and these rows of Directus' collections."""

    def __init__(self, columns: dict[str, tuple[str, ...]], rows: dict[str, list[dict[str, Any]]]) -> None:
        self.columns, self.rows = columns, rows

    def all_columns(self) -> dict[str, tuple[str, ...]]:
        return self.columns

    def items(self, collection: str, *, key: str, fields: list[str]) -> list[dict[str, Any]]:
        assert key == "id"
        return [{name: row.get(name) for name in fields} for row in self.rows.get(collection, ())]

    def settings(self, fields: list[str]) -> dict[str, Any]:
        return {name: row.get(name) for row in self.rows["directus_settings"] for name in fields}


BLANK = Production({}, {})
TODAY = date(2026, 11, 1)
KINDS = (
    column("pin", "hash", special="hash"),
    column("code", special="conceal"),
    column("seen", "timestamp", default_value="CURRENT_TIMESTAMP"),
    column("prefs", "json", special="cast-json"),
    column("words", "csv", special="cast-csv"),
    column("rank", "integer", default_value=7),
)


@pytest.fixture
def people(extended: Project) -> Iterator[None]:
    """Three people, two of them with values in the project's own columns; a motto, and a file."""
    values: list[dict[str, Any]] = [{"bio": "Ada's"}, {"bio": "Eve's", "vip": True}, {}]
    for number, more in enumerate(values):
        extended.rest.post("/users", {"email": f"person{number}@example.org", **more})
    extended.rest.patch("/settings", {"motto": "Zoned"})
    extended.rest.upload({"id": A, "alt_text": "carried"}, "a.png", PICTURE, "image/png")
    yield
    extended.rest.patch("/settings", {"motto": None})
    extended.ask("DELETE FROM directus_files")
    extended.ask("DELETE FROM directus_users WHERE email ~ '^person'")


def uncarried(project: Project, local: Snapshot, there: Production, *waivers: Waiver) -> list[NotCarried]:
    absent = [FileWithoutBytes(A, "map", "403 FORBIDDEN")]
    production = cast(DirectusObserver, there)
    return not_carried.find(local, project.operator, production, absent, waivers, today=TODAY)


@pytest.mark.usefixtures("people")
def test_values_that_are_not_carried_are_counted_and_a_default_is_none(extended: Project, local: Snapshot) -> None:
    found = uncarried(extended, local, BLANK)
    assert [(each.what, each.count) for each in found] == [
        ("directus_settings.motto", 1),
        ("directus_users.bio", 2),
        ("directus_users.vip", 1),
        (f'file "map" ({A})', 1),
    ]
    assert str(found[1]).startswith("directus_users.bio: 2 rows of local have something that is not carried over")


@pytest.mark.usefixtures("people")
def test_they_stop_until_a_waiver_names_each_column_and_say_who_accepts_them(
    extended: Project, local: Snapshot
) -> None:
    stops = not_carried.not_accepted(uncarried(extended, local, BLANK))
    assert [(each.code, each.where) for each in stops] == [
        ("MIG-135", "local · directus_settings.motto · 1 row(s)"),
        ("MIG-135", "local · directus_users.bio · 2 row(s)"),
        ("MIG-135", "local · directus_users.vip · 1 row(s)"),
    ]
    assert "code NOT_CARRIED and object directus_users.bio" in stops[1].do
    signed = Waiver("NOT_CARRIED", "directus_users.bio", "entered again after the move", "Ada", TODAY)
    past = replace(signed, object="directus_users.vip", expires=date(2026, 10, 31))
    found = uncarried(extended, local, BLANK, signed, past, Waiver("NO_BYTES", A, "lost years ago", "Ada", TODAY))
    stops = not_carried.not_accepted(found)
    assert [each.where for each in stops] == [
        "local · directus_settings.motto · 1 row(s)",
        "local · directus_users.vip · 1 row(s)",
    ]
    said = {each.what: str(each) for each in found}
    assert said["directus_users.bio"].endswith("accepted by Ada until 2026-11-01: entered again after the move")
    assert said[f'file "map" ({A})'].endswith("accepted by Ada until 2026-11-01: lost years ago")


@pytest.mark.usefixtures("people")
def test_what_the_same_row_of_production_has_already_is_not_uncarried(extended: Project, local: Snapshot) -> None:
    there = Production(
        {"directus_users": ("bio", "email", "vip"), "directus_settings": ("motto",)},
        {
            "directus_settings": [{"motto": "Zoned"}],
            "directus_users": [
                {"id": B, "email": "PERSON0@example.org", "bio": "Ada's"},
                {"id": C, "email": "person1@example.org", "bio": "another", "vip": True},
            ],
        },
    )
    found = uncarried(extended, local, there)
    assert [(each.what, each.count) for each in found[:-1]] == [("directus_users.bio", 1)]


def test_a_value_of_every_kind_of_column_is_counted(extended: Project) -> None:
    """What is masked or rounded over the API never counts as the same; a default that is an expression is no value."""
    for each in KINDS:
        extended.rest.post("/fields/directus_users", each)
    names = [str(each["field"]) for each in KINDS]
    try:
        local = extended.operator.snapshot()
        raw = {**local.raw, "fields": [each for each in local.raw["fields"] if each["field"] in names]}
        person: dict[str, Any] = {"email": "person@example.org", "pin": "1234", "code": "x", "seen": "2026-01-02"}
        extended.rest.post("/users", {**person, "prefs": {"a": 1}, "words": ["a", "b"], "rank": 8})
        extended.ask("UPDATE directus_users SET seen = NULL WHERE email = 'admin@example.org'")
        there = Production({"directus_users": (*names, "email")}, {"directus_users": extended.rest.get("/users")})
        for production in (BLANK, there):
            found = {each.what: each.count for each in uncarried(extended, Snapshot(raw), production)[:-1]}
            same = {} if production is BLANK else {"directus_users.rank", "directus_users.words"}
            assert found == {f"directus_users.{name}": 1 for name in names if f"directus_users.{name}" not in same}
    finally:
        extended.ask("DELETE FROM directus_users WHERE email ~ '^person'")
        for name in names:
            extended.transport.ask("DELETE", f"/fields/directus_users/{name}")


def file(key: str, text: str | None) -> dict[str, Any]:
    read = {"width": 8, "height": 8, "metadata": {}}
    named = {**read, "title": key[:1], "filename_download": f"{key[:1]}.png", "type": "image/png"}
    stamps = dict.fromkeys(("uploaded_on", "created_on", "modified_on"), "2026-01-02T03:04:05.000Z")
    return {"id": key, **named, **stamps, "filesize": len(PICTURE), "alt_text": text}


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_own_columns_of_files_are_carried_filled_where_empty_and_never_overwritten(
    extended: Project, local: Snapshot, tmp_path: Path, lane: str
) -> None:
    for key, text in ((B, None), (C, "an editor's")):
        fields = {"id": key, "title": key[:1]} | ({"alt_text": text} if text else {})
        extended.rest.upload(fields, f"{key[:1]}.png", PICTURE, "image/png")
    rows = [file(A, "a red square"), file(B, "another"), file(C, "a third")]
    migration = Migration(extended, tmp_path, {}, library=rows, lane=lane, policies="keep", snapshot=local)
    new = {"new_columns": frozenset({"directus_files.alt_text"})}
    try:
        left = library.read(extended.operator, migration.import_set(**new))
        assert (len(left.files_to_create), left.to_backfill["directus_files"]) == (1, {B: ("alt_text",)})
        assert not library.read(extended.operator, migration.import_set()).to_backfill["directus_files"]
        result = migration.run(**new)
        held = dict(extended.ask("SELECT id::text, alt_text FROM directus_files"))
        again = library.read(extended.operator, migration.import_set(**new))
    finally:
        extended.ask("DELETE FROM directus_files")
    assert held == {A: "a red square", B: "another", C: "an editor's"}
    assert [(each.key, each.columns) for each in result.conflicts] == [(C, ("alt_text",))]
    assert (again.files_to_create, any(again.incomplete.values())) == ([], False)


def test_files_without_bytes_are_named_by_title_and_left_out_with_a_waiver(extended: Project, tmp_path: Path) -> None:
    extended.rest.upload({"id": A, "title": "whole"}, "a.png", PICTURE, "image/png")
    for key, title, disk in ((B, "lost", "lost.png"), (C, None, None)):
        extended.ask(
            "INSERT INTO directus_files (id, storage, title, filename_download, filename_disk, type)"
            " VALUES (%s, 'local', %s, 'c.png', %s, 'image/png')", key, title, disk,
        )  # fmt: skip
    try:
        found = asset_export.export_assets(extended.operator, tmp_path, silent, schema=extended.snapshot)
    finally:
        extended.ask("DELETE FROM directus_files")
    assert [each.id for each in found.files] == [A]
    assert [(each.id, each.title) for each in found.without_bytes] == [(B, "lost"), (C, "c.png")]
    assert [row["id"] for row in json.loads((tmp_path / "files.json").read_text())] == [A]
    named = asset_export.files_without_bytes(found, [], today=TODAY)
    assert [(each.code, each.where) for each in named] == [
        ("MIG-134", f'local · file "lost" · id {B}'),
        ("MIG-134", f'local · file "c.png" · id {C}'),
    ]
    signed = Waiver("NO_BYTES", B, "lost years ago, nobody links it", "Ada", TODAY)
    (left,) = asset_export.files_without_bytes(found, [signed], today=TODAY)
    assert C in left.where
    assert len(asset_export.files_without_bytes(found, [signed], today=date(2026, 11, 2))) == 2
