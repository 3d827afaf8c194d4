"""Scratch rows on a real Directus: rules as people have them are satisfied, or it is said what was not tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.checks.rows.profile import profile
from fixtures.checks.site import rule_checks
from fixtures.checks.site.access import unexpected_answers
from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.operations.scratch_rows import navigation, preview, related
from fixtures.operations.scratch_rows.scratch_values import list_endpoints
from fixtures.systems import directus as client
from fixtures.systems.directus import DirectusSandbox
from tests_selftest.lanes.project import TOKEN, Project, column, serial


def ruled(name: str, kind: str, rules: dict[str, Any], **schema: Any) -> dict[str, Any]:
    field = column(name, kind, is_nullable=False, **schema)
    field["meta"]["validation"] = {"_and": [{name: {operator: value}} for operator, value in rules.items()]}
    return field


def alias(name: str) -> dict[str, Any]:
    return {"field": name, "type": "alias", "schema": None, "meta": {"special": ["o2m"]}}


def asked_by_the_app(name: str, **schema: Any) -> dict[str, Any]:
    field = column(name, **schema)
    field["meta"]["required"] = True
    return field


RULES = {
    "s_rules": [
        serial(),
        ruled("code", "string", {"_regex": "^[A-Z]{3}-[0-9]{4}$"}, max_length=12),
        ruled("level", "integer", {"_gte": 100, "_lt": 200}),
        ruled("kind", "string", {"_in": ["one", "two"]}),
        ruled("link", "string", {"_starts_with": "https://", "_contains": "example"}),
    ],
    "s_app": [serial(), asked_by_the_app("title"), asked_by_the_app("picture", kind="uuid")],
    "s_settings": [serial(), column("name"),
                   {"field": "pages", "type": "alias", "schema": None, "meta": {"special": ["o2m"]}}],
    "s_pages": [serial(), column("settings", "integer", is_nullable=False)],
    "s_nodes": [serial(), column("parent", "integer", is_nullable=False)],
    "s_numbered": [serial(), column("number", "integer", is_unique=True, is_nullable=False),
                   column("day", "date", is_unique=True)],
    "s_impossible": [serial(), ruled("never", "string", {"_eq": "a", "_neq": "a"})],
    "s_defaults": [serial(), column("made", "timestamp", default_value="CURRENT_TIMESTAMP"),
                   column("facts", "json", default_value={"a": [1, 2]}), column("price", "decimal", default_value=1.5)],
}  # fmt: skip
REFERENCES = (
    ("s_app", "picture", "directus_files"), ("s_pages", "settings", "s_settings"), ("s_nodes", "parent", "s_nodes"),
)  # fmt: skip


@pytest.fixture(scope="module")
def ruled_project(started: Project) -> Iterator[tuple[Project, Snapshot]]:
    """The project with collections whose rules are hard to satisfy."""
    # Rows that an import of another test left have keys which their sequence has not given out.
    started.empty()
    for name, fields in RULES.items():
        meta = {"singleton": name == "s_settings"}
        started.rest.post("/collections", {"collection": name, "schema": {}, "meta": meta, "fields": fields})
    for child, field, parent in REFERENCES:
        # A foreign key that refuses null cannot be set to null by a deletion.
        rule = {"on_delete": "SET NULL" if child == "s_app" else "NO ACTION"}
        related_meta = {"one_field": "pages"} if child == "s_pages" else None
        entry = {
            "collection": child,
            "field": field,
            "related_collection": parent,
            "schema": rule,
            "meta": related_meta,
        }
        started.rest.post("/relations", entry)
    try:
        yield started, started.operator.snapshot()
    finally:
        for child, field, _ in REFERENCES:
            # Directus 11.17.4 answers 500 to the deletion of a collection that refers to itself.
            started.rest.delete(f"/relations/{child}/{field}")
        for name in reversed(RULES):
            started.rest.delete(f"/collections/{name}")


@pytest.fixture
def sandbox(ruled_project: tuple[Project, Snapshot], tmp_path: Path) -> Iterator[DirectusSandbox]:
    transport = client.connect(
        ruled_project[0].running.url, Secret(TOKEN), system="production Directus", read_only=False
    )
    with DirectusSandbox(transport, run="run-20261201T000000Z", journal=tmp_path / "scratch.jsonl") as opened:
        yield opened
    transport.close()


def test_rules_are_satisfied_and_what_is_not_tried_is_said(
    ruled_project: tuple[Project, Snapshot], sandbox: DirectusSandbox
) -> None:
    project, snapshot = ruled_project
    calls = related.exercise_collections(snapshot, list(RULES), project.operator, sandbox)
    assert unexpected_answers(calls) == []
    untried = {call.collection: call.not_tried for call in calls if call.not_tried}
    assert sorted(untried) == ["s_impossible", "s_nodes", "s_pages"]
    assert "never" in untried["s_impossible"]
    assert "must point to a row" in untried["s_pages"]
    assert "another row of s_nodes" in untried["s_nodes"]
    assert {call.verb for call in calls if call.collection == "s_rules"} == {"create", "read", "update", "delete"}
    sentences = rule_checks.not_tried(calls)
    assert len(sentences) == 3
    assert sandbox.made == ()
    assert all(project.operator.count(name) == 0 for name in RULES if name != "s_settings")


def test_only_what_is_enforced_is_expected_to_be_refused(
    ruled_project: tuple[Project, Snapshot], sandbox: DirectusSandbox
) -> None:
    project, snapshot = ruled_project
    found = related.edge_cases(snapshot, list(RULES), project.operator, sandbox)
    own = [each for each in related.relations(snapshot) if each.child in RULES]
    found += related.cascades(snapshot, own, project.operator, sandbox)
    assert rule_checks.failed_rules(found) == []
    required = {check.name for check in found if check.rule == "required" and not check.not_tried}
    assert required == {"s_rules.code", "s_rules.level", "s_rules.kind", "s_rules.link", "s_numbered.number"}
    assert {check.name for check in found if check.rule == "default"} >= {
        "s_defaults.made",
        "s_defaults.facts",
        "s_defaults.price",
    }
    told = {check.name.partition(".")[0] for check in found}
    assert {"s_rules", "s_defaults", "s_impossible", "s_pages", "s_nodes"} <= told
    assert [name for name in related.untried_rules(snapshot, found) if name.startswith("s_")] == []
    assert "s_rules.code" in related.untried_rules(snapshot, [])


def test_a_relation_without_a_row_to_point_to_is_not_tried(
    ruled_project: tuple[Project, Snapshot], sandbox: DirectusSandbox
) -> None:
    project, snapshot = ruled_project
    chosen = [each for each in related.relations(snapshot) if each.child.startswith("s_")]
    found = navigation.exercise_relations(snapshot, chosen, project.operator, sandbox)
    assert rule_checks.failed_rules(found) == []
    untried = {check.name: check.not_tried for check in found if check.not_tried}
    assert set(untried) == {"s_app.picture", "s_pages.settings", "s_nodes.parent"}
    assert "no row of directus_files" in untried["s_app.picture"]


def test_a_singleton_that_exists_is_a_parent(ruled_project: tuple[Project, Snapshot], sandbox: DirectusSandbox) -> None:
    project, snapshot = ruled_project
    project.rest.patch("/items/s_settings", {"name": "of people"})
    calls = related.exercise_collections(snapshot, ["s_pages"], project.operator, sandbox)
    assert unexpected_answers(calls) == []
    assert [call.not_tried for call in calls if call.not_tried] == []
    assert project.rest.get("/items/s_settings")["name"] == "of people"


def test_whole_rows_of_every_collection_are_listed(ruled_project: tuple[Project, Snapshot]) -> None:
    """Directus 11.17.4 answers 500 to a list with a moment that JSON has no form for; a list of its keys is given."""
    project, snapshot = ruled_project
    profiles = [profile(snapshot, name) for name in ("s_settings", "s_defaults", "s_rules")]
    project.ask("INSERT INTO s_defaults (made) VALUES ('infinity')")
    try:
        found = list_endpoints(profiles, project.operator)
    finally:
        project.ask("DELETE FROM s_defaults WHERE made = 'infinity'")
    assert {name: (call.verb, call.status) for name, call in found.items()} == {
        "s_settings": ("read", 200),
        "s_defaults": ("list", 500),
        "s_rules": ("list", 200),
    }


def test_a_unique_value_is_one_that_no_row_has(
    ruled_project: tuple[Project, Snapshot], sandbox: DirectusSandbox
) -> None:
    project, snapshot = ruled_project
    days = ("2026-01-01", "2026-01-02", "2026-01-03")
    for number, day in enumerate(days, start=1):
        project.rest.post("/items/s_numbered", {"number": number, "day": day})
    calls = related.exercise_collections(snapshot, ["s_numbered"], project.operator, sandbox)
    assert unexpected_answers(calls) == []
    assert [call.verb for call in calls] == ["create", "read", "update", "delete"]
    assert [call.not_tried for call in calls if call.not_tried] == []
    found = related.edge_cases(snapshot, ["s_numbered"], project.operator, sandbox)
    assert {check.name for check in found if check.rule == "unique"} == {"s_numbered.number", "s_numbered.day"}
    assert rule_checks.failed_rules(found) == []
    assert project.operator.count("s_numbered") == len(days)


def test_a_scratch_child_is_found_among_the_children_of_a_singleton(
    ruled_project: tuple[Project, Snapshot], sandbox: DirectusSandbox
) -> None:
    project, snapshot = ruled_project
    project.rest.patch("/items/s_settings", {"name": "of people"})
    parent = project.rest.get("/items/s_settings")["id"]
    made = project.rest.post("/items/s_pages", {"settings": parent})["id"]
    chosen = [each for each in related.relations(snapshot) if each.child == "s_pages"]
    found = navigation.exercise_relations(snapshot, chosen, project.operator, sandbox)
    assert [check.rule for check in found] == ["M2O", "O2M"]
    assert rule_checks.failed_rules(found) == []
    project.rest.delete(f"/items/s_pages/{made}")


FAMILY = {
    "f_chapters": [serial(), alias("sections")],
    "f_sections": [serial(), column("chapter", "integer", is_nullable=False), column("parent", "integer"),
                   column("term", "integer"), alias("children")],
    "f_terms": [serial(), column("section", "integer", is_nullable=False), alias("used_in"), alias("notes")],
    "f_notes": [serial(), column("term", "integer"), column("chapter", "integer")],
}  # fmt: skip
FAMILY_RELATIONS = (
    ("f_sections", "chapter", "f_chapters", "sections"), ("f_sections", "parent", "f_sections", "children"),
    ("f_sections", "term", "f_terms", "used_in"), ("f_terms", "section", "f_sections", None),
    ("f_notes", "term", "f_terms", "notes"), ("f_notes", "chapter", "f_chapters", None),
)  # fmt: skip


@pytest.fixture
def family_schema(ruled_project: tuple[Project, Snapshot]) -> Iterator[Snapshot]:
    """Collections whose parents are, or need, rows of the child's own collection."""
    rest = ruled_project[0].rest
    for name, fields in FAMILY.items():
        rest.post("/collections", {"collection": name, "schema": {}, "meta": {}, "fields": fields})
    for child, field, parent, one_field in FAMILY_RELATIONS:
        rule, meta = {"on_delete": "NO ACTION"}, {"one_field": one_field}
        entry = {"collection": child, "field": field, "related_collection": parent, "schema": rule, "meta": meta}
        rest.post("/relations", entry)
    yield ruled_project[0].operator.snapshot()
    for child, field, _, _ in FAMILY_RELATIONS:
        rest.delete(f"/relations/{child}/{field}")
    for name in FAMILY:
        rest.delete(f"/collections/{name}")


