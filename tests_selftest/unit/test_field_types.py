"""The table of field types: each entry agrees with itself, and a type without an entry has a defined answer."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from fixtures.checks.rows import identity, values
from fixtures.checks.rows.rewriting import searched_columns
from fixtures.checks.rows.row_values import normalizer
from fixtures.checks.schema import casts
from fixtures.model.dataset import CollectionProfile
from fixtures.model.field_types import FIELD_TYPES, FieldType, created_for, field_type, of_column, of_field
from fixtures.model.probe import Lock
from fixtures.operations.lane_sql.table_columns import unsupported_columns
from fixtures.systems.postgres.copy_text import TYPES, InvalidRow, RowWriter
from fixtures.systems.postgres.stage import Column
from fixtures.systems.postgres.staged_diff import StagedDiff
from fixtures.systems.postgres.tables import Table

KNOWN = (
    "bigInteger", "boolean", "csv", "date", "dateTime", "decimal", "float", "hash", "integer", "json", "string",
    "text", "time", "timestamp", "uuid",
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
A, B = "0aaaaaaa-0000-4000-8000-00000000000a", "0bbbbbbb-0000-4000-8000-00000000000b"
SAMPLED = [each for each in FIELD_TYPES if each.scratch]


def pair(kind: FieldType) -> str:
    return f"{kind.directus} in {kind.postgres}"


def test_every_pair_has_one_entry_and_every_type_one_column_directus_makes() -> None:
    assert not [each for each, times in Counter((e.directus, e.postgres) for e in FIELD_TYPES).items() if times > 1]
    assert sorted(each.directus for each in FIELD_TYPES if each.creatable) == sorted(KNOWN)


@pytest.mark.parametrize(
    ("exported", "told"),
    [
        ("0044-03-15 00:00:00+00 BC", "-000043-03-15T00:00:00.000Z"),
        ("0001-12-31 23:59:59.123456+00 BC", "0000-12-31T23:59:59.123Z"),
        ("10000-01-01T00:00:00.000Z", "+010000-01-01T00:00:00.000Z"),
        ("275760-09-12T23:59:59.999999Z", "+275760-09-12T23:59:59.999Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_an_instant_of_any_year_is_the_one_that_rest_tells(exported: str, told: str) -> None:
    """REST writes years as JavaScript does."""
    assert field_type("timestamp").over_rest(exported) == field_type("timestamp").over_rest(told)


@pytest.mark.parametrize(
    ("kind", "exported", "told"),
    [
        ("date", "infinity", "0NaN-NaN-NaN"),
        ("date", "0044-03-15 BC", "0-43-03-15"),
        ("date", "0001-12-31 BC", "0000-12-31"),
        ("date", "10000-01-01", "10000-01-01"),
        ("dateTime", "-infinity", "0NaN-NaN-NaNTNaN:NaN:NaN"),
        ("dateTime", "0044-03-15T01:02:03.5 BC", "0-43-03-15T01:02:03"),
        ("json", '{"a":1}', {"a": 1}),
        ("json", '"5"', "5"),
        ("json", "null", None),
    ],
)
def test_a_value_directus_tells_otherwise_is_the_one_that_rest_tells(kind: str, exported: Any, told: Any) -> None:
    """Measured on 11.17.4: dates padded to four characters, and a text of JSON that is JSON itself read once more."""
    assert field_type(kind).over_rest(exported) == field_type(kind).over_rest(told)


@pytest.mark.parametrize(
    ("directus", "postgres", "precision"),
    [
        ("timestamp", "timestamp with time zone", "milliseconds"),
        ("dateTime", "timestamp without time zone", "second"),
        ("date", "date", ""),
        ("time", "time without time zone", ""),
    ],
)
def test_a_type_is_found_from_either_side(directus: str, postgres: str, precision: str) -> None:
    field = {"type": directus, "schema": {"data_type": postgres}}
    assert of_field(field) is of_column(postgres) is field_type(directus, postgres) is field_type(directus)
    assert of_column(postgres).rest_precision == precision


@pytest.mark.parametrize(
    ("directus", "postgres", "expected"),
    [
        ("float", "real", "real"),
        ("float", "double precision", "double precision"),
        ("float", "money", "money"),
        ("float", "", "double precision"),
        ("string", "interval", "interval"),
        ("string", "varchar", "character varying"),
        ("integer", "smallint", "smallint"),
        ("unknown", "xml", "xml"),
        ("unknown", "hstore", "hstore"),
    ],
)
def test_a_column_directus_does_not_make_has_the_entry_of_its_pair_or_of_its_type(
    directus: str, postgres: str, expected: str
) -> None:
    assert field_type(directus, postgres).postgres == expected


def test_directus_makes_a_float_a_real() -> None:
    assert created_for("float").postgres == "real"
    assert casts.column_type({"type": "float", "schema": {"data_type": "double precision"}}) == "real"


def test_names_are_those_of_directus_and_of_postgres_where_directus_has_none() -> None:
    assert (field_type("unknown", "hstore").name, field_type("unknown").name, field_type("uuid", "uuid").name) == (
        "hstore", "unknown", "uuid",
    )  # fmt: skip
    assert set(KNOWN) <= TYPES
    assert "unknown" not in TYPES


@given(st.sampled_from(FIELD_TYPES), JSON)
def test_a_canonical_form_has_a_form_of_its_own_and_no_value_is_an_error(kind: FieldType, value: Any) -> None:
    form = kind.canonical(value)
    if kind.canonical is not field_type("json").canonical:  # its form is a text, which JSON holds as a value too
        assert kind.canonical(form) == form
    assert (form is None) == (value is None)


def test_a_moment_outside_the_calendar_is_itself() -> None:
    assert identity.canonical("0001-01-01T00:00:00+10:00", "timestamp") == "0001-01-01T00:00:00+10:00"


@pytest.mark.parametrize("kind", SAMPLED, ids=pair)
def test_scratch_values_are_valid_different_and_can_be_written(kind: FieldType) -> None:
    assert kind.scratch is not None
    assert kind.changed is not None
    one, other = kind.scratch(), kind.changed()
    judge = values.validator(kind, {"data_type": kind.postgres}, exact_json=False)
    assert (judge(one), judge(other)) == (None, None)
    assert identity.differing_columns({"v": one}, {"v": other}, {"v": kind}) == ("v",)
    assert identity.differing_columns({"v": one}, {"v": json.loads(json.dumps(one))}, {"v": kind}) == ()
    assert RowWriter({"v": kind}).line(json.dumps({"v": one}).encode()).endswith(b"\n")
    assert normalizer({"v": kind})({"v": one}) == {"v": one}


@pytest.mark.parametrize("value", ["[]", "1", "{}", "true"])
def test_a_type_directus_does_not_know_is_written_as_its_text_and_nothing_else_is(value: str) -> None:
    writer = RowWriter({"v": field_type("unknown", "inet")})
    assert writer.line(b'{"v":"10.0.0.1/8"}') == b"10.0.0.1/8\n"
    assert writer.line(b'{"v":"\\\\x00ff"}') == b"\\\\x00ff\n"
    assert writer.line(b'{"v":null}') == b"\\N\n"
    with pytest.raises(InvalidRow, match="expected text"):
        writer.line(f'{{"v":{value}}}'.encode())


def test_an_entry_and_its_name_write_the_same() -> None:
    line = b'{"a":"9007199254740993","b":["x","y"],"c":"1.50"}'
    named = RowWriter({"a": "bigInteger", "b": "csv", "c": "decimal"})
    entries = RowWriter({"a": field_type("bigInteger"), "b": field_type("csv"), "c": field_type("decimal")})
    assert named.line(line) == entries.line(line) == b"9007199254740993\tx,y\t1.50\n"


@pytest.mark.parametrize(
    ("postgres", "order"),
    [("smallint", "number"), ("integer", "number"), ("bigint", "number"), ("uuid", "bytes"), ("numeric", "bytes")],
)
def test_keys_are_ordered_as_numbers_only_where_they_are_whole_numbers(postgres: str, order: str) -> None:
    assert Table("t", ("id",), {"id": postgres}).order == (order,)


@pytest.mark.parametrize(
    ("postgres", "comparable"), [("json", False), ("xml", False), ("point", False), ("jsonb", True), ("hstore", True)]
)
def test_what_has_no_equality_in_postgres_is_known(postgres: str, comparable: bool) -> None:
    assert of_column(postgres).comparable is comparable


@pytest.mark.parametrize(("directus", "postgres"), [("unknown", "hstore"), ("geometry.Point", "point"), ("new", "")])
def test_an_unknown_type_has_an_answer_everywhere(directus: str, postgres: str) -> None:
    kind = of_field({"type": directus, "schema": {"data_type": postgres}})
    assert kind.canonical("a") == "a"
    assert kind.told_by_rest is (not postgres)
    assert (values.validator(kind, {}, exact_json=False)({"a": 1}) is None) is (not postgres)
    assert values.validator(kind, {}, exact_json=False)("a=>1") is None
    assert searched_columns({"v": kind}, without=frozenset()) == ()
    assert normalizer({"v": kind})({"v": "a"}) == {"v": "a"}
    assert casts.column_type({"type": directus, "schema": {"data_type": postgres}}) == ""
    assert not casts.same_api_type(directus, "other")
    assert casts.same_api_type(directus, directus)
    assert casts.is_lossless(directus, "text")
    assert not casts.is_lossless(directus, "string")
    assert casts.rejects_unfitting("text", directus)
    assert not casts.rejects_unfitting(directus, "text")
    assert casts.retype_lock(directus, "text") is Lock.REWRITE
    assert (kind.filterable, kind.sortable, kind.free_text, kind.scratch) == (False, False, False, None)
    assert kind.writable is bool(postgres)
    place = sql.Identifier("a")
    beside = StagedDiff(place, place, place, "id", types={"v": kind})
    assert "IS DISTINCT FROM" in beside.differs("v").as_string()


def test_what_rest_does_not_tell_is_not_compared_over_rest() -> None:
    told, hidden = field_type("string"), of_field({"type": "string", "meta": {"special": ["conceal"]}, "schema": {}})
    types = {"a": told, "b": field_type("unknown", "inet"), "c": hidden}
    assert identity.differing_columns(dict.fromkeys("abc", "1"), dict.fromkeys("abc", "2"), types) == ("a",)


def test_lane_sql_names_the_column_of_which_no_type_is_known() -> None:
    profile = CollectionProfile("places", "id", "integer", singleton=False, columns=("id", "tags"))
    types = {"id": field_type("integer"), "tags": field_type("unknown")}
    (finding,) = unsupported_columns(profile, types, {"id": Column("id", "integer"), "tags": Column("tags", "hstore")})
    assert (finding.code, finding.observed) == ("MIG-441", "type unknown")
