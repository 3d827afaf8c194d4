"""Lines that are passed on as they stand are those the careful way would write the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.model.dataset import ImportOrder
from fixtures.model.export import AssetInventory, DataExport
from fixtures.model.key_map import KeyMap
from fixtures.model.snapshot import Snapshot
from fixtures.operations.imports.import_set import ImportSet
from fixtures.operations.lane_sql.copy_rows import CopyRows
from fixtures.systems.postgres.copy_text import NULL, unescaped
from fixtures.systems.postgres.stage import Column

HERE, THERE, OTHER = (f"1ca10000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
ADA, ADA_THERE = (f"ada00000-0000-4000-8000-00000000000{number}" for number in (1, 2))
TYPES = {"id": "integer", "title": "string", "body": "text", "extra": "json", "tags": "csv", "author": "uuid",
         "category": "uuid", "collection": "string", "item": "string"}  # fmt: skip
COLUMNS = sorted(TYPES)


def own(collection: str, name: str, kind: str, **schema: Any) -> dict[str, Any]:
    return {
        "collection": collection,
        "field": name,
        "type": kind,
        "meta": {},
        "schema": {"is_nullable": True, **schema},
    }


def related(name: str, target: str) -> dict[str, Any]:
    return {"collection": "t", "field": name, "related_collection": target, "meta": {}, "schema": {"table": "t"}}


def snapshot() -> Snapshot:
    fields = [own("t", name, kind, is_primary_key=name == "id") for name, kind in TYPES.items()]
    fields += [own("categories", "id", "uuid", is_primary_key=True), own("words", "id", "string", is_primary_key=True)]
    any_relation = {
        "collection": "t", "field": "item", "related_collection": None, "schema": None,
        "meta": {"many_collection": "t", "many_field": "item", "one_collection_field": "collection",
                 "one_allowed_collections": ["categories", "words"]},
    }  # fmt: skip
    return Snapshot({
        "collections": [{"collection": name, "schema": {}, "meta": {}} for name in ("t", "categories", "words")],
        "fields": fields,
        "relations": [related("author", "directus_users"), related("category", "categories"), any_relation],
    })  # fmt: skip


def rows(columns: list[str] = COLUMNS, **matches: dict[str, str]) -> CopyRows:
    import_set = ImportSet(
        folder=Path(), export=DataExport(datetime.now(UTC), ()), order=ImportOrder(("categories", "words", "t")),
        assets=AssetInventory((), {}, {}), local_schema=snapshot(),
        keys=KeyMap(users={ADA: ADA_THERE, OTHER: OTHER}, natural_key_matches=matches),
    )  # fmt: skip
    return CopyRows(import_set, "t", {name: Column(name, "text") for name in COLUMNS}, columns)


NOTHING = rows()
A_CATEGORY = rows(categories={HERE: THERE})
A_WORD = rows(words={"5": "6", "a b": "c d"}, categories={HERE: THERE})
ALL = (NOTHING, A_CATEGORY, A_WORD)


def line(**values: Any) -> bytes:
    row = {name: values.get(name) for name in COLUMNS} | {"id": values.get("id", 1)}
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def meant(values: Sequence[bytes]) -> list[str | None]:
    """What COPY reads; it knows two notations of a quotation mark."""
    return [None if value == NULL else unescaped(value) for value in values]


_LETTERS = st.characters(codec="utf-8", exclude_characters="\0")
TEXTS = [
    HERE, HERE.upper(), ADA, ADA.upper(), f"a{HERE}", f"see /items/categories/{HERE}?x", "/content/words/5",
    "/items/words/a%20b",
    "/items/words/6", "5", "plain", 'a "b" \\ /', '{"collection":"words","item":"5"}', f"{ADA},{OTHER}", "é\n", "",
]  # fmt: skip
DOCUMENTS = [
    {"collection": "words", "item": "5"}, {"collection": "words", "key": 5}, {"a": [HERE, {"b": ADA}]},
    ["/items/words/5"],
    {"collection": "categories", "id": HERE.upper()}, {"n": 1.5}, [], {"collection": 5},
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_rewritten_as_a_decoded_line_is(text: str) -> None:
    for each in ALL:
        for values in ({"title": text}, {"body": text}, {"tags": [text.replace(",", ";")]}, {"extra": {"a": text}}):
            assert meant(each(line(**values))) == meant(each.decoded_values(line(**values)))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_is_rewritten_as_a_decoded_line_is(document: Any) -> None:
    for each in ALL:
        assert meant(each(line(extra=document))) == meant(each.decoded_values(line(extra=document)))


def test_an_address_with_its_slashes_escaped_is_rewritten() -> None:
    r"""JSON may write a slash as \/; no exporter of ours does, a person's file may."""
    escaped = line(title="/items/words/5").replace(b"/", rb"\/")
    found = dict(zip(COLUMNS, A_WORD(escaped), strict=True))
    assert unescaped(found["title"]) == "/items/words/6"


def test_references_lead_to_production() -> None:
    found = dict(zip(COLUMNS, A_CATEGORY(line(author=ADA, category=HERE, title="a")), strict=True))
    assert (found["author"], found["category"], found["title"]) == (ADA_THERE.encode(), THERE.encode(), b"a")
    found = dict(zip(COLUMNS, A_WORD(line(collection="words", item="5")), strict=True))
    assert found["item"] == b"6"
    found = dict(zip(COLUMNS, A_WORD(line(collection="categories", item="5")), strict=True))
    assert found["item"] == b"5"


def test_json_beside_a_rewritten_reference_keeps_every_byte() -> None:
    repeated = rb'{"n":1.10,"n":2,"u":"\u0000"}'
    text = line(category=HERE, extra="-").replace(b'"-"', repeated)
    found = dict(zip(COLUMNS, A_CATEGORY(text), strict=True))
    assert (found["category"], unescaped(found["extra"])) == (THERE.encode(), repeated.decode())


def test_only_the_columns_that_are_asked_for() -> None:
    assert list(rows(["title", "id"])(line(title="a"))) == [b"a", b"1"]
    assert list(rows(["title", "id"])(line(title="\u0001"))) == [b"\x01", b"1"]


def test_most_lines_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CopyRows, "decoded_values", lambda *_: pytest.fail("the line was decoded"))
    for text in ("plain", "5", 'a "b"', "/about/5", OTHER):
        A_WORD(line(title=text, body=text, extra={"n": text}, author=ADA, category=OTHER, collection="words", item="6"))


@settings(max_examples=300, deadline=None)
@given(
    title=st.sampled_from(TEXTS) | st.text(_LETTERS, max_size=20),
    body=st.none() | st.sampled_from(TEXTS),
    extra=st.none() | st.sampled_from(DOCUMENTS), author=st.sampled_from([None, ADA, OTHER, HERE]),
    category=st.sampled_from([None, HERE, THERE, HERE.upper()]), item=st.sampled_from([None, "5", HERE, "a b"]),
    collection=st.sampled_from([None, "words", "categories"]),
    tags=st.none() | st.lists(st.sampled_from(["a", HERE])),
)  # fmt: skip
def test_every_line_gives_the_values_of_the_decoded_one(**values: Any) -> None:
    for each in ALL:
        assert meant(each(line(**values))) == meant(each.decoded_values(line(**values)))
