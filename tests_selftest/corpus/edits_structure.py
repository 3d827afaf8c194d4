"""Edits of what holds values: columns, tables, keys, relations, and snapshots that lack something."""

from __future__ import annotations

import copy

from tests_selftest.corpus.draft import Draft
from tests_selftest.corpus.edits import Edit, added, related, retype, shown, size


def _another_key(draft: Draft) -> None:
    draft.schema("words.key", is_primary_key=False)
    draft.schema("words.text", is_primary_key=True)


def _line_becomes_a_column(draft: Draft) -> None:
    field = draft.field("articles.line")
    field |= {"type": "text", "schema": {**draft.field("articles.body")["schema"], "name": "line"}}
    field["meta"] |= {"interface": "input", "special": None}


def _undescribed_key(draft: Draft) -> None:
    draft.add("articles.new", "articles.reviewer", foreign_key_table="editors", foreign_key_column="id")


def _unmarked_json(draft: Draft) -> None:
    draft.add("articles.new", "articles.facts")
    draft.meta("articles.new", special=None)


def _table_with_an_indexed_key(draft: Draft) -> None:
    draft.add_collection("letters", "things")
    draft.schema("letters.id", is_indexed=True)


def _another_target(draft: Draft) -> None:
    draft.relation("articles.author").update(related_collection="editors")
    draft.relation("articles.author")["schema"].update(foreign_key_table="editors")
    draft.relation("articles.author")["meta"].update(one_collection="editors")
    draft.schema("articles.author", foreign_key_table="editors")


def _two_drops(draft: Draft) -> None:
    draft.drop_field("articles.summary")
    draft.drop_field("articles.empty_note")


def _column_with_relation(draft: Draft) -> None:
    draft.add("articles.new", "articles.reviewer")
    draft.add_relation("articles.new", "authors")


def _relation_without_a_key(draft: Draft) -> None:
    _column_with_relation(draft)
    draft.relation("articles.new")["schema"] = None
    draft.schema("articles.new", foreign_key_table=None, foreign_key_column=None)


def _relation_under_a_name_by_hand(draft: Draft) -> None:
    _column_with_relation(draft)
    draft.relation("articles.new")["schema"]["constraint_name"] = "by_hand"


def _folder(draft: Draft) -> None:
    entry = copy.deepcopy(draft.collection("folder"))
    entry["collection"] = entry["meta"]["collection"] = "shelf"
    draft.raw["collections"].append(entry)


def _system_index(draft: Draft) -> None:
    entry = {"collection": "directus_users", "field": "last_name", "schema": {"is_indexed": True}}
    draft.raw["systemFields"].append(entry)


def _relation_to_a_new_table(draft: Draft, column: str) -> None:
    draft.add_collection("letters", "editors")
    draft.add_relation(f"articles.{column}", "letters")


NEW = (
    Edit("a new folder", _folder, "SC102", "sent", "fine"),
    Edit("a new field without a column", added("articles.second_line", "articles.line"), "SC104", "sent", "fine"),
    Edit("a new column with a relation", _column_with_relation, "SC103 SC106", "sent", "fine"),
    Edit("a new column with a relation that has no foreign key", _relation_without_a_key, "SC103 SC106 SC164",
         "stopped", "fine"),
    Edit("a new column with a relation over a foreign key by hand", _relation_under_a_name_by_hand,
         "SC103 SC106 SC138", "kept", "fine"),
    Edit("an index more on Directus' own table", _system_index, "SC150", "sent", "fine"),
    Edit("an index less on Directus' own table", lambda d: d.raw["systemFields"].pop(), "SC151", "kept", "fine"),
    Edit("a new column", added("articles.new", "articles.body"), "SC103", "sent", "fine"),
    Edit("a new table", lambda d: d.add_collection("letters", "editors"), "SC101 SC103", "sent", "fine"),
    Edit("a new JSON column without its mark", _unmarked_json, "SC103 SC148", "kept", "fine"),
    Edit("a new table with an index on its key", _table_with_an_indexed_key, "SC101 SC103 SC154", "kept", "fine"),
    Edit("a new NOT NULL column without default", added("articles.new", "articles.body", is_nullable=False),
         "SC105", "stopped", "refused"),
    Edit("a new NOT NULL column with a default",
         added("articles.new", "articles.short", is_nullable=False, default_value="-"), "SC103", "sent", "fine"),
    Edit("a new unique column with a default",
         added("articles.new", "articles.short", is_unique=True, default_value="same"), "SC108", "stopped", "refused"),
    Edit("a new column of jsonb", added("articles.new", "articles.facts", data_type="jsonb"),
         "SC103 SC170", "stopped", "fine"),
    Edit("a new column the database computes",
         added("articles.new", "articles.body", is_generated=True, generation_expression="upper(title)"),
         "SC103 SC171", "stopped", "fine"),
    Edit("a new column numbered by another's sequence",
         added("articles.new", "articles.views", default_value="nextval('articles_id_seq'::regclass)"),
         "SC103 SC172", "stopped", "refused"),
    Edit("a new column, hidden there already", added("articles.hidden_note", "articles.body"),
         "SC103", "stopped", "refused"),
    Edit("a new table, hidden there already", lambda d: d.add_collection("hidden_things", "editors"),
         "SC101 SC103", "stopped", "refused"),
    Edit("a new table with the name of a view", lambda d: d.add_collection("author_names", "editors"),
         "SC101 SC103", "stopped", "refused"),
)  # fmt: skip

