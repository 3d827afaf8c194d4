"""What Directus makes of a column against what local has, by values alone: defaults, types, and without a catalog."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.checks.schema import column_defaults, column_fidelity
from fixtures.checks.schema.column_defaults import Default
from fixtures.model.catalog import Catalog, CatalogColumn, CatalogTable
from fixtures.model.snapshot import Snapshot

KEY = CatalogColumn(
    "id", "integer", None, None, None, False, "nextval('t_id_seq'::regclass)", True, False, False, "integer",
    sequence="public.t_id_seq",
)  # fmt: skip
PLAIN = CatalogColumn("made", "text", None, None, None, True, "", False, False, False, "text")
PRODUCTION = Catalog((CatalogTable("t", (KEY,), ()),), {})


def field(kind: str, data_type: str, **schema: Any) -> dict[str, Any]:
    return {
        "collection": "t", "field": "made", "type": kind, "meta": {"special": None},
        "schema": {"data_type": data_type, "default_value": None, **schema},
    }  # fmt: skip


def judged(told: dict[str, Any], here: CatalogColumn | None) -> list[tuple[str, str, str]]:
    """Code, and the column production would have against local's, of a new field."""
    desired = Snapshot({"collections": [{"collection": "t", "schema": {"name": "t"}}], "fields": [told]})
    payload = {"fields": [{"collection": "t", "field": "made", "diff": [{"kind": "N", "rhs": told}]}]}
    local = Catalog((CatalogTable("t", (KEY, here), ()),), {}) if here else None
    found = column_fidelity.unfaithful_columns(payload, desired, local, PRODUCTION)
    return [(each.code, each.before, each.after) for each in found]


@pytest.mark.parametrize(
    ("expression", "kind", "default"),
    [
        ("", "text", Default("none")),
        ("NULL::character varying", "string", Default("none")),
        ("'it''s'::character varying", "string", Default("value", "it's")),
        ("'a'::character varying(10)", "string", Default("value", "a")),
        ("'-5'::integer", "integer", Default("value", "-5")),
        ("'-1.50'::numeric", "decimal", Default("value", "-1.5")),
        ("(-1)", "integer", Default("value", "-1")),
        ("1.50", "decimal", Default("value", "1.5")),
        ("'1e3'::double precision", "float", Default("value", "1000")),
        ("true", "boolean", Default("value", "true")),
        ("now()", "timestamp", Default("now")),
        ("CURRENT_TIMESTAMP", "timestamp", Default("now")),
        ("CURRENT_TIMESTAMP(3)", "timestamp", Default("now", "3")),
        ("'now()'::text", "text", Default("value", "now()")),
        ("lower('ABC'::text)", "text", Default("expression", "lower('ABC'::text)")),
        ("('a'::text || 'b'::text)", "text", Default("expression", "('a'::text || 'b'::text)")),
        ("CURRENT_DATE", "date", Default("expression", "CURRENT_DATE")),
        ("'2020-01-01 00:00:00+00'::timestamp with time zone", "timestamp", Default("value", "2020-01-01 00:00:00+00")),
        ("'{}'::text[]", "unknown", Default("value", "{}")),
    ],
)
def test_a_default_of_the_catalog_is_a_value_or_an_expression(expression: str, kind: str, default: Default) -> None:
    assert column_defaults.in_catalog(expression, kind) == default


def test_json_is_compared_by_its_value_with_every_digit() -> None:
    spaced = column_defaults.in_catalog("""'{"b": 1.50, "a": [1]}'::jsonb""", "json")
    assert spaced == column_defaults.made(field("json", "jsonb", default_value={"a": [1], "b": 1.5}))
    large = column_defaults.in_catalog("'[9007199254740993]'::json", "json")
    assert large != column_defaults.made(field("json", "json", default_value=[9007199254740992]))


def test_a_text_that_is_no_json_is_not_taken_for_it() -> None:
    """Directus tells the JSON text "a" as a, and would write the default a."""
    told = field("json", "json", default_value="a")
    assert column_defaults.in_catalog("""'"a"'::json""", "json") != column_defaults.made(told)


