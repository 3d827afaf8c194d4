"""A site with 24 collections, as starter templates have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests_selftest.projects.shapes.parts import (
    Shape,
    alias,
    choices,
    collection,
    column,
    folder,
    key,
    relation,
    stamps,
)


def cms(*, blocks: Sequence[int] = range(1, 8), translated: bool = False) -> Shape:
    """
    24 collections: pages of blocks, translations, a tree, a singleton, and rules only the app knows.

    Args:
        blocks: The kinds of blocks, by number; a page may hold any of them.
        translated: Posts and blocks have translations too.
    """
    kinds = [f"block_{number}" for number in blocks]
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
          for name in kinds),
    ]  # fmt: skip
    related = [
        relation("pages", "parent", "pages"),
        relation("pages", "user_created", "directus_users"),
        relation("pages", "user_updated", "directus_users"),
        relation("pages_translations", "pages_id", "pages", one_field="translations", junction_field="languages_code"),
        relation("pages_translations", "languages_code", "languages", junction_field="pages_id"),
        relation("pages_blocks", "pages_id", "pages", one_field="blocks", junction_field="item", sort_field="sort"),
        relation("pages_blocks", "item", None, one_allowed_collections=kinds, one_collection_field="collection",
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
    if translated:
        for name, kind in (("posts", "integer"), *((name, "uuid") for name in kinds)):
            table, parent = f"{name}_translations", f"{name}_id"
            made.append(
                collection(
                    table,
                    key(),
                    column(parent, kind),
                    column("languages_code", max_length=8),
                    column("headline"),
                    column("body", "text"),
                    folder="website",
                    hidden=True,
                )
            )
            related += [
                relation(table, parent, name, on_delete="CASCADE", junction_field="languages_code"),
                relation(table, "languages_code", "languages", junction_field=parent),
            ]  # fmt: skip
    return Shape(tuple(made), tuple(related))