KEYS = (
    Edit("key integer → uuid", retype("editors.id", "uuid"), "SC113 SC136", "stopped", "fine"),
    Edit("key integer → string", retype("pages.id", "string"), "SC136", "stopped", "fine"),
    Edit("key string 64 → 3", size("words.key", max_length=3), "SC136", "stopped", "refused"),
    Edit("key uuid → string", retype("things.id", "string"), "SC113 SC136", "stopped", "refused"),
    Edit("another column is the key", _another_key, "SC136 SC136", "stopped", "refused"),
)

GONE = (
    Edit("a column dropped", lambda d: d.drop_field("articles.summary"), "SC141", "kept", "lost"),
    Edit("a column dropped, covered by a waiver", lambda d: d.drop_field("articles.summary"), "SC141", "waived", "lost",
         waive=(("SC141", "articles.summary"),)),
    Edit("two columns dropped, one covered by a waiver", _two_drops, "SC141 SC141", "waived", "lost",
         waive=(("SC141", "articles.empty_note"),)),
    Edit("a column renamed", lambda d: d.rename("articles.summary", "abstract"), "SC103 SC141", "kept", "lost"),
    Edit("a table dropped", lambda d: d.drop_collection("legacy"), "SC140", "kept", "lost"),
    Edit("a table dropped, covered by a waiver", lambda d: d.drop_collection("legacy"), "SC140", "waived", "lost",
         waive=(("SC140", "legacy"),)),
    Edit("a folder dropped", lambda d: d.drop_collection("folder"), "SC140", "kept", "fine"),
    Edit("a column becomes an alias", lambda d: d.make_alias("articles.summary"), "SC139", "stopped", "lost"),
    Edit("an empty column becomes an alias", lambda d: d.make_alias("articles.empty_note"),
         "SC139", "stopped", "lost"),
    Edit("a column becomes an alias, waived", lambda d: d.make_alias("articles.summary"), "SC139", "waived", "lost",
         waive=(("SC139", "articles.summary"),)),
    Edit("an alias becomes a column", _line_becomes_a_column, "SC146", "stopped", "fine"),
)  # fmt: skip

LACKING = (
    Edit("the snapshot lacks schema.is_indexed",
         lambda d: d.field("articles.summary")["schema"].pop("is_indexed"), "SC143", "kept", "lost"),
    Edit("the snapshot lacks schema.max_length",
         lambda d: d.field("articles.title")["schema"].pop("max_length"), "SC143", "kept", "lost"),
    Edit("the snapshot lacks the field's meta",
         lambda d: d.field("articles.summary").pop("meta"), "SC143", "kept", "lost"),
    Edit("the snapshot lacks a meta key of a field",
         lambda d: d.field("articles.summary")["meta"].pop("note"), "SC143", "kept", "fine"),
    Edit("the snapshot lacks a meta key of a table",
         lambda d: d.collection("legacy")["meta"].pop("preview_url"), "SC143", "kept", "lost"),
    Edit("the snapshot has a meta key more of a table",
         lambda d: d.collection("legacy")["meta"].update(extra=1), "SC147", "kept", "refused"),
    Edit("the snapshot has a meta key more of a relation",
         lambda d: d.relation("articles.author")["meta"].update(extra="x"), "SC147", "kept", "refused"),
    Edit("the snapshot lacks a relation's on_delete",
         lambda d: d.relation("articles.author")["schema"].pop("on_delete"), "SC143", "kept", "fine"),
)  # fmt: skip