def test_the_list_of_a_parent_holds_its_scratch_child_alone_where_parents_are_or_need_children(
    ruled_project: tuple[Project, Snapshot], family_schema: Snapshot, sandbox: DirectusSandbox
) -> None:
    """One child is not made for all its relations then; elsewhere it is."""
    project, snapshot = ruled_project[0], family_schema
    chosen = [each for each in related.relations(snapshot) if each.child.startswith("f_")]
    found = navigation.exercise_relations(snapshot, chosen, project.operator, sandbox)
    assert rule_checks.failed_rules(found) == []
    assert [check.name for check in found if check.not_tried] == []
    assert sorted(check.name for check in found) == sorted(
        [f"{child}.{field}" for child, field, _, _ in FAMILY_RELATIONS]
        + [f"{parent}.{one}" for _, _, parent, one in FAMILY_RELATIONS if one]
    )
    assert sum(project.operator.count(name) for name in FAMILY) == 0


def refusing_flow(project: Project, collection: str) -> str:
    """An active filter flow that refuses every new row with the code of a broken validation; its key."""
    options = {"type": "filter", "scope": ["items.create"], "collections": [collection]}
    told = {"name": "Never", "status": "active", "trigger": "event", "accountability": "all", "options": options}
    flow = str(project.rest.post("/flows", told)["id"])
    step = {"flow": flow, "name": "No", "key": "no", "type": "throw-error", "position_x": 19, "position_y": 1}
    refusal = {"code": "FAILED_VALIDATION", "status": "400", "message": "never"}
    run = project.rest.post("/operations", {**step, "options": refusal})
    project.rest.patch(f"/flows/{flow}", {"operation": run["id"]})
    return flow


