"""Rules for rows of an export, by themselves: types, limits, names; each judge meets what it must refuse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.checks.rows import row_values, strict_json, values
from fixtures.checks.rows.strict_json import InvalidRow
from fixtures.model.snapshot import Snapshot


def rule(kind: str, value: Any, *, exact_json: bool = False, **schema: Any) -> str:
    found = values.validator(kind, schema, exact_json=exact_json)(value)
    return found[0] if found else ""


@pytest.mark.parametrize(
    ("kind", "value", "schema", "expected"),
    [
        ("integer", True, {}, "TYPE"),
        ("integer", -(2**31), {}, ""),
        ("integer", -(2**31) - 1, {}, "RANGE"),
        ("bigInteger", "-9223372036854775808", {}, ""),
        ("bigInteger", 2**63, {}, "RANGE"),
        ("bigInteger", "١٢", {}, "TYPE"),
        ("bigInteger", "1e3", {}, "TYPE"),
        ("decimal", "99999999.99", {"numeric_precision": 10, "numeric_scale": 2}, ""),
        ("decimal", "100000000", {"numeric_precision": 10, "numeric_scale": 2}, "RANGE"),
        ("decimal", "0.001", {"numeric_precision": 10, "numeric_scale": 2}, "DIGITS"),
        ("decimal", "1e2", {"numeric_precision": 10, "numeric_scale": 2}, ""),
        ("decimal", "1e9999", {"numeric_precision": 10, "numeric_scale": 2}, "RANGE"),
        ("decimal", " 1", {}, "TYPE"),
        ("float", 0.1, {"data_type": "real"}, ""),
        ("float", 16777217, {"data_type": "real"}, "DIGITS"),
        ("float", 1e39, {"data_type": "real"}, "RANGE"),
        ("float", 0.1 + 0.2, {"data_type": "double precision"}, ""),
        ("float", "0.1", {}, "TYPE"),
        ("boolean", 0, {}, "TYPE"),
        ("uuid", "{00119fb2-6db9-433b-b95c-2cebbe20ca57}", {}, "TYPE"),
        ("date", "2024-02-29", {}, ""),
        ("date", "2023-02-29", {}, "DATE"),
        ("date", "2024-2-9", {}, "DATE"),
        ("date", "٢٠٢٤-٠١-٠١", {}, "DATE"),
        ("time", "23:59:59.999999", {}, ""),
        ("time", "23:59:60", {}, "DATE"),
        ("timestamp", "2026-01-01T00:00:00.123456+00", {}, ""),
        ("timestamp", "2026-01-01", {}, "DATE"),
        ("dateTime", "2026-01-01 00:00:00", {}, ""),
        ("csv", ["a", ""], {}, ""),
        ("csv", ["a", 1], {}, "TYPE"),
        ("csv", ["a\0"], {}, "TEXT"),
        ("json", {"a": ["\ud83d"]}, {}, "TEXT"),
        ("json", {"\0": 1}, {}, "TEXT"),
        ("string", "é" * 5, {"max_length": 5}, ""),
        ("string", "é" * 6, {"max_length": 5}, "LENGTH"),
        ("string", "any length", {"max_length": -5}, ""),
        ("string", ["a"], {}, "TYPE"),
        ("geometry", {"type": "Point"}, {}, ""),
    ],
)  # fmt: skip
def test_each_value_is_judged_by_its_column(kind: str, value: Any, schema: dict[str, Any], expected: str) -> None:
    assert rule(kind, value, **schema) == expected


def test_numbers_inside_json_may_have_every_digit_where_the_lane_keeps_it() -> None:
    value = strict_json.parse_row(b'{"n":[9007199254740993,1.10,0.30000000000000000004]}')["n"]
    assert rule("json", value) == "DIGITS"
    assert rule("json", value, exact_json=True) == ""
    assert rule("json", value[1]) == ""


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-999999, max_value=999999))
def test_a_decimal_that_fits_is_never_refused(number: Decimal) -> None:
    assert rule("decimal", str(number), numeric_precision=10, numeric_scale=4) == ""


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20))
def test_whole_text_is_never_refused(text: str) -> None:
    assert rule("string", text, max_length=20) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"a":1,"a":1}', "TWICE"),
        (b'{"a":{"b":[{"c":1,"c":2}]}}', "TWICE"),
        (b'{"a":NaN}', "NOT_A_NUMBER"),
        (b'{"a":1}{"a":2}', "JSON"),
        (b"[]", "JSON"),
        (b"", "JSON"),
        (b'{"a":' + b"[" * 100_000, "DEPTH"),
    ],
)
def test_what_is_no_row_says_why(text: bytes, expected: str) -> None:
    with pytest.raises(InvalidRow) as found:
        strict_json.parse_row(text)
    assert found.value.rule == expected


@pytest.mark.parametrize(
    ("kind", "postgres", "value"),
    [
        ("time", "time without time zone", '"24:00:00"'), ("date", "date", '"-infinity"'),
        ("timestamp", "timestamp with time zone", '"0044-03-15 12:00:00+00 BC"'), ("float", "real", "1e-45"),
        ("json", "json", '{"a":1,"a":2}'), ("json", "json", r'"\ud83d"'), ("json", "json", r'{"a":"\u0000"}'),
    ],
)  # fmt: skip
def test_what_a_column_held_is_valid_in_a_row_postgres_wrote(kind: str, postgres: str, value: str) -> None:
    key = {"collection": "t", "field": "id", "type": "integer", "schema": {"is_primary_key": True}}
    held = {"collection": "t", "field": "v", "type": kind, "schema": {"data_type": postgres, "is_nullable": True}}
    schema = Snapshot({"collections": [{"collection": "t", "schema": {}}], "fields": [key, held], "relations": []})
    rules = row_values.column_rules(schema, "t", exact_json=True, from_database=True)
    row, fault = row_values.validate(2, f'{{"id":1,"v":{value}}}'.encode(), rules)
    assert (row is not None, fault) == (True, None)


def test_a_name_twice_in_a_row_itself_is_a_fault_in_every_file() -> None:
    key = {"collection": "t", "field": "id", "type": "integer", "schema": {"is_primary_key": True}}
    schema = Snapshot({"collections": [{"collection": "t", "schema": {}}], "fields": [key], "relations": []})
    rules = row_values.column_rules(schema, "t", exact_json=True, from_database=True)
    _, fault = row_values.validate(2, b'{"id":1,"id":2}', rules)
    assert fault is not None
    assert fault.rule == "TWICE"
