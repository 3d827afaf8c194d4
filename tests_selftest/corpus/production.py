"""The production the corpus edits: every kind of column, rows that hold what an edit could destroy, hidden objects."""

from __future__ import annotations

from typing import Any

from fixtures.world.seed.rest import Rest

LONG = "x" * 200
SPECIAL = {"boolean": ["cast-boolean"], "json": ["cast-json"], "csv": ["cast-csv"], "uuid": ["uuid"]}


def column(name: str, kind: str = "string", *, meta: dict[str, Any] | None = None, **schema: Any) -> dict[str, Any]:
    special = {"special": SPECIAL[kind]} if kind in SPECIAL else {}
    return {"field": name, "type": kind, "schema": schema, "meta": {"interface": "input", **special, **(meta or {})}}


def serial() -> dict[str, Any]:
    schema = {"is_primary_key": True, "has_auto_increment": True}
    return {"field": "id", "type": "integer", "schema": schema, "meta": {"hidden": True}}


def divider(name: str) -> dict[str, Any]:
    meta = {"interface": "presentation-divider", "special": ["alias", "no-data"]}
    return {"field": name, "type": "alias", "schema": None, "meta": meta}


_CHOICES = {"choices": [{"text": word, "value": word} for word in ("draft", "published", "archived")]}

ARTICLES = [
    serial(),
    column("title", max_length=255),
    column("short", max_length=255),
    column("slug", max_length=120),
    column("body", "text"),
    column("price", "decimal", numeric_precision=12, numeric_scale=4),
    column("round_price", "decimal", numeric_precision=12, numeric_scale=4),
    column("exact", "decimal", numeric_precision=24, numeric_scale=10),
    column("rating", "float"),
    column("whole_rating", "float"),
    column("views", "integer"),
    column("big", "bigInteger"),
    column("small", "bigInteger"),
    column("published", "timestamp"),
    column("midnight", "timestamp"),
    column("seen", "dateTime"),
    column("due", "date"),
    column("starts", "time"),
    column("active", "boolean"),
    column("code"),
    column("digits"),
    column("status", default_value="draft", meta={"options": _CHOICES, "interface": "select-dropdown"}),
    column("facts", "json"),
    column("tags", "csv"),
    column("token", "uuid"),
    column("author", "integer"),
    column("cascading", "integer"),
    column("orphan", "integer"),
    column("reviewer", "integer"),
    column("summary", "text"),
    column("empty_note", "text"),
    column("unique_name", max_length=64, is_unique=True),
    column("must", max_length=32, is_nullable=False, default_value="-"),
    column("indexed", is_indexed=True),
    divider("line"),
]

TABLES: dict[str, list[dict[str, Any]]] = {
    "articles": ARTICLES,
    "authors": [serial(), column("name"), column("country", max_length=2)],
    "editors": [serial(), column("name")],
    "words": [column("key", is_primary_key=True, max_length=64), column("text", "text")],
    "things": [
        {"field": "id", "type": "uuid", "schema": {"is_primary_key": True}, "meta": {"special": ["uuid"]}},
        column("name"),
    ],
    "pages": [serial(), column("title")],
    "blocks": [serial(), column("page", "integer"), column("collection"), column("item")],
    "legacy": [serial(), column("note", "text"), column("keeper", "integer")],
    "site": [serial(), column("name")],
}


def relation(child: str, field: str, parent: str | None, on_delete: str = "SET NULL", **meta: Any) -> dict[str, Any]:
    return {
        "collection": child,
        "field": field,
        "related_collection": parent,
        "schema": None if parent is None else {"on_delete": on_delete},
        "meta": {"one_deselect_action": "nullify", **meta},
    }


RELATIONS = (
    relation("articles", "author", "authors"),
    relation("articles", "cascading", "authors", "CASCADE"),
    relation("blocks", "page", "pages", "CASCADE"),
    relation(
        "blocks", "item", None, one_allowed_collections=["articles", "authors"], one_collection_field="collection"
    ),
)

ROWS = f"""
INSERT INTO authors (name, country) VALUES ('Ada', 'GB'), ('Bo', 'SE'), ('Cy', 'GR');
INSERT INTO editors (name) VALUES ('Edi'), ('Mo'), ('Ti');
INSERT INTO articles (title, short, slug, body, price, round_price, exact, rating, whole_rating, views, big, small,
    published, midnight, seen, due, starts, active, code, digits, status, facts, tags, token, author, cascading,
    orphan, reviewer, summary, unique_name, must, indexed) VALUES
 ('{LONG}', 'one', 'same', repeat('y', 300), 12.3456, 12, 1234567890.1234567891, 1.7, 1, 11, 9007199254740993, 1,
  '2024-03-05T10:20:30.123456Z', '2024-03-05T00:00:00Z', '2024-03-05T10:20:30', '2024-03-05', '10:20:30', true,
  'abc', '17', 'draft', '{{"a": 1.10}}', 'a,b', '11111111-1111-4111-8111-111111111111', 1, 1, 99, 1, 'sum', 'n1', 'm',
  'i1'),
 ('abcdefghij', 'two', 'same', 'short', 2.5, 3, 2.5, 2.2, 2, 22, 5, 2,
  '2024-04-05T11:21:31Z', '2024-04-05T00:00:00Z', '2024-04-05T11:21:31', '2024-04-05', '11:21:31', false,
  '42', '18', 'published', '{{"b": 2}}', 'c', '22222222-2222-4222-8222-222222222222', 2, 2, 1, 2, NULL, 'n2', 'm',
  'i2'),
 ('c', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'archived', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  'm', NULL);
INSERT INTO words (key, text) VALUES ('alpha', 'first'), ('beta', 'second');
INSERT INTO things (id, name) VALUES ('33333333-3333-4333-8333-333333333333', 'thing');
INSERT INTO pages (title) VALUES ('Home'), ('About');
INSERT INTO blocks (page, collection, item) VALUES (1, 'articles', '1'), (1, 'authors', '2'), (2, 'authors', '3');
INSERT INTO legacy (note) VALUES ('old one'), ('old two');
INSERT INTO site (name) VALUES ('The site');
CREATE TABLE hidden_things (id int PRIMARY KEY, secret text);
INSERT INTO hidden_things VALUES (1, 'kept');
ALTER TABLE articles ADD COLUMN hidden_note text;
UPDATE articles SET hidden_note = 'hidden ' || id;
ALTER TABLE legacy ADD CONSTRAINT kept_by FOREIGN KEY (keeper) REFERENCES editors (id) ON DELETE SET NULL;
CREATE UNIQUE INDEX one_editor_of_a_name ON editors (name);
CREATE INDEX by_country ON authors (country);
CREATE INDEX words_text_index ON words (lower(text));
CREATE VIEW author_names AS SELECT id, name FROM authors;
"""


def build(rest: Rest) -> None:
    """The data model, by REST as a person would make it."""
    rest.post("/collections", {"collection": "folder", "schema": None, "meta": {"icon": "folder"}})
    for name, fields in TABLES.items():
        meta = {"singleton": name == "site", "accountability": "all", "preview_url": None}
        rest.post("/collections", {"collection": name, "schema": {}, "meta": meta, "fields": fields})
    for one in RELATIONS:
        rest.post("/relations", one)
