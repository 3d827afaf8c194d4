"""Data models with the shape of real projects, made by a few rules: names mean nothing, structure does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Field = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """
    A data model as REST takes it.

    Attributes:
        collections: Bodies of POST /collections, folders first.
        relations: Bodies of POST /relations.
        fields: Bodies of POST /fields/<collection>: fields of Directus' own collections.
    """

    collections: tuple[dict[str, Any], ...]
    relations: tuple[dict[str, Any], ...]
    fields: tuple[tuple[str, Field], ...] = ()

    @property
    def singletons(self) -> tuple[str, ...]:
        return tuple(one["collection"] for one in self.collections if one["meta"].get("singleton"))


def key(kind: str = "integer") -> Field:
    schema: dict[str, Any] = {"is_primary_key": True, "is_nullable": False}
    if kind == "integer":
        schema["has_auto_increment"] = True
    return {"field": "id", "type": kind, "schema": schema, "meta": {"special": ["uuid"] if kind == "uuid" else None}}


def column(name: str, kind: str = "string", *, meta: dict[str, Any] | None = None, **schema: Any) -> Field:
    special = {"boolean": ["cast-boolean"], "json": ["cast-json"], "csv": ["cast-csv"]}.get(kind)
    return {
        "field": name,
        "type": kind,
        "schema": {"is_nullable": True, **schema},
        "meta": {"interface": "input", "special": special, **(meta or {})},
    }


def stamps(*, related: bool = True) -> list[Field]:
    """Who made an item and when; without *related* the people's columns have no relation, as in older projects."""
    made = column("date_created", "timestamp", meta={"special": ["date-created"]})
    changed = column("date_updated", "timestamp", meta={"special": ["date-updated"]})
    names = {"user_created": ["user-created"], "user_updated": ["user-updated"]}
    people = [column(name, "uuid", meta={"special": special}) for name, special in names.items()]
    return [made, changed, *(people if related else people[:1])]


def alias(name: str, interface: str, *special: str) -> Field:
    return {"field": name, "type": "alias", "schema": None, "meta": {"special": [*special], "interface": interface}}


def choices(*values: str) -> dict[str, Any]:
    offered = [{"text": value.title(), "value": value} for value in values]
    return {"interface": "select-dropdown", "options": {"choices": offered}}


def collection(name: str, *fields: Field, folder: str | None = None, **meta: Any) -> dict[str, Any]:
    return {"collection": name, "schema": {}, "meta": {"group": folder, **meta}, "fields": list(fields)}


def folder(name: str) -> dict[str, Any]:
    return {"collection": name, "schema": None, "meta": {"icon": "folder"}}


def relation(child: str, field: str, parent: str | None, *, on_delete: str = "SET NULL", **meta: Any) -> dict[str, Any]:
    schema = {"on_delete": on_delete} if parent else None
    return {"collection": child, "field": field, "related_collection": parent, "meta": meta, "schema": schema}


def cms() -> Shape:
    """24 collections: pages of blocks, translations, a tree, two singletons, and rules only the app knows."""
    blocks = [f"block_{number}" for number in range(1, 8)]
    made: list[dict[str, Any]] = [
        folder("website"),
        collection("languages", column("code", is_primary_key=True, is_nullable=False, max_length=8), column("name"),
                   folder="website"),
        collection(
            "pages", key("uuid"), column("title", meta={"required": True}), column("slug", is_unique=True),
            column("status", default_value="draft", meta=choices("draft", "published")), column("sort", "integer"),
            column("parent", "uuid"), alias("blocks", "list-m2a", "m2a"),
            alias("notice", "presentation-notice", "alias", "no-data"),
            alias("translations", "translations", "translations"), *stamps(), folder="website", sort_field="sort",
        ),
        collection("pages_translations", key(), column("pages_id", "uuid"), column("languages_code", max_length=8),
                   column("title"), column("body", "text"), folder="website", hidden=True),
        collection("pages_blocks", key(), column("pages_id", "uuid"), column("item"), column("collection"),
                   column("sort", "integer"), folder="website", hidden=True),
        collection("settings", key(), column("name"), column("logo", "uuid", meta={"special": ["file"]}),
                   column("home", "uuid"), column("analytics", "json"), singleton=True),
        collection("navigation", key(), column("title"), column("parent", "integer"), column("page", "uuid")),
        collection("posts", key(), column("title", is_nullable=False), column("slug", is_unique=True),
                   column("content", "text"), column("author", "integer"), column("cover", "uuid"),
                   column("published", "dateTime"), column("tags", "csv"), column("words", "integer", default_value=0),
                   *stamps(related=False)),
        collection("authors", key(), column("name", is_nullable=False), column("email", is_unique=True, meta={
            "validation": {"_and": [{"email": {"_regex": "^[a-z0-9. ]*$"}}]}})),
        collection("categories", key(), column("name", is_unique=True), column("color", default_value="#ffffff")),
        collection("posts_categories", key(), column("posts_id", "integer"), column("categories_id", "integer"),
                   hidden=True),
        collection("forms", key("uuid"), column("title"), column("active", "boolean", default_value=True)),
        collection("form_fields", key("uuid"), column("form", "uuid"), column("label", meta={"required": True}),
                   column("width", meta=choices("50", "100"))),
        collection("submissions", key("uuid"), column("form", "uuid"), column("values", "json"), *stamps()),
        collection("redirects", key(), column("url_from", is_unique=True), column("url_to"),
                   column("code", "integer", default_value=301)),
        collection("testimonials", key(), column("quote", "text"), column("rating", "decimal", numeric_precision=3,
                                                                           numeric_scale=1)),
        collection("team", key(), column("name"), column("photo", "uuid"), column("since", "date"),
                   column("hours", "time")),
        *(collection(name, key("uuid"), column("headline"), column("body", "text"), folder="website", hidden=True)
          for name in blocks),
    ]  # fmt: skip
    related = [
        relation("pages", "parent", "pages"),
        relation("pages", "user_created", "directus_users"),
        relation("pages", "user_updated", "directus_users"),
        relation("pages_translations", "pages_id", "pages", one_field="translations", junction_field="languages_code"),
        relation("pages_translations", "languages_code", "languages", junction_field="pages_id"),
        relation("pages_blocks", "pages_id", "pages", one_field="blocks", junction_field="item", sort_field="sort"),
        relation("pages_blocks", "item", None, one_allowed_collections=blocks, one_collection_field="collection",
                 junction_field="pages_id"),
        relation("settings", "logo", "directus_files"),
        relation("settings", "home", "pages"),
        relation("navigation", "parent", "navigation", one_field=None),
        relation("navigation", "page", "pages"),
        relation("posts", "author", "authors"),
        relation("posts", "cover", "directus_files"),
        relation("posts_categories", "posts_id", "posts", on_delete="CASCADE", junction_field="categories_id"),
        relation("posts_categories", "categories_id", "categories", on_delete="CASCADE", junction_field="posts_id"),
        relation("form_fields", "form", "forms", on_delete="CASCADE"),
        relation("submissions", "form", "forms"),
        relation("submissions", "user_created", "directus_users"),
        relation("team", "photo", "directus_files"),
    ]  # fmt: skip
    return Shape(tuple(made), tuple(related))


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
