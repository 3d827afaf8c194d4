"""A snapshot and a catalog that say the same are silent; every property in which they differ is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures.checks.schema import catalog
from fixtures.checks.schema.diff_entries import change
from fixtures.model.catalog import Catalog, CatalogColumn, CatalogKey, CatalogTable
from fixtures.model.plan import SchemaPlan, Stage
from fixtures.model.snapshot import Snapshot

COLUMN = CatalogColumn("name", "character varying", 64, None, None, True, "", False, True, False)
PRICE = CatalogColumn("price", "numeric", None, 12, 4, True, "0.0", False, False, True)
PARENT = CatalogColumn("parent", "integer", None, None, None, True, "", False, False, False)
KEY = CatalogKey("t_parent_foreign", "t", "parent", "p", "id", "SET NULL", "NO ACTION")
TABLE = CatalogTable("t", (COLUMN, PRICE, PARENT), (KEY,))


def field(name: str, kind: str, **schema: Any) -> dict[str, Any]:
    plain = {"is_nullable": True, "is_unique": False, "is_indexed": False, "is_primary_key": False}
    return {"collection": "t", "field": name, "type": kind, "schema": {**plain, "default_value": None, **schema}}


SNAPSHOT = Snapshot(
    {
        "collections": [{"collection": "t", "schema": {"name": "t"}}],
        "fields": [
            field("name", "string", max_length=64, is_unique=True),
            field("price", "decimal", numeric_precision=12, numeric_scale=4, default_value=0, is_indexed=True),
            field("parent", "integer", data_type="integer"),
            {"collection": "t", "field": "line", "type": "alias", "schema": None},
        ],
        "relations": [
            {
                "collection": "t", "field": "parent", "related_collection": "p",
                "schema": {"foreign_key_table": "p", "foreign_key_column": "id", "on_delete": "SET NULL",
                           "on_update": "NO ACTION"},
            }
        ],
    }
)  # fmt: skip


def seen(*columns: CatalogColumn, keys: tuple[CatalogKey, ...] = (KEY,)) -> Catalog:
    return Catalog((CatalogTable("t", columns or TABLE.columns, keys),), {})


def said(there: Catalog) -> list[tuple[str, str]]:
    return [(each.name, each.property) for each in catalog.mismatches(SNAPSHOT, there)]


def test_two_that_say_the_same_are_silent() -> None:
    assert said(seen()) == []
    assert catalog.mismatch_findings(SNAPSHOT, seen()) == []
    assert catalog.missing_after_apply(SNAPSHOT, seen()) == []


COLUMNS: dict[str, tuple[dict[str, Any], str]] = {
    "shorter": ({"length": 10}, "type"),
    "another type": ({"type": "text", "length": None}, "type"),
    "refuses null": ({"nullable": False}, "nullable"),
    "not unique": ({"unique": False}, "unique"),
    "indexed": ({"indexed": True}, "indexed"),
    "a default": ({"default": "'x'::character varying"}, "default"),
    "the key": ({"key": True}, "primary key"),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_a_column_that_is_otherwise_is_named(case: str) -> None:
    other, word = COLUMNS[case]
    assert said(seen(replace(COLUMN, **other), PRICE, PARENT)) == [("t.name", word)]


def test_another_scale_is_another_type() -> None:
    assert said(seen(COLUMN, replace(PRICE, scale=1), PARENT)) == [("t.price", "type")]


def test_a_column_that_is_not_there_is_named() -> None:
    assert said(seen(COLUMN, PRICE)) == [("t.parent", "column")]


KEYS = {
    "another action": ((replace(KEY, on_delete="CASCADE"),), "on delete"),
    "another table": ((replace(KEY, target="q"),), "target"),
    "none": ((), "foreign key"),
    "two": ((KEY, replace(KEY, name="second")), "foreign keys"),
}


@pytest.mark.parametrize("case", KEYS)
def test_a_foreign_key_that_is_otherwise_is_named(case: str) -> None:
    keys, word = KEYS[case]
    assert said(seen(keys=keys)) == [("t.parent", word)]
    (before,) = catalog.mismatch_findings(SNAPSHOT, seen(keys=keys))
    (after,) = catalog.missing_after_apply(SNAPSHOT, seen(keys=keys))
    assert (before.code, after.code) == ("MIG-329", "MIG-337")
    assert catalog.missing_after_apply(SNAPSHOT, seen(keys=keys), keeps=lambda name, _: name == "t.parent") == []


def test_only_the_detail_that_stays_is_passed_over() -> None:
    stays = change(Stage.CONSTRAINT, "alter", "t.price", "SC153", "schema.is_indexed")
    plan = SchemaPlan(datetime(2026, 1, 1, tzinfo=UTC), "", "", "", (stays,), {}, "")
    column = SNAPSHOT.fields["t.price"]["schema"]
    wanted = {**SNAPSHOT.raw, "fields": [{**f, "schema": {**f["schema"], "is_indexed": False}}
                                         if f["schema"] is column else f for f in SNAPSHOT.raw["fields"]]}  # fmt: skip
    assert [each.property for each in catalog.mismatches(Snapshot(wanted), seen())] == ["indexed"]
    assert catalog.missing_after_apply(Snapshot(wanted), seen(), keeps=plan.keeps) == []
    elsewhere = replace(plan, changes=(replace(stays, detail="schema.is_unique"),))
    (finding,) = catalog.missing_after_apply(Snapshot(wanted), seen(), keeps=elsewhere.keeps)
    assert finding.code == "MIG-337"
    assert plan.keeps("t.price", "schema.is_indexed")
    assert not plan.keeps("t.price", "schema.is_indexed_too")
    assert not plan.keeps("t.price")


def test_what_no_snapshot_carries_is_listed() -> None:
    raw = replace(COLUMN, name="raw")
    there = Catalog(
        (CatalogTable("t", (*TABLE.columns, raw), (KEY,), ("CHECK (price > 0)",)), CatalogTable("u", (raw,), ())),
        {"t.name": ("view names",)},
    )
    assert catalog.objects_outside_snapshot(SNAPSHOT, there) == [
        "table u",
        "column t.raw",
        "t: CHECK (price > 0)",
        "view names",
    ]


def test_equal_catalogs_have_equal_names_and_any_difference_another() -> None:
    assert seen().digest == seen().digest
    assert seen(keys=()).digest != seen().digest
    assert replace(seen(), dependents={"t.name": ("view v",)}).digest != seen().digest
    assert replace(seen(), names=("s",)).digest != seen().digest
