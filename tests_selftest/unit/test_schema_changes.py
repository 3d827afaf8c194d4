"""What step 1.2.3 documents, and what step 1.2.4 finds missing."""

from __future__ import annotations

from typing import Any

from fixtures.checks.rows import profile
from fixtures.checks.schema import comparable, schema
from fixtures.checks.schema.relationships import relationships
from fixtures.model.snapshot import Snapshot
from fixtures.report.documents import render


def field(collection: str, name: str, kind: str = "string", **schema: Any) -> dict[str, Any]:
    special = schema.pop("special", [])
    own = (
        None if kind == "alias" else {"is_primary_key": name == "id", "is_nullable": True, "is_unique": False, **schema}
    )
    return {"collection": collection, "field": name, "type": kind, "meta": {"special": special}, "schema": own}


def relation(collection: str, name: str, target: str | None, **meta: Any) -> dict[str, Any]:
    schema = {"on_delete": meta.pop("on_delete", None)} if target else None
    return {"collection": collection, "field": name, "related_collection": target, "meta": meta, "schema": schema}


def snapshot(
    tables: list[str], fields: list[dict[str, Any]], relations: list[dict[str, Any]] | None = None
) -> Snapshot:
    keys = [field(name, "id", "integer", is_nullable=False) for name in tables]
    return Snapshot(
        {
            "collections": [{"collection": name, "meta": {}, "schema": {"name": name}} for name in tables],
            "fields": [*keys, *fields],
            "relations": relations or [],
        }
    )


LOCAL = snapshot(
    ["chapters", "sections", "tags", "sections_tags", "blocks"],
    [
        field("sections", "title", max_length=255),
        field("sections", "chapter", "integer", is_nullable=False),
        field("sections", "parent", "integer"),
        field("chapters", "sections", "alias", special=["o2m"]),
        field("sections", "tags", "alias", special=["m2m"]),
        field("sections_tags", "section", "integer"),
        field("sections_tags", "tag", "integer"),
        field("blocks", "item"),
        field("blocks", "collection"),
    ],
    [
        relation("sections", "chapter", "chapters", one_field="sections", on_delete="CASCADE"),
        relation("sections", "parent", "sections", on_delete="SET NULL"),
        relation("sections_tags", "section", "sections", one_field="tags", junction_field="tag"),
        relation("sections_tags", "tag", "tags", junction_field="section"),
        relation(
            "blocks", "item", None, one_allowed_collections=["tags", "chapters"], one_collection_field="collection"
        ),
    ],
)
PRODUCTION = snapshot(["chapters", "notices"], [field("chapters", "note")])


def test_every_kind_of_relationship_is_named() -> None:
    assert [(each.kind, each.name, each.target) for each in relationships(LOCAL)] == [
        ("M2A", "blocks.item", "chapters, tags"),
        ("O2M", "chapters.sections", "sections"),
        ("M2O", "sections.chapter", "chapters"),
        ("tree", "sections.parent", "sections"),
        ("M2M", "sections.tags", "tags through sections_tags"),
        ("M2O", "sections_tags.section", "sections"),
        ("M2O", "sections_tags.tag", "tags"),
    ]


def test_the_difference_in_five_lists() -> None:
    found = schema.changes(LOCAL, PRODUCTION)
    assert found.collections == ("blocks", "sections", "sections_tags", "tags")
    assert found.fields == ("chapters.sections",)
    assert found.only_in_production == ("notices", "chapters.note")
    text = render("SCHEMA_CHANGES.md", changes=found, summary=found.summary)
    assert all(name in text for name in (*found.collections, "chapters.sections", "M2A `blocks.item`"))


def test_a_widened_column_is_an_alteration() -> None:
    narrow = snapshot(["sections"], [field("sections", "title", max_length=120)])
    wide = snapshot(["sections"], [field("sections", "title", max_length=255)])
    (found,) = schema.changes(wide, narrow).alterations
    assert (found.name, found.path, found.production, found.local, found.structural) == (
        "sections.title",
        "schema.max_length",
        "120",
        "255",
        True,
    )


