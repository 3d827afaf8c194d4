"""An agency's system with 76 collections."""

from __future__ import annotations

from typing import Any

from tests_selftest.projects.shapes.parts import Shape, collection, column, folder, key, relation, stamps


def agency() -> Shape:
    """76 collections: one any-relation to 15, translations of translations, a tree, and references everywhere."""
    many = [f"c{number:02}" for number in range(70)]
    kinds = ("text", "integer", "boolean", "date", "timestamp", "decimal", "json", "uuid", "time", "dateTime")
    made: list[dict[str, Any]] = [folder("group_a"), folder("group_b")]
    related: list[dict[str, Any]] = []
    for number, name in enumerate(many):
        fields = [key("uuid" if number % 3 == 0 else "integer"), column("name", is_nullable=number % 4 != 0)]
        fields += [column(f"f_{kind}", kind) for kind in kinds[number % 5 : number % 5 + 4]]
        if number >= 2:
            target = many[number // 2]
            fields.append(column("parent", "uuid" if (number // 2) % 3 == 0 else "integer"))
            related.append(relation(name, "parent", target, on_delete="CASCADE" if number % 7 == 0 else "SET NULL"))
        if number % 6 == 0:
            fields += stamps(related=False)
        single = number in {11, 23}
        made.append(collection(name, *fields, folder="group_a" if number % 2 else "group_b", singleton=single))
    targets = many[30:45]
    made += [
        collection("links", key(), column("owner", "uuid"), column("item"), column("collection")),
        collection("languages", column("code", is_primary_key=True, is_nullable=False, max_length=8), column("name")),
        collection(
            "texts", key(), column("owner", "uuid"), column("languages_code", max_length=8), column("text", "text")
        ),
        collection(
            "notes", key(), column("text_id", "integer"), column("languages_code", max_length=8), column("note")
        ),
    ]
    related += [
        relation("links", "owner", many[0], junction_field="item"),
        relation("links", "item", None, one_allowed_collections=targets, one_collection_field="collection",
                 junction_field="owner"),
        relation("texts", "owner", many[3], junction_field="languages_code"),
        relation("texts", "languages_code", "languages", junction_field="owner"),
        relation("notes", "text_id", "texts", junction_field="languages_code"),
        relation("notes", "languages_code", "languages", junction_field="text_id"),
    ]  # fmt: skip
    return Shape(tuple(made), tuple(related))