def test_a_refusal_of_valid_values_is_red_everywhere_until_it_is_waived(
    ruled_project: tuple[Project, Snapshot], sandbox: DirectusSandbox
) -> None:
    project, snapshot = ruled_project
    flow = refusing_flow(project, "s_rules")
    try:
        calls = related.exercise_collections(snapshot, ["s_rules"], project.operator, sandbox)
        (red,) = unexpected_answers(calls)
        assert (red.code, "s_rules" in red.observed, "extension" in red.observed) == ("MIG-542", True, True)
        edges = related.edge_cases(snapshot, ["s_rules"], project.operator, sandbox)
        assert [each.code for each in rule_checks.failed_rules(edges)] == ["MIG-343"]
        waived = related.exercise_collections(snapshot, ["s_rules"], project.operator, sandbox, waived={"s_rules"})
        assert unexpected_answers(waived) == []
        assert {call.verb for call in waived if call.not_tried} == {"create", "read", "update", "delete"}
    finally:
        project.rest.delete(f"/flows/{flow}")


def test_a_rule_production_changed_is_named_and_not_a_fault(
    ruled_project: tuple[Project, Snapshot], sandbox: DirectusSandbox
) -> None:
    project, snapshot = ruled_project
    other = {"validation": {"_and": [{"kind": {"_in": ["three"]}}]}}
    project.rest.patch("/fields/s_rules/kind", {"meta": other})
    try:
        calls = related.exercise_collections(snapshot, ["s_rules"], project.operator, sandbox)
    finally:
        old = snapshot.fields["s_rules.kind"]["meta"]["validation"]
        project.rest.patch("/fields/s_rules/kind", {"meta": {"validation": old}})
    assert unexpected_answers(calls) == []
    (said,) = rule_checks.not_tried(calls)
    assert "production's validation of kind" in said
    assert [each.code for each in rule_checks.not_verifiable(calls, ())] == ["MIG-349"] * 4


