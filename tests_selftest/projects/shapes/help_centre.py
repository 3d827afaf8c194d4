"""A help centre: articles in a tree, with translations, related articles, feedback, and fields on people and files."""

from __future__ import annotations

from tests_selftest.projects.shapes.parts import Shape, alias, choices, collection, column, key, relation, stamps


def help_centre(*, grown: bool) -> Shape:
    """9 collections when it has *grown*, as in local; 5 before, as in production."""
    slug = {"validation": {"_and": [{"slug": {"_regex": "^[a-z0-9 ]+$"}}]}, "validation_message": "small letters"}
    later = [column("summary", "text"), column("reviewed", "dateTime"), alias("related", "list-m2m", "m2m")]
    made = [
        collection("sections", key(), column("title", is_nullable=False), column("icon"), column("parent", "integer"),
                   column("sort", "integer"), alias("children", "list-o2m-tree-view", "o2m"), sort_field="sort"),
        collection("articles", key("uuid"), column("title", is_nullable=False), column("body", "text"),
                   column("slug", is_unique=True, meta=slug), column("section", "integer"),
                   column("status", default_value="draft", meta=choices("draft", "published", "archived")),
                   alias("divider", "presentation-divider", "alias", "no-data"),
                   alias("translations", "translations", "translations"), *(later if grown else []), *stamps(),
                   archive_field="status", archive_value="archived", unarchive_value="draft"),
        collection("languages", column("code", is_primary_key=True, is_nullable=False, max_length=8), column("name")),
        collection("articles_translations", key(), column("articles_id", "uuid"),
                   column("languages_code", max_length=8), column("title"), column("body", "text"), hidden=True),
        collection("feedback", key("uuid"), column("article", "uuid"), column("helpful", "boolean"),
                   column("comment", "text"), column("sent", "timestamp")),
    ]  # fmt: skip
    related = [
        relation("sections", "parent", "sections", one_field="children"),
        relation("articles", "section", "sections"),
        relation("articles", "user_created", "directus_users"),
        relation("articles", "user_updated", "directus_users"),
        relation("articles_translations", "articles_id", "articles", one_field="translations",
                 junction_field="languages_code"),
        relation("articles_translations", "languages_code", "languages", junction_field="articles_id"),
        relation("feedback", "article", "articles", on_delete="CASCADE"),
    ]  # fmt: skip
    if not grown:
        return Shape(tuple(made), tuple(related))
    made += [
        collection("articles_related", key(), column("articles_id", "uuid"), column("related_id", "uuid"), hidden=True),
        collection("synonyms", key(), column("word", is_unique=True), column("means", "csv")),
        collection("tickets", key("uuid"), column("subject", is_nullable=False), column("file", "uuid"),
                   column("answered_by", "uuid", meta={"special": ["m2o"]}), column("priority", "integer")),
        collection("start_page", key(), column("welcome", "text"), column("first", "uuid"), singleton=True),
    ]  # fmt: skip
    related += [
        relation("articles_related", "articles_id", "articles", one_field="related", junction_field="related_id"),
        relation("articles_related", "related_id", "articles", junction_field="articles_id"),
        relation("tickets", "file", "directus_files"),
        relation("tickets", "answered_by", "directus_users"),
        relation("start_page", "first", "articles"),
    ]
    fields = (
        ("directus_users", column("bio", "text")),
        ("directus_files", column("alt_text")),
        ("directus_folders", column("note")),
    )
    return Shape(tuple(made), tuple(related), fields)