RELATIONS = (
    Edit("on_delete SET NULL → CASCADE", related("articles.author", on_delete="CASCADE"), "SC137", "stopped", "fine"),
    Edit("on_delete CASCADE → NO ACTION", related("articles.cascading", on_delete="NO ACTION"),
         "SC137", "stopped", "fine"),
    Edit("on_delete, covered by a waiver", related("articles.author", on_delete="CASCADE"), "SC137", "waived", "fine",
         waive=(("SC137", "articles.author"),)),
    Edit("a relation points to another table", _another_target, "SC110 SC145", "stopped", "fine"),
    Edit("a foreign key without a relation",
         lambda d: d.schema("articles.reviewer", foreign_key_table="editors", foreign_key_column="id"),
         "SC149", "kept", "fine"),
    Edit("a new column with a foreign key and no relation", _undescribed_key, "SC103 SC149", "kept", "fine"),
    Edit("a foreign key by hand that only production has",
         lambda d: d.schema("legacy.keeper", foreign_key_table=None, foreign_key_column=None), "SC144", "kept", "fine"),
    Edit("a new relation over a foreign key by hand", lambda d: d.add_relation("legacy.keeper", "editors"),
         "SC107", "stopped", "refused"),
    Edit("a new relation over orphans", lambda d: d.add_relation("articles.orphan", "authors"),
         "SC107", "stopped", "refused"),
    Edit("a new relation, every row found", lambda d: d.add_relation("articles.reviewer", "authors"),
         "SC107", "sent", "fine"),
    Edit("a new relation to a table that is new", lambda d: _relation_to_a_new_table(d, "reviewer"),
         "SC101 SC103 SC107", "stopped", "refused"),
    Edit("a relation dropped", lambda d: d.drop_relation("articles.author"), "SC142 SC144", "kept", "fine"),
    Edit("a relation dropped, covered by a waiver", lambda d: d.drop_relation("articles.author"),
         "SC142 SC144", "waived", "fine", waive=(("SC142", "articles.author"),)),
    Edit("another name of a constraint", related("articles.author", constraint_name="my_fk"), "SC138", "kept", "fine"),
    Edit("any-relation: one allowed collection less",
         lambda d: d.relation("blocks.item")["meta"].update(one_allowed_collections=["authors"]),
         "SC114", "stopped", "fine"),
    Edit("any-relation: one more, put in front",
         lambda d: d.relation("blocks.item")["meta"].update(one_allowed_collections=["pages", "articles", "authors"]),
         "SC110", "sent", "fine"),
    Edit("any-relation: the same in another order",
         lambda d: d.relation("blocks.item")["meta"].update(one_allowed_collections=["authors", "articles"]),
         "SC110", "sent", "fine"),
    Edit("any-relation: one put in front, one less",
         lambda d: d.relation("blocks.item")["meta"].update(one_allowed_collections=["pages", "authors"]),
         "SC114", "stopped", "fine"),
)  # fmt: skip

APP = (
    Edit(
        "special in another order",
        lambda d: d.field("articles.line")["meta"].update(special=["no-data", "alias"]),
        "SC110",
        "sent",
        "fine",
    ),
    Edit("list → singleton", shown("pages", singleton=True), "SC112", "stopped", "fine"),
    Edit("a collection moves into a folder", shown("pages", group="folder"), "SC110", "sent", "fine"),
    Edit("no accountability any more", shown("pages", accountability=None), "SC110", "sent", "fine"),
)

EDITS = (*NEW, *KEYS, *GONE, *LACKING, *RELATIONS, *APP)