def test_what_is_not_tried_was_known_from_both_schemas(
    ruled_project: tuple[Project, Snapshot], sandbox: DirectusSandbox
) -> None:
    project, snapshot = ruled_project
    project.ask("DELETE FROM s_settings")
    calls = related.exercise_collections(snapshot, snapshot.tables, project.operator, sandbox)
    untried = {call.collection: call.not_tried for call in calls if call.verb == "create" and call.not_tried}
    planned = preview.creations(snapshot, snapshot.tables, project.operator)
    foreseen = {call.collection: call.not_tried for call in planned if call.not_tried}
    assert foreseen == untried
    assert set(untried) >= {"s_impossible", "s_nodes", "s_pages"}
    chosen = [each for each in related.relations(snapshot) if each.child.startswith("s_")]
    found = navigation.exercise_relations(snapshot, chosen, project.operator, sandbox)
    before = {each.name: each.not_tried for each in preview.relations(snapshot, project.operator)}
    assert {each.name: before[each.name] for each in found if each.not_tried} == {
        each.name: each.not_tried for each in found if each.not_tried
    }
    assert profile(snapshot, "s_rules").name in related.ruled_collections(snapshot)


def test_a_check_only_postgres_knows_is_named_and_no_fault(
    ruled_project: tuple[Project, Snapshot], sandbox: DirectusSandbox
) -> None:
    """No value was made for it; people save rows that satisfy it."""
    project, snapshot = ruled_project
    project.ask('ALTER TABLE s_defaults ADD CONSTRAINT "dear only" CHECK (price > 1000000)')
    project.ask("ALTER TABLE s_rules ADD CONSTRAINT unchanged CHECK (link NOT LIKE '%%changed%%' AND level < 101)")
    try:
        calls = related.exercise_collections(snapshot, ["s_defaults", "s_rules"], project.operator, sandbox)
        edges = related.edge_cases(snapshot, ["s_defaults"], project.operator, sandbox)
    finally:
        project.ask('ALTER TABLE s_defaults DROP CONSTRAINT "dear only"')
        project.ask("ALTER TABLE s_rules DROP CONSTRAINT unchanged")
    assert unexpected_answers(calls) == []
    assert rule_checks.failed_rules(edges) == []
    untried = {(call.collection, call.verb): call.not_tried for call in calls if call.not_tried}
    assert ("s_defaults", "create") in untried
    assert "production's database refuses" in untried["s_defaults", "create"]
    assert any("dear only" in sentence for sentence in rule_checks.not_tried(edges))


