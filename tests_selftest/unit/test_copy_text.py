"""Exported rows as COPY lines: every digit, every escape, and what no column may hold refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.systems.postgres.copy_text import TYPES, InvalidRow, RowWriter, unescaped


def line(kind: str, written: str) -> bytes:
    return RowWriter({"v": kind}).line(f'{{"v":{written}}}'.encode())


def read_back(field: bytes) -> str | None:
    """What Postgres reads from one field of COPY's text format."""
    if field == b"\\N":
        return None
    kept, escapes = bytearray(), {ord("n"): 10, ord("t"): 9, ord("r"): 13, ord("b"): 8, ord("f"): 12, ord("v"): 11}
    characters = iter(field)
    for one in characters:
        if one == ord("\\"):
            following = next(characters)
            assert following not in b"x01234567", "an octal or hexadecimal escape nobody meant"
            kept.append(escapes.get(following, following))
        else:
            assert one not in (9, 10, 13), "an end of field or line inside a value"
            kept.append(one)
    return kept.decode()


@given(st.text())
def test_any_text_arrives_as_it_was(text: str) -> None:
    for ascii_only in (True, False):
        try:
            row = json.dumps({"v": text}, ensure_ascii=ascii_only).encode()
        except UnicodeEncodeError:
            continue
        if "\0" in text:
            with pytest.raises(InvalidRow, match="NUL"):
                RowWriter({"v": "text"}).line(row)
        elif any("\ud800" <= each <= "\udfff" for each in text):
            with pytest.raises(InvalidRow):
                RowWriter({"v": "text"}).line(row)
        else:
            assert read_back(RowWriter({"v": "text"}).line(row)[:-1]) == text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text("ab\\\"'\n\té"), st.lists, max_leaves=9))
def test_json_arrives_as_the_same_value(value: Any) -> None:
    written = read_back(line("json", json.dumps(value))[:-1])
    assert (None if written is None else json.loads(written)) == value


@pytest.mark.parametrize(
    ("kind", "written", "sent"),
    [
        ("bigInteger", '"9007199254740993"', b"9007199254740993\n"),
        ("bigInteger", "9007199254740993", b"9007199254740993\n"),
        ("decimal", '"12.3400"', b"12.3400\n"),
        ("float", "1e-7", b"1e-7\n"),
        ("integer", "-3", b"-3\n"),
        ("json", '{"n":1.10,"big":9007199254740993}', b'{"n":1.10,"big":9007199254740993}\n'),
        ("json", '"a text"', b'"a text"\n'),
        ("csv", '["a","b c"]', b"a,b c\n"),
        ("csv", "[]", b"\n"),
        ("csv", "null", b"\\N\n"),
        ("text", "null", b"\\N\n"),
        ("text", '""', b"\n"),
        ("string", '"null"', b"null\n"),
        ("string", r'"\\N"', b"\\\\N\n"),
        ("boolean", "true", b"true\n"),
        ("date", '"-infinity"', b"-infinity\n"),
        ("timestamp", '"0044-03-15 12:00:00+00 BC"', b"0044-03-15 12:00:00+00 BC\n"),
        ("float", '"NaN"', b"NaN\n"),
        ("decimal", '"-Infinity"', b"-Infinity\n"),
        ("json", '{"$json":null}', b"null\n"),
        ("json", '{"$json":{"$json":1.10}}', b'{"$json":1.10}\n'),
        ("json", '{"$json":1,"a":2}', b'{"$json":1,"a":2}\n'),
        ("timestamp", '"2026-03-08T07:30:00.123Z"', b"2026-03-08T07:30:00.123Z\n"),
        ("hash", '"$argon2id$v=19$m=65536"', b"$argon2id$v=19$m=65536\n"),
    ],
)
def test_every_type_is_written_digit_by_digit(kind: str, written: str, sent: bytes) -> None:
    assert line(kind, written) == sent


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("timestamp", '"now"'), ("date", '"tomorrow"'), ("dateTime", '""'), ("time", "12"), ("decimal", '"nan"'),
        ("integer", '"-Infinity"'), ("float", "true"), ("integer", '"abc"'), ("integer", "{}"), ("boolean", '"yes"'),
        ("boolean", "1"), ("text", "12"), ("string", '{"a":1}'), ("uuid", "[]"), ("csv", '[["a"]]'), ("csv", "3"),
    ],
)  # fmt: skip
def test_what_no_column_of_its_type_may_hold_is_refused(kind: str, written: str) -> None:
    with pytest.raises(InvalidRow, match='field "v": expected'):
        line(kind, written)


@pytest.mark.parametrize(
    "row", [b"", b"[]", b"{", b'{"v":"a"', b'{"v":"a"}}', b'{"v":"a","w":1}', b'{"v":NaN}', b"7", b'{"v":"a\\x"}']
)
def test_what_is_no_row_is_refused(row: bytes) -> None:
    with pytest.raises(InvalidRow):
        RowWriter({"v": "text"}).line(row)


def test_a_column_that_is_missing_is_empty() -> None:
    assert RowWriter({"a": "text", "b": "integer"}).line(b'{"b":1}') == b"\\N\t1\n"


def test_users_are_replaced_on_their_way() -> None:
    writer = RowWriter({"by": "uuid", "n": "integer"}, {"by": {"1": "2"}.get})  # type: ignore[dict-item]
    assert [writer.line(row) for row in (b'{"by":"1","n":1}', b'{"by":"9","n":1}', b'{"by":null,"n":1}')] == [
        b"2\t1\n",
        b"\\N\t1\n",
        b"\\N\t1\n",
    ]


def test_a_type_of_which_nothing_is_known_is_said_at_once() -> None:
    assert "geometry" not in TYPES
    with pytest.raises(ValueError, match="geometry"):
        RowWriter({"where": "geometry"})


@pytest.mark.parametrize(
    ("written", "fits"),
    [('"12.34"', True), ('"12.3400"', True), ('"12.345"', False), ("1e2", True), ("1e-3", False), ("7", True)],
)
def test_digits_that_would_be_rounded_are_refused(written: str, fits: bool) -> None:
    writer = RowWriter({"v": "decimal"}, scales={"v": 2})
    row = f'{{"v":{written}}}'.encode()
    if fits:
        assert writer.line(row) == written.strip('"').encode() + b"\n"
    else:
        with pytest.raises(InvalidRow, match="more than 2 digits"):
            writer.line(row)


@pytest.mark.parametrize("key", ["plain", "a\tb", "back\\slash", "line\nend", "ümlaut"])
def test_a_key_is_read_back_for_the_log(key: str) -> None:
    (field,) = RowWriter({"v": "string"}).fields(json.dumps({"v": key}).encode())
    assert unescaped(field) == key