def test_the_document_leaves_out_nothing_that_the_other_comparisons_see() -> None:
    """Order, comments and relations too: the plan sends them. Only the name of a constraint never converges."""
    here = field("chapters", "note", comment="new") | {"meta": {"sort": 2, "special": []}}
    there = field("chapters", "note", comment="old") | {"meta": {"sort": 1, "special": []}}
    cascading = relation("chapters", "note", "notices", one_field=None, on_delete="CASCADE")
    nullifying = relation("chapters", "note", "notices", one_field="x", on_delete="SET NULL")
    cascading["schema"]["constraint_name"], nullifying["schema"]["constraint_name"] = "a", "b"
    tables = ["chapters", "notices"]
    local, production = snapshot(tables, [here], [cascading]), snapshot(tables, [there], [nullifying])
    found = schema.changes(local, production)
    assert [(a.name, a.path, a.production, a.local, a.structural) for a in found.alterations] == [
        ("chapters.note", "meta.sort", "1", "2", False),
        ("chapters.note", "schema.comment", "old", "new", True),
        ("chapters.note", "meta.one_field", "x", "null", False),
        ("chapters.note", "schema.on_delete", "SET NULL", "CASCADE", True),
    ]
    assert found.relationships == ()
    assert {a.name for a in found.alterations} == set(schema.differing_objects(local, production))


def test_a_relation_of_production_alone_is_named_unless_its_field_is() -> None:
    notes = [field("chapters", "note", "integer"), field("chapters", "own", "integer")]
    related = [relation("chapters", "note", "chapters"), relation("chapters", "own", "chapters")]
    production = snapshot(["chapters"], notes, related)
    production.raw["systemFields"] = [
        {"collection": "directus_users", "field": "email", "schema": {"is_indexed": True}}
    ]
    found = schema.changes(snapshot(["chapters"], notes[:1]), production)
    assert found.only_in_production == ("chapters.own", "relation chapters.note", "index on directus_users.email")


def test_equal_schemas_differ_in_nothing() -> None:
    found = schema.changes(LOCAL, LOCAL)
    assert (found.collections, found.fields, found.relationships, found.alterations) == ((), (), (), ())


def test_what_the_export_lacks_is_found() -> None:
    findings = comparable.missing_from_snapshot(
        PRODUCTION, collections=["chapters", "sections"], fields=["chapters.id", "chapters.title"]
    )
    assert [f.where.rsplit(" · ", 1)[1] for f in findings] == ['collection "sections"', 'field "chapters.title"']


def test_a_relation_that_leads_nowhere_is_found() -> None:
    broken = snapshot(["a"], [field("a", "to_b", "integer")], [relation("a", "to_b", "b"), relation("a", "gone", "a")])
    assert [f.code for f in comparable.broken_relations(broken)] == ["MIG-122", "MIG-122"]
    assert comparable.broken_relations(LOCAL) == []


def test_a_profile_holds_columns_references_and_requirements() -> None:
    sections = profile.profile(LOCAL, "sections")
    assert sections.columns == ("chapter", "id", "parent", "title")
    assert [(r.column, r.target, r.nullable) for r in sections.references] == [
        ("chapter", "chapters", False),
        ("parent", "sections", True),
    ]
    assert sections.required == ("chapter",)
    blocks = profile.profile(LOCAL, "blocks")
    assert [(r.target, r.discriminator) for r in blocks.references] == [
        ("chapters", "collection"),
        ("tags", "collection"),
    ]


def test_concealed_columns_are_named() -> None:
    secret = snapshot(["a"], [field("a", "pin", "hash", special=["hash", "conceal"])])
    assert profile.unexportable_columns(secret) == ("a.pin",)
