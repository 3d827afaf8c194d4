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
from fixtures.operations.lane_api.batches import row_converter
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
        ("float", "money", "double precision"),
        ("float", "", "double precision"),
        ("string", "interval", "character varying"),
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
    assert not {"unknown", "xml"} & TYPES


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


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (f'["{A}",null]', f"{{{A},NULL}}"),
        (f'[["{A}"],["{A.upper()}"]]', f"{{{{{A}}},{{{A.upper()}}}}}"),
        ("[]", "{}"),
        ("null", r"\N"),
        (f'["{A},{A}"]', "expected a list of uuids"),
        ("[1]", "expected a list of uuids"),
        ('{"a":1}', "expected a list of uuids"),
    ],
)
def test_a_list_of_uuids_is_written_as_an_array_and_nothing_else_is(value: str, sent: str) -> None:
    writer = RowWriter({"v": field_type("unknown", "uuid[]")})
    if sent.startswith("expected"):
        with pytest.raises(InvalidRow, match=sent):
            writer.line(f'{{"v":{value}}}'.encode())
    else:
        assert writer.line(f'{{"v":{value}}}'.encode()).decode() == f"{sent}\n"


def test_lists_of_uuids_are_equal_in_either_case_and_not_in_another_order() -> None:
    types = {"v": field_type("unknown", "uuid[]")}
    assert identity.differing_columns({"v": [A.upper(), None]}, {"v": [A, None]}, types) == ()
    assert identity.differing_columns({"v": [A, B]}, {"v": [B, A]}, types) == ("v",)
    assert identity.differing_columns({"v": [A]}, {"v": [[A]]}, types) == ("v",)


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
    value = {"b": 1, "a": [True]}
    assert kind.canonical(value) is value
    assert identity.differing_columns({"v": value}, {"v": {"a": [True], "b": 1}}, {"v": kind}) == ()
    assert identity.differing_columns({"v": value}, {"v": {"a": [False], "b": 1}}, {"v": kind}) == ("v",)
    assert values.validator(kind, {}, exact_json=False)(value) is None
    assert searched_columns({"v": kind}, without=frozenset()) == ()
    assert normalizer({"v": kind})({"v": value}) == {"v": value}
    assert row_converter({"v": kind})({"v": "a"}) == {"v": "a"}
    assert casts.column_type({"type": directus, "schema": {"data_type": postgres}}) == ""
    assert not casts.same_api_type(directus, "other")
    assert casts.same_api_type(directus, directus)
    assert casts.is_lossless(directus, "text")
    assert not casts.is_lossless(directus, "string")
    assert casts.rejects_unfitting("text", directus)
    assert not casts.rejects_unfitting(directus, "text")
    assert casts.retype_lock(directus, "text") is Lock.REWRITE
    assert (kind.filterable, kind.sortable, kind.free_text, kind.scratch, kind.writable) == (
        False, False, False, None, False,
    )  # fmt: skip
    place = sql.Identifier("a")
    beside = StagedDiff(place, place, place, "id", types={"v": kind})
    assert beside.differs("v").as_string() == 's."v" IS DISTINCT FROM t."v"'


def test_lane_sql_names_the_type_it_cannot_write() -> None:
    profile = CollectionProfile("places", "id", "integer", singleton=False, columns=("id", "tags"))
    types = {"id": field_type("integer"), "tags": field_type("unknown", "hstore")}
    (finding,) = unsupported_columns(profile, types, {"id": Column("id", "integer"), "tags": Column("tags", "hstore")})
    assert (finding.code, finding.observed) == ("MIG-441", "type hstore")