@pytest.mark.parametrize(
    ("told", "made"),
    [("now()", "now"), ("NOW()", "now"), ("CURRENT_TIMESTAMP", "now"), ("gen_random_uuid()", "expression"),
     ("CURRENT_DATE", "value"), ("lower('ABC'", "value")],
)  # fmt: skip
def test_directus_makes_a_text_of_nearly_every_expression(told: str, made: str) -> None:
    assert column_defaults.made(field("text", "text", default_value=told)).kind == made


def test_a_type_of_an_extension_is_made_with_it() -> None:
    told = field("text", "citext")
    here = replace(
        PLAIN, type="citext", declared="citext", type_definition="CREATE EXTENSION IF NOT EXISTS citext"
    )  # fmt: skip
    assert judged(told, here) == [("SC170", "text", "citext")]
    desired = Snapshot({"collections": [{"collection": "t", "schema": {"name": "t"}}], "fields": [told]})
    payload = {"fields": [{"collection": "t", "field": "made", "diff": [{"kind": "N", "rhs": told}]}]}
    local = Catalog((CatalogTable("t", (KEY, here), ()),), {})
    (found,) = column_fidelity.unfaithful_columns(payload, desired, local, PRODUCTION)
    assert found.statement.startswith("DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS citext;")
    assert 'ALTER TABLE "t" ADD COLUMN IF NOT EXISTS "made" citext;' in found.statement


@pytest.mark.parametrize(
    ("declared", "kind", "same"),
    [("geometry(Point,4326)", "geometry.Point", True), ("geometry(Point,3857)", "geometry.Point", False),
     ("geography(Point,4326)", "geometry.Point", False)],
)  # fmt: skip
def test_a_geometry_is_made_with_the_one_reference_system_directus_knows(declared: str, kind: str, same: bool) -> None:
    """By the facts of the catalog alone: no PostGIS can be installed here."""
    here = replace(PLAIN, type=declared.partition("(")[0], declared=declared)
    assert (judged(field(kind, "POINT"), here) == []) == same


def test_without_local_s_catalog_what_directus_tells_is_judged() -> None:
    assert [code for code, *_ in judged(field("json", "jsonb"), None)] == ["SC170"]
    assert judged(field("string", "character varying", max_length=-5), None) == [
        ("SC170", "character varying(-5)", "character varying")
    ]
    assert judged(field("unknown", "bytea"), None) == [("SC170", "no column at all", "bytea")]
    computed = field("text", "text", is_generated=True, generation_expression="upper(a)")
    assert [code for code, *_ in judged(computed, None)] == ["SC171"]
    sequence = field("integer", "integer", default_value="nextval('other'::regclass)")
    assert [code for code, *_ in judged(sequence, None)] == ["SC172"]
    assert judged(field("string", "character varying", max_length=20, default_value="x"), None) == []


def test_a_label_more_in_production_s_enum_is_another_type() -> None:
    """Of a column on both sides: the name of its type is the same, what the type admits is not."""
    here = replace(PLAIN, type="mood", declared="mood", type_definition="CREATE TYPE mood AS ENUM ('a')")
    there = replace(here, type_definition="CREATE TYPE mood AS ENUM ('a', 'b')")
    desired = Snapshot({"collections": [], "fields": [field("unknown", "mood")]})
    sides = [Catalog((CatalogTable("t", (KEY, each), ()),), {}) for each in (here, there)]
    (found,) = column_fidelity.unfaithful_columns({}, desired, *sides)
    assert (found.code, found.name) == ("SC170", "t.made")
    assert column_fidelity.unfaithful_columns({}, desired, sides[0], sides[0]) == []


def test_without_local_s_catalog_an_equal_report_is_no_difference() -> None:
    """Directus tells half of this default on both sides; only a virtual column of production is known to differ."""
    told = field("text", "text", default_value="lower('ABC'")
    there = replace(PLAIN, default="lower('ABC'::text)")
    for column, codes in ((there, []), (replace(PLAIN, generated="VIRTUAL", expression="upper(a)"), ["SC171"])):
        production = Catalog((CatalogTable("t", (KEY, column), ()),), {})
        found = column_fidelity.unfaithful_columns({}, Snapshot({"fields": [told]}), None, production)
        assert [each.code for each in found] == codes