def test_a_column_that_counts_by_itself_and_a_default_with_a_quote_hold(
    ruled_project: tuple[Project, Snapshot], sandbox: DirectusSandbox
) -> None:
    """Directus 11.17.4 tells a default as SQL writes it, and of an identity that the column counts."""
    project, _ = ruled_project
    project.ask(
        "CREATE TABLE s_identity (id serial PRIMARY KEY, number integer GENERATED BY DEFAULT AS IDENTITY,"
        " word varchar(255) DEFAULT 'it''s', again varchar(255) DEFAULT 'it''''s')"
    )
    project.ask("INSERT INTO directus_collections (collection) VALUES ('s_identity')")
    for name in ("id", "number", "word", "again"):
        project.ask("INSERT INTO directus_fields (collection, field) VALUES ('s_identity', %s)", name)
    project.operator.clear_cache()
    try:
        snapshot = project.snapshot_with("s_identity")
        found = related.edge_cases(snapshot, ["s_identity"], project.operator, sandbox)
    finally:
        project.ask("DROP TABLE s_identity")
        project.ask("DELETE FROM directus_fields WHERE collection = 's_identity'")
        project.ask("DELETE FROM directus_collections WHERE collection = 's_identity'")
        project.operator.clear_cache()
    assert rule_checks.failed_rules(found) == []
    assert {check.name for check in found if check.rule == "default"} == {"s_identity.word", "s_identity.again"}
