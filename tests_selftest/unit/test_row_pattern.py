"""What the pattern takes for valid is valid by every rule, and is the very text the careful writer makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.checks.rows import row_values
from fixtures.checks.rows.row_pattern import RowPattern
from fixtures.model.dataset import ExportedFile
from fixtures.model.snapshot import Snapshot
from fixtures.operations.imports.screening import Screener
from fixtures.operations.source import export_reader
from fixtures.process.files import sha256
from fixtures.systems.postgres.copy_text import RowWriter

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "short": ("string", {"data_type": "character varying", "max_length": 12}),
    "text": ("text", {"data_type": "text"}),
    "slug": ("text", {"data_type": "text", "is_unique": True}),
    "number": ("integer", {"data_type": "integer"}),
    "big": ("bigInteger", {"data_type": "bigint"}),
    "price": ("decimal", {"data_type": "numeric", "numeric_precision": 6, "numeric_scale": 2}),
    "any_price": ("decimal", {"data_type": "numeric"}),
    "part": ("decimal", {"data_type": "numeric", "numeric_precision": 2, "numeric_scale": 2}),
    "double": ("float", {"data_type": "double precision"}),
    "single": ("float", {"data_type": "real"}),
    "yes": ("boolean", {"data_type": "boolean"}),
    "other": ("uuid", {"data_type": "uuid"}),
    "day": ("date", {"data_type": "date"}),
    "clock": ("time", {"data_type": "time without time zone"}),
    "local": ("dateTime", {"data_type": "timestamp without time zone"}),
    "instant": ("timestamp", {"data_type": "timestamp with time zone"}),
    "words": ("csv", {"data_type": "text"}),
    "extra": ("json", {"data_type": "json"}),
    "place": ("geometry.Point", {"data_type": "point"}),
    "state": ("string", {"data_type": "character varying", "max_length": 12}),
    "must": ("string", {"data_type": "text", "is_nullable": False}),
}  # fmt: skip
UUID = "1ca10000-0000-4000-8000-000000000001"
GOOD: dict[str, list[Any]] = {
    "short": ["a", "é", "", "twelve chars"], "text": ['say "so"\n\\ / \t', "x" * 9999, "\x7f\u2028"], "slug": ["a-b"],
    "number": [0, -5, 999999999], "big": ["0", "-12", "999999999999999999"],
    "price": ["0", "1.50", "-9999.99", "-0.00"], "any_price": ["1", "12345.678"], "part": ["0.5", "0.55", "0"],
    "double": [0, 1.5, -1234567.12345678, 12], "single": [0, 1.5, 123.125], "yes": [True, False], "other": [UUID],
    "day": ["2024-01-31", "2024-02-28", "1999-12-30"], "clock": ["00:00:00", "23:59:59.123456"],
    "local": ["2026-01-01T12:00:00", "2026-01-01 12:00:00.123"], "instant": ["2026-01-01T12:00:00.000Z"],
    "words": [[], ["a"], ["", ""], ["", "", "b c"]], "extra": [{}, [], {"a": [1.25, None, {"b": '"}],"must":"'}]},
    [[]]],
    "place": [None, "(1,2)"], "state": ["open", "shut"], "must": ["", "a"],
}  # fmt: skip
ODD: list[str] = [
    "null", "true", "1", "-1", "0", "-0", "01", "1.0", "1e3", "-1.5e-7", "2147483648", "-2147483649",
    "9007199254740993",
    "9223372036854775808", "0.1", "0.30000000000000004", "16777217", "1e400", "NaN", "Infinity", "1.123456789",
    '""', '"a"', '"thirteen char"', '"éééééééééééé"', '"a\\u0000b"', '"\\ud800"', '"\\""', '"\\/"', '"\\x"', '"a\tb"',
    '"a\\"',
    '"9223372036854775808"', '{"a":"\\u00e9"}',
    '"1"', '"-1"', '"1.5"', '"1.555"', '"99999.99"', '"100000"', '"1e5"', '" 1"', '"0.005"', '"-0"', '"007"', '".5"',
    '"1."',
    f'"{UUID.upper()}"', f'"{UUID}0"', '"2023-02-29"', '"2024-02-29"', '"2024-04-31"', '"0000-01-01"', '"0001-01-01"',
    '"2024-13-01"', '"2024-1-1"', '"24:00:00"', '"23:59:60"', '"12:00"', '"12:00:00.1"', '"now"', '"infinity"',
    '"2026-01-01"', '"2026-01-01T00:00:00+02"', '"2026-01-01T00:00:00Z"', '"2026-01-01t00:00:00z"',
    '"2026-01-01T24:00:00Z"',
    '["a,b"]', '["a",1]', '["a"', '["a",]', '["\\u0000"]', '[["a"]]', '{"a":1,"a":2}', '{"a":NaN}', '{"a":1e400}',
    '{"a":12345678901234567890}', '{"a":"\\ud800"}', '{"a":1', '{"a":1}}', '{"a":1}],[{}', "[" * 150 + "]" * 150,
    "[" * 300 + "]" * 300, '{"a":1},"must":"x","b":{}', '"a","must":"x', "1,2", "", " null", "null ", '"OPEN"',
    '"open "',
]  # fmt: skip


def snapshot() -> Snapshot:
    fields: list[dict[str, Any]] = [
        {"collection": "t", "field": "id", "type": "integer", "meta": {},
         "schema": {"is_primary_key": True, "data_type": "integer", "is_nullable": False, "has_auto_increment": True}}
    ]  # fmt: skip
    for name, (kind, schema) in KINDS.items():
        meta = {"options": {"choices": [{"value": "open"}, {"value": "shut"}]}} if name == "state" else {}
        fields.append(
            {"collection": "t", "field": name, "type": kind, "meta": meta, "schema": {"is_nullable": True, **schema}}
        )
    return Snapshot({"collections": [{"collection": "t", "schema": {}, "meta": {}}], "fields": fields, "relations": []})


RULES = row_values.column_rules(snapshot(), "t", exact_json=True)
ROUNDING = row_values.column_rules(snapshot(), "t", exact_json=False)
"""For a lane that reads numbers inside JSON as floats."""
PATTERN, PATTERN_OF_ROUNDING = RowPattern(RULES), RowPattern(ROUNDING)
COLUMNS = RULES.profile.columns
WRITER = RowWriter({name: RULES.types[name] for name in COLUMNS})


def line(**values: str) -> bytes:
    """A row of nulls, but for these values as JSON."""
    row = dict.fromkeys(COLUMNS, "null") | {"id": "1", "must": '"m"'} | values
    return ("{" + ",".join(f'"{name}":{value}' for name, value in row.items()) + "}").encode("utf-8", "surrogatepass")


def written(text: bytes) -> list[bytes]:
    """What the careful writer makes of a line."""
    return WRITER.fields(text)


def agrees(text: bytes) -> bool:
    """Whether the pattern takes a line; if so, every rule does, and the writer writes the same."""
    if PATTERN_OF_ROUNDING.match(text) is not None:
        assert row_values.validate(2, text, ROUNDING)[1] is None, text
    found = PATTERN.match(text)
    if found is None:
        return False
    _, fault = row_values.validate(2, text, RULES)
    assert fault is None, (text, fault)
    assert list(found) == written(text)
    return True


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in GOOD for value in GOOD[name]])
def test_what_well_kept_rows_hold_is_recognised(name: str, value: Any) -> None:
    assert agrees(line(**{name: json.dumps(value, ensure_ascii=False, separators=(",", ":"))}))


@pytest.mark.parametrize("name", COLUMNS)
def test_nothing_odd_is_taken_for_valid(name: str) -> None:
    for value in ODD:
        agrees(line(**{name: value}))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_pattern_never_says_more_than_the_rules(data: st.DataObject) -> None:
    pool = st.one_of(
        st.sampled_from(ODD),
        st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=14), st.lists).map(
            json.dumps
        ),
        st.text(alphabet='0123456789-+.eE"T:Z ,[]{}\\n', max_size=20),
        st.sampled_from([json.dumps(each, ensure_ascii=False) for values in GOOD.values() for each in values]),
    )
    names = data.draw(st.lists(st.sampled_from(COLUMNS), max_size=4, unique=True))
    agrees(line(**{name: data.draw(pool) for name in names}))


@pytest.mark.parametrize(
    "text",
    [
        line() + b" ", line()[:-1], b"", b"{}", b"[]", line().replace(b'"id":1,', b""), line().replace(b'"id"',
        b'"ID"'),
        line()[:-1] + b',"more":1}', line()[:-1] + b',"id":2}', line().replace(b":", b": ", 1), line(must="null"),
        line(id="null"), line(id="0"), line(id='"1"'), line(extra='{"a":1,"a":2}'),
    ],
)  # fmt: skip
def test_a_line_the_export_would_not_write_is_looked_at(text: bytes) -> None:
    assert PATTERN.match(text) is None


def test_a_key_that_is_a_text_is_not_empty() -> None:
    fields = [{"collection": "k", "field": "id", "type": "string", "meta": {}, "schema": {"is_primary_key": True}}]
    keyed = Snapshot(
        {"collections": [{"collection": "k", "schema": {}, "meta": {}}], "fields": fields, "relations": []}
    )
    match = RowPattern(row_values.column_rules(keyed, "k", exact_json=True)).match
    assert match(b'{"id":"a"}') == (b"a",)
    assert match(b'{"id":""}') is None


def test_a_scale_of_production_that_is_smaller_holds() -> None:
    assert RowPattern(RULES, scales={"price": 1}).match(line(price='"1.5"')) is not None
    assert RowPattern(RULES, scales={"price": 1}).match(line(price='"1.55"')) is None


def test_an_any_relation_is_judged_as_a_whole() -> None:
    fields = [
        {"collection": "j", "field": "id", "type": "integer", "meta": {}, "schema": {"is_primary_key": True}},
        {"collection": "j", "field": "collection", "type": "string", "meta": {}, "schema": {"is_nullable": True}},
        {"collection": "j", "field": "item", "type": "string", "meta": {}, "schema": {"is_nullable": True}},
    ]  # fmt: skip
    relation = {
        "collection": "j", "field": "item", "related_collection": None, "schema": None,
        "meta": {"many_collection": "j", "many_field": "item", "one_collection_field": "collection",
                 "one_allowed_collections": ["a", "b"]},
    }  # fmt: skip
    several = [{"collection": name, "schema": {}, "meta": {}} for name in "abj"]
    own = [{"collection": name, "field": "id", "type": "integer", "meta": {}, "schema": {"is_primary_key": True}}
           for name in "ab"]  # fmt: skip
    rules = row_values.column_rules(
        Snapshot({"collections": several, "fields": [*own, *fields], "relations": [relation]}), "j", exact_json=True
    )
    match = RowPattern(rules).match
    assert rules.any_relations
    assert match(b'{"collection":"a","id":1,"item":"5"}') == (b"a", b"1", b"5")
    assert match(b'{"collection":null,"id":1,"item":null}') is not None
    for wrong in (b'{"collection":"c","id":1,"item":"5"}', b'{"collection":null,"id":1,"item":"5"}'):
        assert match(wrong) is None
        assert row_values.validate(2, wrong, rules)[1] is not None


def test_values_that_occur_twice_are_found_however_they_are_read(tmp_path: Path) -> None:
    slugs = ['"a"', '"\\u0061"', '"b"', '"c"', '"/d"', '"\\/d"']
    rows = [line(id=str(number), slug=slug) for number, slug in zip((1, 2, 3, 3, 4, 5), slugs, strict=True)]
    path = tmp_path / "t.json"
    path.write_bytes(b"[\n" + b",\n".join(rows) + b"\n]\n")
    file = ExportedFile("t", "t.json", 6, sha256(path), path.stat().st_size, "")
    screener = Screener(tmp_path, file, snapshot(), exact_json=True)
    seen = [screener.values(number, text) is not None for number, text in export_reader.numbered_lines(tmp_path, file)]
    assert seen == [True, False, True, True, True, False]
    assert [(each.line, each.code) for each in screener.refusals()] == [(n, "UNIQUE") for n in range(2, 8)]
