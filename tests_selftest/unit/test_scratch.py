"""A scratch row is valid by the schema alone: required and unique columns filled, references pointing somewhere."""

from __future__ import annotations

from typing import Any, cast

import pytest

from fixtures.checks.rows.profile import profile
from fixtures.model.snapshot import Snapshot
from fixtures.operations.scratch_rows.scratch_values import NoParent, ScratchValues, crud_checks
from fixtures.systems.directus import DirectusObserver
from fixtures.systems.http.transport import Answer

MARK = "scratch-run-20261101T120000Z"


def field(name: str, kind: str, *, collection: str = "parts", **schema: Any) -> dict[str, Any]:
    meta = {key: schema.pop(key) for key in ("required", "special", "options") if key in schema}
    return {
        "collection": collection,
        "field": name,
        "type": kind,
        "meta": meta,
        "schema": {"is_nullable": True, **schema},
    }


def snapshot() -> Snapshot:
    return Snapshot(
        {
            "collections": [{"collection": "parts", "schema": {}}, {"collection": "chapters", "schema": {}}],
            "fields": [
                field("id", "integer", is_primary_key=True, is_nullable=False),
                field("title", "string", max_length=10, is_nullable=False),
                field("status", "string", options={"choices": [{"value": "draft"}, {"value": "published"}]}),
                field("number", "integer", is_unique=True),
                field("amount", "decimal", is_nullable=False),
                field("note", "text"),
                field("weight", "float"),
                field("made", "timestamp", special=["date-created"]),
                field("chapter", "integer", is_nullable=False),
                field("replaces", "integer"),
                field("collection", "string"),
                field("item", "string", is_nullable=False),
                field("id", "integer", collection="chapters", is_primary_key=True, is_nullable=False),
            ],
            "relations": [
                {"collection": "parts", "field": "chapter", "related_collection": "chapters", "meta": {}},
                {"collection": "parts", "field": "replaces", "related_collection": "parts", "meta": {}},
                {
                    "collection": "parts",
                    "field": "item",
                    "related_collection": None,
                    "meta": {"one_allowed_collections": ["chapters"], "one_collection_field": "collection"},
                },
            ],
        }
    )


class Somewhere:
    """A production in which chapter 7 is the only row there is."""

    def __init__(self, *, empty: bool = False, taken: int = 0) -> None:
        self.empty, self.taken = empty, taken

    def primary_key(self, _collection: str) -> str:
        return "id"

    def ask(self, path: str, *, params: dict[str, Any]) -> Answer:
        rows = [] if self.empty or not path.endswith("/chapters") else [{params["fields"]: 7}]
        return Answer(200, {"data": rows}, {}, 1.0)

    def count(self, _collection: str, *, filter: dict[str, Any]) -> int:  # noqa: A002
        return int(filter == {"number": {"_eq": self.taken}})


def values(*, empty: bool = False, taken: int = 0) -> ScratchValues:
    return ScratchValues(snapshot(), cast(DirectusObserver, Somewhere(empty=empty, taken=taken)), MARK)


def test_a_new_row_has_what_the_schema_asks_for_and_leaves_the_rest() -> None:
    row = values().for_new(profile(snapshot(), "parts"))
    assert row == {
        "title": MARK[:10],
        "status": "draft",
        "number": 1,
        "amount": "1.50",
        "note": MARK,
        "chapter": 7,
        "item": "7",
        "collection": "chapters",
    }


def test_a_required_reference_without_a_row_to_point_to_is_said_and_not_guessed() -> None:
    with pytest.raises(NoParent, match="and none exists"):
        values(empty=True).for_new(profile(snapshot(), "parts"))


def test_a_change_is_of_a_free_text_and_fits_its_column() -> None:
    assert values().for_change(profile(snapshot(), "parts")) == {"note": f"changed {MARK}"}


def test_a_singleton_is_only_read() -> None:
    raw = snapshot().raw
    raw["collections"][0]["meta"] = {"singleton": True}
    assert crud_checks(profile(Snapshot(raw), "parts")) == ("read",)


@pytest.mark.parametrize(
    ("kind", "schema", "first", "second"),
    [
        ("decimal", {}, "1.50", "2.50"),
        ("boolean", {}, True, False),
        ("hash", {}, MARK, MARK),
        ("unknown", {"data_type": "hstore"}, MARK, MARK),
    ],
)
def test_a_change_without_a_text_is_another_value_of_the_type(
    kind: str, schema: dict[str, Any], first: Any, second: Any
) -> None:
    fields = [
        field("id", "integer", is_primary_key=True, is_nullable=False),
        field("one", kind, is_nullable=False, **schema),
    ]
    raw = {"collections": [{"collection": "parts", "schema": {}}], "fields": fields, "relations": []}
    made = ScratchValues(Snapshot(raw), cast(DirectusObserver, Somewhere()), MARK)
    parts = profile(Snapshot(raw), "parts")
    assert (made.for_new(parts), made.for_change(parts)) == ({"one": first}, {"one": second})


def test_a_unique_number_that_a_row_has_is_not_used_again() -> None:
    parts = profile(snapshot(), "parts")
    assert values().for_new(parts)["number"] == 1
    assert values(taken=1).for_new(parts)["number"] > 1
